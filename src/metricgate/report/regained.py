"""Whether a lost level is regained: on a branch, the next run compares with the model that had already lost.

Each failed relative gate leaves the value that its metric must come back to. A later run on the branch that passes by
comparison alone, and is still below, is no recovery.
"""

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from metricgate.models.base import Finite, Value
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow
from metricgate.report.gate_order import gate_decimals, required_value
from metricgate.report.number_format import format_number
from metricgate.report.value import Report
from metricgate.report.vocabulary import is_relative, plain_metric

MAX_LEVELS = 30


class LostLevel(Value):
    """The value that a metric must come back to, and which direction is better."""

    value: Finite
    direction: Direction


_LEVELS = TypeAdapter(dict[str, LostLevel])
Levels = Mapping[str, LostLevel]


def collect_lost_levels(report: Report, known: Levels, *, undecided: bool = False) -> dict[str, LostLevel]:
    """Return the known levels and those that this report's failed gates add; of two, the harder one to reach.

    ``undecided`` gates count too, and then ask for the whole value of the baseline.
    """
    levels = dict(known)
    for gate in report.gates:
        is_undecided = undecided and gate.outcome is Outcome.INCONCLUSIVE
        is_lost = gate.outcome is Outcome.FAILED or is_undecided
        if is_lost and is_relative(gate) and not gate.anchor and gate.baseline is not None:
            allowed = 0.0 if is_undecided else required_value(gate)
            lost = LostLevel(value=gate.baseline + allowed, direction=gate.direction)
            before = levels.get(_key(gate))
            levels[_key(gate)] = before if before and _reaches(before.value, lost) else lost
    return dict(list(levels.items())[:MAX_LEVELS])


def describe_unregained(report: Report, levels: Levels) -> tuple[str, ...]:
    """Return a sentence of plain text for each lost level that this report's own values have not reached again."""
    sentences = []
    for gate in report.gates:
        level = levels.get(_key(gate))
        if level and gate.candidate is not None and not _reaches(gate.candidate, level):
            value, wanted = (format_number(one, gate_decimals(gate)) for one in (gate.candidate, level.value))
            sentences.append(f"{plain_metric(gate)} is {value}; {wanted} would make up for the loss")
    return tuple(sentences)


def dump_levels(levels: Levels) -> str:
    """Return the levels as text."""
    return _LEVELS.dump_json(dict(levels)).decode()


def load_levels(text: str) -> dict[str, LostLevel]:
    """Return the levels in a text; none where it is not such a text."""
    try:
        return _LEVELS.validate_json(text)
    except ValidationError:
        return {}


def _key(gate: GateRow) -> str:
    where = f"{gate.slice.column}={gate.slice.value}" if gate.slice else ""
    return f"{gate.source}|{gate.set}|{gate.metric}|{gate.kind}|{where}"[:200]


def _reaches(value: float, level: LostLevel) -> bool:
    return value >= level.value if level.direction is Direction.HIGHER else value <= level.value
