"""The margins of a confusion matrix, and the derivatives of formulas by them.

Accuracy, precision, recall, F-beta, Jaccard, MCC and kappa, averaged in any way, need only the diagonal, the row sums
and the column sums. One formula per metric then serves the value, its gradient (by a complex step, exact to rounding)
and thousands of resampled tables at once, for two classes as for a thousand.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, Sample
from metricgate.stats.metric import MetricUndefined

MIN_CLASS_ROWS = 10
"""A macro average leaves out classes with fewer rows: one row would move it by more than 1/10 of 1/k."""
_STEP = 1e-30  # of the complex step, which subtracts nothing and so may be arbitrarily small
_DIRECTIONS_AT_ONCE = 256


class Margins(NamedTuple):
    """Sums of weights per class, arrays of shape (..., k): rows hit, rows with the label, rows with the prediction."""

    hit: NDArray[Any]
    actual: NDArray[Any]
    predicted: NDArray[Any]


Formula = Callable[[Margins], Any]


def count_margins(label: NDArray[Any], prediction: NDArray[Any], size: int, weight: FloatArray | None) -> Margins:
    """Sum the weights of the rows into margins of ``size`` classes; unweighted sums count rows."""
    hits = label == prediction
    return Margins(
        hit=np.bincount(label[hits], None if weight is None else weight[hits], size).astype(np.float64),
        actual=np.bincount(label, weight, size).astype(np.float64),
        predicted=np.bincount(prediction, weight, size).astype(np.float64),
    )


def restrict_margins(margins: Margins, kept: NDArray[Any]) -> Margins:
    """Return the margins of the classes in ``kept``, a boolean mask of shape (k,)."""
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
    """Return values, and derivatives by the margins of all classes, of a formula that reads the kept ones alone."""
    if kept.all():
        return differentiate(formula, margins)
    values, slopes = differentiate(formula, restrict_margins(margins, kept))
    whole = Margins(*(np.zeros(part.shape) for part in margins))
    for target, part in zip(whole, slopes, strict=True):
        target[..., kept] = part
    return values, whole


def divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[Any]:
    """Return the ratio, with 0 for 0/0 as scikit-learn has it for a class that is never predicted."""
    empty = np.real(denominator) == 0
    ratio: NDArray[Any] = np.where(empty, 0, numerator / np.where(empty, 1, denominator))
    return ratio


def select_classes(label: NDArray[Any], size: int, *, macro: bool) -> NDArray[Any]:
    """Return which classes are averaged over, shape (size,): for macro averages those with enough rows, else all.

    Raises
    ------
    MetricUndefined
        No class has enough rows for a macro average.
    """
    if not macro:
        return np.ones(size, dtype=np.bool_)
    kept: NDArray[Any] = np.bincount(label, minlength=size) >= MIN_CLASS_ROWS
    if not kept.any():
        raise MetricUndefined(
            f"No class has {MIN_CLASS_ROWS} rows, so there is nothing to average.", code="too_few_rows"
        )
    return kept


def name_left_out(sample: Sample, kept: NDArray[Any]) -> tuple[str, ...]:
    """Return a note that names the classes left out of an average; empty where all are kept."""
    left_out = [name for name, is_kept in zip(sample.classes, kept, strict=False) if not is_kept]
    if not left_out:
        return ()
    return (f"Left out of the average, fewer than {MIN_CLASS_ROWS} rows: {', '.join(left_out)}.",)
