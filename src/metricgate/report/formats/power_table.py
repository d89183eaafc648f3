"""The table of `metricgate power`."""

from collections.abc import Sequence

from tabulate import tabulate

from metricgate.gates.assessment import RulePower
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


def render_power(powers: Sequence[RulePower]) -> str:
    """Return what each gate can catch, as plain text."""
    if not powers:
        return NOTHING
    rows = [_row(item) for item in powers]
    table = tabulate(rows, headers=COLUMNS, disable_numparse=True, colalign=("left", *["right"] * (len(COLUMNS) - 1)))
    notes = [EXPLANATION, *([ASSUMED] if any(item.assumed for item in powers) else [])]
    return "\n\n".join([table, *notes])


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
