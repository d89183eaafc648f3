"""Metrics of the confusion matrix, written as functions of its margins.

Accuracy, precision, recall, F-beta, Jaccard, MCC and kappa, averaged in any way, need only the diagonal, the row sums
and the column sums. One formula per metric then serves the value, its gradient (by a complex step, exact to rounding)
and thousands of resampled tables at once, for two classes as for a thousand.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, relative_weight, weigh

MIN_CLASS_ROWS = (
    10  # a macro average leaves out classes with fewer rows: one row would move it by more than 1/10 of 1/k
)
_STEP = 1e-30  # of the complex step: no subtraction takes place, so it may be as small as we like
_DIRECTIONS_AT_ONCE = 256


class Margins(NamedTuple):
    """Sums of weights per class, arrays of shape (..., k): rows hit, rows with the label, rows with the prediction."""

    hit: NDArray[Any]
    actual: NDArray[Any]
    predicted: NDArray[Any]


Formula = Callable[[Margins], Any]


@dataclass(frozen=True, kw_only=True)
class ConfusionMetric(Metric):
    """A metric of the confusion matrix's margins.

    ``at_threshold`` predicts the positive class from scores instead of using the predictions. ``macro`` marks an
    average over classes, which leaves out rare ones. ``is_share``: a plain share of hits, among all rows or among those
    labelled ``share_of_class``.
    """

    formula: Formula = field(repr=False, compare=False)
    check: Callable[[Margins], None] = field(default=lambda _: None, repr=False, compare=False)
    at_threshold: float | None = None
    macro: bool = False
    is_share: bool = False
    share_of_class: int | None = None

    def predict(self, sample: Sample) -> NDArray[Any]:
        """Return the predicted class of each row."""
        if self.at_threshold is not None:
            return (np.asarray(sample.scores) >= self.at_threshold).astype(np.int8)
        return np.asarray(sample.prediction)


def count_margins(label: NDArray[Any], prediction: NDArray[Any], size: int, weight: FloatArray | None) -> Margins:
    """Sum the weights of the rows into margins of ``size`` classes; unweighted sums count rows."""
    hits = label == prediction
    return Margins(
        hit=np.bincount(label[hits], None if weight is None else weight[hits], size).astype(np.float64),
        actual=np.bincount(label, weight, size).astype(np.float64),
        predicted=np.bincount(prediction, weight, size).astype(np.float64),
    )


def keep_classes(margins: Margins, kept: NDArray[Any]) -> Margins:
    """Restrict margins to some of their classes."""
    return Margins(*(part[..., kept] for part in margins))


def differentiate(formula: Formula, margins: Margins) -> tuple[NDArray[Any], Margins]:
    """Return the values of the formula, shape (...), and its derivatives by each margin, shape (..., k)."""
    point = np.concatenate(margins, axis=-1)
    count = point.shape[-1]
    gradient = np.empty(point.shape)
    for start in range(0, count, _DIRECTIONS_AT_ONCE):
        steps = np.arange(start, min(start + _DIRECTIONS_AT_ONCE, count))
        moved = np.repeat(point[..., None, :].astype(np.complex128), len(steps), axis=-2)
        moved[..., np.arange(len(steps)), steps] += 1j * _STEP
        values = formula(_split(moved))
        gradient[..., steps] = np.imag(values) / _STEP
    return np.real(values[..., 0]), _split(gradient)


def _split(joined: NDArray[Any]) -> Margins:
    size = joined.shape[-1] // 3
    return Margins(joined[..., :size], joined[..., size : 2 * size], joined[..., 2 * size :])


def differentiate_kept(formula: Formula, margins: Margins, kept: NDArray[Any]) -> tuple[NDArray[Any], Margins]:
    """Differentiate a formula of the kept classes by the margins of all; those of others do not matter to it."""
    if kept.all():
        return differentiate(formula, margins)
    values, slopes = differentiate(formula, keep_classes(margins, kept))
    whole = Margins(*(np.zeros(part.shape) for part in margins))
    for target, part in zip(whole, slopes, strict=True):
        target[..., kept] = part
    return values, whole


def divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[Any]:
    """Divide, with 0 for 0/0 as scikit-learn has it for a class that is never predicted."""
    empty = np.real(denominator) == 0
    ratio: NDArray[Any] = np.where(empty, 0, numerator / np.where(empty, 1, denominator))
    return ratio


def select_classes(metric: ConfusionMetric, label: NDArray[Any], size: int) -> NDArray[Any]:
    """Return which classes the metric averages over: for macro averages those with enough rows."""
    if not metric.macro:
        return np.ones(size, dtype=np.bool_)
    kept: NDArray[Any] = np.bincount(label, minlength=size) >= MIN_CLASS_ROWS
    if not kept.any():
        raise MetricUndefined(
            f"No class has {MIN_CLASS_ROWS} rows, so there is nothing to average.", code="too_few_rows"
        )
    return kept


def evaluate_confusion(metric: ConfusionMetric, sample: Sample) -> Evaluation:
    """Evaluate a metric of the margins: n * w_i * (its derivatives by the margins that row i is part of)."""
    size = max(len(sample.classes), 2)
    label, prediction = np.asarray(sample.label), metric.predict(sample)
    weight = relative_weight(sample)
    margins = count_margins(label, prediction, size, weight)
    kept = select_classes(metric, label, size)
    metric.check(margins)
    value, slope = differentiate_kept(metric.formula, margins, kept)
    influence = slope.actual[label] + slope.predicted[prediction] + np.where(label == prediction, slope.hit[label], 0.0)
    return Evaluation(float(value), weigh(influence * sample.rows, weight), name_left_out(sample, kept))


def name_left_out(sample: Sample, kept: NDArray[Any]) -> tuple[str, ...]:
    left_out = [name for name, is_kept in zip(sample.classes, kept, strict=False) if not is_kept]
    if not left_out:
        return ()
    return (f"Left out of the average, fewer than {MIN_CLASS_ROWS} rows: {', '.join(left_out)}.",)


def confusion_metric(
    name: str, label: str, formula: Formula, *, tasks: frozenset[Task], **details: Any
) -> ConfusionMetric:
    """Return the metric of ``formula``; it reads scores where it has a threshold of its own, else predictions."""
    source = "prediction" if details.get("at_threshold") is None else "scores"
    metric = ConfusionMetric(
        name=name,
        label=label,
        direction=Direction.HIGHER,
        tasks=tasks,
        needs=frozenset({"label", source}),
        formula=formula,
        compute=lambda sample: evaluate_confusion(metric, sample),
        **({"lowest": 0.0, "highest": 1.0} | details),
    )
    return metric
