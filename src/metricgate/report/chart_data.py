"""The data of the charts: what a task needs, small enough for report.json."""

from collections.abc import Sequence

import numpy as np

from metricgate.models.result import ChartData, ForestRow, GateRow
from metricgate.models.samples import Sample, SamplePair
from metricgate.report.escape import plain_name, shorten
from metricgate.report.gate_table import sort_gates
from metricgate.report.headline import asked_value
from metricgate.report.labels import OUTCOME_WORDS, is_relative, plain_metric

FOREST_ROWS = 10
MATRIX_CLASSES = 6
LABEL_LENGTH = 26


def build_charts(pair: SamplePair, *, name: str = "") -> tuple[ChartData, ...]:
    """Return the charts that fit the task of one prediction set; ``name`` is the set's."""
    return build_confusion(pair, name)


def build_confusion(pair: SamplePair, name: str = "") -> tuple[ChartData, ...]:
    """Return both models' confusion matrices, if both have predictions and there are few classes."""
    sides = {"baseline": pair.baseline, "candidate": pair.candidate}
    classes = pair.candidate.classes
    if not 2 <= len(classes) <= MATRIX_CLASSES:
        return ()
    counts = [_count_cells(sample, len(classes)) for sample in sides.values()]
    matrices = tuple(matrix for matrix in counts if matrix)
    if len(matrices) < len(sides):
        return ()
    chart = ChartData(
        name=f"{name}-confusion" if name else "confusion",
        kind="confusion",
        title="Confusion matrices" + (f" ({plain_name(name)})" if name else ""),
        alt="Confusion matrices of baseline and candidate: rows are labels, columns are predictions",
        labels=classes,
        matrices=matrices,
        sides=("baseline", "candidate"),
    )
    return (chart,)


def _count_cells(sample: Sample, classes: int) -> tuple[tuple[int, ...], ...]:
    if sample.label is None or sample.prediction is None:
        return ()
    cells = np.bincount(
        sample.label.astype(np.int64) * classes + sample.prediction.astype(np.int64), minlength=classes**2
    )
    return tuple(tuple(int(count) for count in row) for row in cells.reshape(classes, classes))


def build_forest(gates: Sequence[GateRow]) -> ChartData | None:
    """Return the forest plot of the relative gates that have an interval, worst first; None without any."""
    drawable = [gate for gate in sort_gates(tuple(gates)) if is_relative(gate) and _has_interval(gate)]
    if not drawable:
        return None
    shown = drawable[:FOREST_ROWS]
    outcomes = ", ".join(f"{plain_metric(gate)} {OUTCOME_WORDS[gate.outcome]}" for gate in shown)
    return ChartData(
        name="differences",
        kind="forest",
        title="Change against what is allowed",
        alt=f"Differences with their intervals against what is allowed: {shorten(outcomes, 300)}",
        forest=tuple(_forest_row(gate) for gate in shown),
        left_out=len(drawable) - len(shown),
    )


def _has_interval(gate: GateRow) -> bool:
    return gate.low is not None and gate.high is not None and gate.difference is not None


def _forest_row(gate: GateRow) -> ForestRow:
    return ForestRow(
        label=shorten(plain_metric(gate), LABEL_LENGTH),
        outcome=gate.outcome,
        better=gate.direction,
        difference=gate.difference or 0.0,
        low=gate.low or 0.0,
        high=gate.high or 0.0,
        simultaneous_low=gate.simultaneous_low,
        simultaneous_high=gate.simultaneous_high,
        margin=asked_value(gate),
    )
