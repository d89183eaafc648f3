"""What `metricgate power` prints: one sentence a gate, and the table behind it."""

from collections.abc import Sequence

from tabulate import tabulate

from metricgate.gates.assessment import RulePower
from metricgate.models.outcome import Role
from metricgate.report.number_format import format_about
from metricgate.stats.power import ASSUMED_CORRELATION

COLUMNS = (
    "gate",
    "rows",
    "loss caught\nin 80 %",
    "catches\nmargin",
    "catches\ntwice it",
    "settles\nequal",
    "rows to\nsettle",
    "settled\nmargin",
)
NOTHING = "No gate of this policy compares predictions with a baseline, so there is nothing to measure."
EXPLANATION = """\
loss caught in 80 %: the true loss at which the gate fails in 4 of 5 pull requests
catches margin, twice it: how often the gate fails if the true loss is the margin, or twice the margin
settles equal: how often a required gate passes if the models are truly equal
rows to settle: how many rows make it pass in 4 of 5 such cases
settled margin: the smallest margin for which the rows at hand do the same"""
ASSUMED = (
    "Only one model's predictions are known. The influence values of the two models are\n"
    f"assumed to correlate {ASSUMED_CORRELATION:g}; pass two prediction files to measure the correlation."
)


def render_power(powers: Sequence[RulePower], *, details: bool) -> str:
    """Return what each gate can catch, as plain text: one sentence each, and with ``details`` all numbers."""
    if not powers:
        return NOTHING
    sentences = [describe_rule_power(item) for item in powers]
    notes = [ASSUMED] if any(item.assumed for item in powers) else []
    if not details:
        return "\n\n".join(["\n".join(sentences), *notes])
    rows = [_row(item) for item in powers]
    table = tabulate(rows, headers=COLUMNS, disable_numparse=True, colalign=("left", *["right"] * (len(COLUMNS) - 1)))
    return "\n\n".join(["\n".join(sentences), table, EXPLANATION, *notes])


def describe_rule_power(item: RulePower) -> str:
    """Return in one sentence what a gate catches on these rows, and how many rows its margin needs."""
    power, rule = item.power, item.rule
    where = f" for {rule.slice.column} = {rule.slice.value}" if rule.slice else ""
    loss = "a rise" if rule.kind == "max_increase" else "a drop"
    caught = f"With {power.rows:,} rows, {loss} of {power.detectable_loss:.2g} is caught in 4 of 5 pull requests"
    return f"{rule.metric}{where}: {caught}{_describe_need(item)}."


def _describe_need(item: RulePower) -> str:
    power, rule = item.power, item.rule
    if rule.role is Role.GUARDRAIL:
        return "; a guardrail lets everything else pass"
    if power.rows_to_settle is None:
        return f"; no number of rows settles your margin of {rule.margin}"
    if power.rows_to_settle <= power.rows:
        return f"; they settle your margin of {rule.margin} where the models are equal"
    return f"; your margin of {rule.margin} needs about {format_about(power.rows_to_settle)}"


def _row(item: RulePower) -> tuple[str, ...]:
    power, rule = item.power, item.rule
    where = f" ({rule.slice.column} = {rule.slice.value})" if rule.slice else ""
    return (
        f"{rule.metric}{where}\n{rule.kind}: {rule.margin}",
        f"{power.rows:,}",
        f"{power.detectable_loss:.2g}",
        f"{power.catches_margin:.0%}",
        f"{power.catches_twice:.0%}",
        f"{power.settles_equal:.0%}",
        "-" if power.rows_to_settle is None else f"{power.rows_to_settle:,}",
        f"{power.settled_margin:.2g}",
    )
