"""The gates as one short table: outcome, metric and rule, the difference, both values."""

from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.report.escape import escape_sentence
from metricgate.report.headline import gap_to_rule, gate_decimals
from metricgate.report.labels import (
    OUTCOME_ORDER,
    OUTCOME_SIGNS,
    OUTCOME_WORDS,
    describe_rule,
    is_relative,
    metric_cell,
)
from metricgate.report.numbers import NONE, format_count, format_interval, format_number
from metricgate.report.tables import draw_table

EXPLAINED = frozenset({Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.ERROR})


def sort_gates(gates: tuple[GateRow, ...]) -> list[GateRow]:
    """Return the gates as a reader needs them: errors, failures, doubts first; the worst of each on top."""
    return sorted(
        gates, key=lambda gate: (OUTCOME_ORDER.index(gate.outcome), gate.slice is not None, gap_to_rule(gate))
    )


def draw_gates(gates: list[GateRow], confidence: float) -> str:
    """Return a Markdown table of ``gates`` in the order given."""
    level = f"{confidence * 100:g} %"
    header = ("", "Metric and rule", f"Change ({level} interval)", "Baseline", "Candidate")
    return draw_table(header, [_draw_row(gate) for gate in gates], "llrrr")


def _draw_row(gate: GateRow) -> tuple[str, ...]:
    decimals = gate_decimals(gate)
    return (
        f"{OUTCOME_SIGNS[gate.outcome]}&nbsp;{OUTCOME_WORDS[gate.outcome].replace(' ', '&nbsp;')}",
        f"{metric_cell(gate)}<br>{describe_rule(gate, decimals)}{explain_outcome(gate)}",
        _draw_change(gate, decimals),
        format_number(gate.baseline, decimals),
        _draw_candidate(gate, decimals),
    )


def explain_outcome(gate: GateRow) -> str:
    """Return why a gate has no plain yes or no: rows it would need, or its reason."""
    if gate.outcome not in EXPLAINED:
        return ""
    if gate.outcome is Outcome.INCONCLUSIVE and gate.rows_needed:
        return f"; about {format_count(gate.rows_needed)} rows would settle it"
    return f"; {escape_sentence(gate.reason, 200)}" if gate.reason else ""


def _draw_change(gate: GateRow, decimals: int) -> str:
    if gate.difference is None:
        return NONE
    change = f"**{format_number(gate.difference, decimals, signed=True)}**"
    if not is_relative(gate) or gate.low is None:
        return change
    return f"{change}<br>{_unbroken(format_interval(gate.low, gate.high, decimals, signed=True))}"


def _draw_candidate(gate: GateRow, decimals: int) -> str:
    value = format_number(gate.candidate, decimals)
    if is_relative(gate) or gate.low is None:
        return value
    return f"{value}<br>{_unbroken(format_interval(gate.low, gate.high, decimals))}"


def _unbroken(text: str) -> str:
    return text.replace(" ", "&nbsp;")
