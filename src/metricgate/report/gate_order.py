"""The order of gates: how far each is from the value its rule requires, and with how many decimals that shows."""

from collections.abc import Sequence

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow
from metricgate.report.number_format import decimals_for, separate
from metricgate.report.vocabulary import OUTCOME_ORDER, is_relative

TELLING = frozenset({Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERROR})  # slices shown among the gates


def required_value(gate: GateRow) -> float:
    """Return the value at which the rule just holds: a signed difference, or the candidate's own value."""
    if not is_relative(gate):
        return gate.bound
    better = 1.0 if gate.direction is Direction.HIGHER else -1.0
    return better * gate.bound if gate.kind == "min_gain" else -better * gate.bound


def margin_to_rule(gate: GateRow) -> float | None:
    """Return how far the tested value is on the good side of its rule; None where there is no value."""
    value = gate.difference if is_relative(gate) else gate.candidate
    if value is None:
        return None
    required = required_value(gate)
    return value - required if _is_more_better(gate) else required - value


def gap_to_rule(gate: GateRow) -> float:
    """Return how far the tested value is on the good side of its rule, in half widths of its interval if any."""
    width = (gate.high - gate.low) / 2 if gate.low is not None and gate.high is not None else 0.0
    return (margin_to_rule(gate) or 0.0) / (width or abs(required_value(gate)) or 1.0)


def _is_more_better(gate: GateRow) -> bool:
    return gate.direction is Direction.HIGHER if is_relative(gate) else gate.kind == "min"


def sort_gates(gates: Sequence[GateRow]) -> list[GateRow]:
    """Return the gates in the order a reader needs: errors, then failures, then doubts; the worst of each first."""
    return sorted(
        gates, key=lambda gate: (OUTCOME_ORDER.index(gate.outcome), gate.slice is not None, gap_to_rule(gate))
    )


def gates_with(gates: Sequence[GateRow], outcome: Outcome) -> list[GateRow]:
    """Return the gates of one outcome, in the order a reader needs."""
    return sort_gates([gate for gate in gates if gate.outcome is outcome])


def gate_decimals(gate: GateRow) -> int:
    """Return the decimals of a gate's row: what the interval supports, and enough to tell it from its rule."""
    decimals = decimals_for(gate.low, gate.high, gate.baseline, gate.candidate)
    required = required_value(gate)
    tested = gate.difference if is_relative(gate) else gate.candidate
    for value in (tested, gate.low, gate.high):
        decimals = max(decimals, separate(value, required, decimals))
    return decimals
