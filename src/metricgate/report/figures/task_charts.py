"""The charts that fit a task, and the confusion matrices, small enough for report.json."""

import numpy as np

from metricgate.models.result import ChartData
from metricgate.models.samples import IntArray, Sample, SamplePair
from metricgate.report.escape import plain_name
from metricgate.report.figures.classification_curves import (
    SIDES,
    Ranking,
    build_calibration,
    build_precision_recall,
    build_roc,
)
from metricgate.report.figures.regression_charts import build_residuals, build_scatter

MAX_CLASSES = 6


def build_charts(pair: SamplePair, *, name: str = "") -> tuple[ChartData, ...]:
    """Return the charts that fit the task of one prediction set; ``name`` is the name of the set."""
    prefix = f"{name}-" if name else ""
    suffix = f" ({plain_name(name)})" if name else ""
    sides = (pair.baseline, pair.candidate, prefix, suffix)
    match pair.candidate.task:
        case "binary":
            return (*_build_rankings(*sides), *_present(build_calibration(*sides), build_confusion(*sides)))
        case "multiclass":
            return _present(build_confusion(*sides))
        case "regression":
            return _present(build_scatter(*sides), build_residuals(*sides))
        case "score":
            return ()


def _present(*charts: ChartData | None) -> tuple[ChartData, ...]:
    return tuple(chart for chart in charts if chart)


def _build_rankings(baseline: Sample, candidate: Sample, prefix: str, suffix: str) -> tuple[ChartData, ...]:
    before, after = Ranking.of(baseline), Ranking.of(candidate)
    if before is None or after is None:
        return ()
    return (build_roc((before, after), prefix, suffix), build_precision_recall((before, after), prefix, suffix))


def build_confusion(baseline: Sample, candidate: Sample, prefix: str, suffix: str) -> ChartData | None:
    """Return both models' confusion matrices, with rare classes merged; None if either predicts no classes."""
    classes = candidate.classes
    counts = [_count_cells(sample, len(classes)) for sample in (baseline, candidate)]
    if any(matrix is None for matrix in counts):
        return None
    matrices = [matrix for matrix in counts if matrix is not None]
    labels = classes
    if len(classes) > MAX_CLASSES:
        order = np.argsort(-matrices[0].sum(axis=1), kind="stable")
        labels = (*(classes[index] for index in order[: MAX_CLASSES - 1]), "others")
        matrices = [_merge_rare(matrix, order) for matrix in matrices]
    return ChartData(
        name=f"{prefix}confusion",
        kind="confusion",
        title=f"Confusion matrices{suffix}",
        alt="Confusion matrices of baseline and candidate: rows are labels, columns are predictions",
        labels=labels,
        matrices=tuple(tuple(tuple(int(count) for count in row) for row in matrix) for matrix in matrices),
        sides=SIDES,
    )


def _count_cells(sample: Sample, classes: int) -> IntArray | None:
    if sample.label is None or sample.prediction is None or not classes:
        return None
    cells = sample.label.astype(np.int64) * classes + sample.prediction.astype(np.int64)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _merge_rare(matrix: IntArray, order: IntArray) -> IntArray:
    """Return the matrix of the most frequent labels, with all others in its last row and column."""
    group = np.minimum(np.argsort(order), MAX_CLASSES - 1)
    merged = np.zeros((MAX_CLASSES, MAX_CLASSES), dtype=np.int64)
    np.add.at(merged, (group[:, None], group[None, :]), matrix)
    return merged
