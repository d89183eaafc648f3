"""Residuals, and predictions against labels, of both models, thinned to what a picture can show."""

import numpy as np
from numpy.typing import NDArray

from metricgate.models.result import ChartData, CurveData
from metricgate.models.samples import FloatArray, Sample
from metricgate.report.figures.classification_curves import SIDES, round_values

CELLS = 56  # per side of the density; a cell is four pixels of the picture
BARS = 40
MAX_POINTS = 1500  # up to here the points themselves are drawn
TAIL = 0.005  # of the residuals on either side, shown in the last bar


def build_residuals(baseline: Sample, candidate: Sample, name: str, suffix: str) -> ChartData | None:
    """Return the share of rows by residual, prediction minus label; None without predictions."""
    residuals = [_residuals(sample) for sample in (baseline, candidate)]
    if any(part.size == 0 for part in residuals):
        return None
    low, high = _common_range(residuals)
    edges = np.linspace(low, high, BARS + 1)
    curves = []
    for values, sample, side in zip(residuals, (baseline, candidate), SIDES, strict=True):
        counts = np.histogram(np.clip(values, low, high), edges, weights=sample.weight)[0]
        shares = np.append(counts, counts[-1]) / counts.sum()  # the last bar has a right edge too
        curves.append(CurveData(label=side, side=side, x=round_values(edges), y=round_values(shares)))
    return ChartData(
        name=f"{name}residuals",
        kind="residuals",
        title=f"Residuals{suffix}",
        alt="Distribution of the residuals, prediction minus label, of baseline and candidate",
        x_label="prediction minus label",
        y_label="share of rows",
        curves=tuple(curves),
        x_range=(low, high),
    )


def _residuals(sample: Sample) -> FloatArray:
    if sample.label is None or sample.prediction is None:
        return np.empty(0)
    return np.asarray(sample.prediction - sample.label, dtype=np.float64)


def _common_range(residuals: list[FloatArray]) -> tuple[float, float]:
    ends = [np.quantile(values, (TAIL, 1 - TAIL)) for values in residuals]
    low, high = float(min(end[0] for end in ends)), float(max(end[1] for end in ends))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def build_scatter(baseline: Sample, candidate: Sample, name: str, suffix: str) -> ChartData | None:
    """Return predictions against labels: the points if they are few, else how many fall into each cell."""
    samples = (baseline, candidate)
    if any(sample.label is None or sample.prediction is None for sample in samples):
        return None
    labels = [np.asarray(sample.label, dtype=np.float64) for sample in samples]
    predictions = [np.asarray(sample.prediction, dtype=np.float64) for sample in samples]
    every = np.array([bound for part in (*labels, *predictions) for bound in (part.min(), part.max())])
    span = (float(every.min()), float(every.max()))
    ends = span if span[1] > span[0] else (span[0] - 0.5, span[1] + 0.5)
    few = baseline.rows <= MAX_POINTS
    return ChartData(
        name=f"{name}predictions",
        kind="scatter",
        title=f"Predictions against labels{suffix}",
        alt="Predictions of baseline and candidate against the labels; on the diagonal they agree",
        x_label="label",
        y_label="prediction",
        curves=tuple(
            CurveData(label=side, side=side, x=round_values(label), y=round_values(prediction))
            for side, label, prediction in zip(SIDES, labels, predictions, strict=True)
        )
        if few
        else (),
        matrices=() if few else tuple(_count_cells(*pair, ends) for pair in zip(labels, predictions, strict=True)),
        sides=SIDES,
        diagonal=True,
        x_range=ends,
        y_range=ends,
    )


def _count_cells(x: FloatArray, y: FloatArray, ends: tuple[float, float]) -> tuple[tuple[int, ...], ...]:
    """Return counts by cell: rows from low to high predictions, columns from low to high labels."""
    cells = _find_cells(y, ends) * CELLS + _find_cells(x, ends)
    counts = np.bincount(cells, minlength=CELLS * CELLS).reshape(CELLS, CELLS)
    return tuple(tuple(int(count) for count in row) for row in counts)


def _find_cells(values: FloatArray, ends: tuple[float, float]) -> NDArray[np.int64]:
    return np.minimum(((values - ends[0]) / (ends[1] - ends[0]) * CELLS).astype(np.int64), CELLS - 1)
