"""The gates as one short table: outcome, metric and rule, the difference, both values."""

from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.models.result import GateRow
from metricgate.report.escape import escape_sentence
from metricgate.report.headline import asked_value, gap_to_rule, gate_decimals
from metricgate.report.numbers import NONE, format_about, format_interval, format_level, format_number
from metricgate.report.tables import draw_table, unbroken
from metricgate.report.vocabulary import (
    OUTCOME_ORDER,
    OUTCOME_SIGNS,
    OUTCOME_WORDS,
    describe_rule,
    is_relative,
    metric_cell,
)

TELLING = frozenset(
    {Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERROR}
)  # what a slice must be to stand among the gates
EXPLAINED = frozenset({Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.ERROR})


def sort_gates(gates: tuple[GateRow, ...]) -> list[GateRow]:
    """Return the gates as a reader needs them: errors, failures, doubts first; the worst of each on top."""
    return sorted(
        gates, key=lambda gate: (OUTCOME_ORDER.index(gate.outcome), gate.slice is not None, gap_to_rule(gate))
    )


def draw_gates(gates: list[GateRow], confidence: float) -> str:
    """Return a Markdown table of ``gates`` in the order given; on a phone its first three columns are seen at once."""
    header = ("", "Metric and rule", f"Change<br>({format_level(confidence)} interval)", "Baseline → candidate")
    return draw_table([unbroken(title) for title in header], [_draw_row(gate) for gate in gates], "llrr")


def _draw_row(gate: GateRow) -> tuple[str, ...]:
    decimals = gate_decimals(gate)
    return (
        OUTCOME_SIGNS[gate.outcome],
        f"{_emphasise(gate)}<br>{unbroken(describe_rule(gate, decimals))}{explain_outcome(gate)}",
        describe_change(gate, decimals),
        _draw_values(gate, decimals),
    )


def _emphasise(gate: GateRow) -> str:
    name, separator, rest = metric_cell(gate).partition("<br>")
    return f"**{name}**{separator}{rest}"


def explain_outcome(gate: GateRow) -> str:
    """Return why a gate has no plain yes or no: rows it would need, or its reason; a guardrail's yes is not plain."""
    if gate.outcome is Outcome.PASSED and gate.role is Role.GUARDRAIL and not _is_shown_kept(gate):
        return "<br>guardrail: no loss beyond it was shown"
    if gate.outcome not in EXPLAINED:
        return ""
    word = unbroken(OUTCOME_WORDS[gate.outcome])
    if gate.outcome is Outcome.INCONCLUSIVE and gate.rows_needed:
        return f"<br>{word}: needs about {unbroken(f'{format_about(gate.rows_needed)} rows')}"
    return f"<br>{word}: {escape_sentence(gate.reason, 200)}" if gate.reason else f"<br>{word}"


def _is_shown_kept(gate: GateRow) -> bool:
    """Tell whether the whole interval keeps the rule, as a required gate would have to show."""
    if not is_relative(gate) or gate.low is None or gate.high is None:
        return not is_relative(gate)
    asked = asked_value(gate)
    return gate.low >= asked if gate.direction is Direction.HIGHER else gate.high <= asked


def describe_change(gate: GateRow, decimals: int) -> str:
    """Return the difference, and below it the interval that the rule uses."""
    if gate.difference is None:
        return NONE
    change = f"**{format_number(gate.difference, decimals, signed=True)}**"
    interval = format_interval(gate.low, gate.high, decimals, signed=True)
    if not is_relative(gate) or not interval:
        return change
    return f"{change}<br>{unbroken(interval)}"


def _draw_values(gate: GateRow, decimals: int) -> str:
    values = unbroken(f"{format_number(gate.baseline, decimals)} → {format_number(gate.candidate, decimals)}")
    interval = format_interval(gate.low, gate.high, decimals)
    if is_relative(gate) or not interval:
        return values
    return f"{values}<br>{unbroken(interval)}"
