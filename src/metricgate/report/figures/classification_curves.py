"""ROC, precision-recall and calibration of both models, thinned to what a picture can show."""

from dataclasses import dataclass

import numpy as np

from metricgate.models.result import ChartData, CurveData, Side
from metricgate.models.samples import FloatArray, Sample

MAX_POINTS = 200  # a step of 1/100 of the way around the unit square, less than a pixel and a half of the picture
BINS = 10
SIDES: tuple[Side, Side] = ("baseline", "candidate")


@dataclass(frozen=True, eq=False, kw_only=True)
class Ranking:
    """Cumulative weights of positive and negative rows at or above each distinct score, highest score first."""

    positives: FloatArray
    negatives: FloatArray

    @classmethod
    def of(cls, sample: Sample) -> "Ranking | None":
        """Return the ranking; None without scores or without both classes."""
        if sample.scores is None or sample.label is None:
            return None
        order = sample.order[::-1]
        scores, labels = sample.scores[order], sample.label[order]
        last_of_tie = np.append(np.flatnonzero(scores[1:] != scores[:-1]), sample.rows - 1)
        if sample.weight is None:
            positives = np.cumsum(labels, dtype=np.int64)[last_of_tie].astype(np.float64)
            negatives = last_of_tie + 1 - positives
        else:
            weights = sample.weight[order]
            positives = np.cumsum(weights * labels)[last_of_tie]
            negatives = np.cumsum(weights * (1.0 - labels))[last_of_tie]
        return cls(positives=positives, negatives=negatives) if positives[-1] > 0 and negatives[-1] > 0 else None


def build_roc(rankings: tuple[Ranking, Ranking], name: str, suffix: str) -> ChartData:
    """Return both ROC curves."""
    return ChartData(
        name=f"{name}roc",
        kind="curves",
        title=f"ROC{suffix}",
        alt="ROC curves of baseline and candidate: true positive rate against false positive rate",
        x_label="false positive rate",
        y_label="true positive rate",
        curves=tuple(_trace_roc(ranking, side) for ranking, side in zip(rankings, SIDES, strict=True)),
        diagonal=True,
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
    )


def _trace_roc(ranking: Ranking, side: Side) -> CurveData:
    x = np.append(0.0, ranking.negatives / ranking.negatives[-1])
    y = np.append(0.0, ranking.positives / ranking.positives[-1])
    return make_curve(side, x, y, along=x + y)


def build_precision_recall(rankings: tuple[Ranking, Ranking], name: str, suffix: str) -> ChartData:
    """Return both precision-recall curves."""
    return ChartData(
        name=f"{name}precision-recall",
        kind="curves",
        title=f"Precision and recall{suffix}",
        alt="Precision-recall curves of baseline and candidate: precision against recall",
        x_label="recall",
        y_label="precision",
        curves=tuple(_trace_precision(ranking, side) for ranking, side in zip(rankings, SIDES, strict=True)),
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
    )


def _trace_precision(ranking: Ranking, side: Side) -> CurveData:
    some = ranking.positives > 0
    recall = ranking.positives[some] / ranking.positives[-1]
    precision = ranking.positives[some] / (ranking.positives[some] + ranking.negatives[some])
    return make_curve(side, recall, precision, along=recall)


def make_curve(side: Side, x: FloatArray, y: FloatArray, *, along: FloatArray) -> CurveData:
    """Return a curve of at most ``MAX_POINTS`` points, at equal steps of ``along``, which must not fall."""
    steps = np.searchsorted(along, np.linspace(along[0], along[-1], MAX_POINTS))
    kept = np.arange(len(x)) if len(x) <= MAX_POINTS else np.unique(np.minimum(steps, len(x) - 1))
    return CurveData(label=side, side=side, x=round_values(x[kept]), y=round_values(y[kept]))


def build_calibration(baseline: Sample, candidate: Sample, name: str, suffix: str) -> ChartData | None:
    """Return the share of positive rows in ten equal bins of the score; None unless scores are probabilities."""
    curves = tuple(_trace_calibration(sample, side) for sample, side in zip((baseline, candidate), SIDES, strict=True))
    if any(curve is None for curve in curves):
        return None
    return ChartData(
        name=f"{name}calibration",
        kind="calibration",
        title=f"Calibration{suffix}",
        alt="Calibration of baseline and candidate: the share of positive rows against the mean score",
        x_label="mean score",
        y_label="share of positive rows",
        curves=tuple(curve for curve in curves if curve),
        diagonal=True,
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
    )


def _trace_calibration(sample: Sample, side: Side) -> CurveData | None:
    if sample.scores is None or sample.label is None or sample.rows < BINS:
        return None
    if sample.scores.min() < 0 or sample.scores.max() > 1:
        return None
    scores, labels = sample.scores[sample.order], sample.label[sample.order]
    weights = np.ones(sample.rows) if sample.weight is None else sample.weight[sample.order]
    edges = np.unique(scores[np.arange(1, BINS) * sample.rows // BINS])
    starts = np.unique(np.searchsorted(scores, edges, side="left"))
    first = np.append(0, starts[starts > 0])
    size = np.add.reduceat(weights, first)
    filled = size > 0
    score = np.add.reduceat(weights * scores, first)[filled] / size[filled]
    share = np.add.reduceat(weights * labels, first)[filled] / size[filled]
    return CurveData(label=side, side=side, x=round_values(score), y=round_values(share))


def round_values(values: FloatArray) -> tuple[float, ...]:
    """Return the values as report.json keeps them: to five digits, a hundredth of a pixel."""
    return tuple(float(f"{value:.5g}") for value in values)
