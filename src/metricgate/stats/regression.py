"""Metrics of predicted numbers."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats.bias import BiasMetric, evaluate_bias
from metricgate.stats.distributions import normal_quantile
from metricgate.stats.metric import (
    Evaluation,
    Metric,
    MetricUndefined,
    mean_metric,
    relative_weight,
)
from metricgate.stats.squares import (
    DeterminationMetric,
    SquareRootMetric,
    evaluate_determination,
    evaluate_root,
    find_errors,
    find_heavy_squares,
    find_labels_near_zero,
    row_squared_error,
)

REGRESSION: frozenset[Task] = frozenset({"regression"})
_NEEDS = frozenset({"label", "prediction"})


def _row_absolute_error(sample: Sample) -> FloatArray:
    return np.abs(find_errors(sample))


def _row_percentage_error(sample: Sample) -> FloatArray:
    label = np.asarray(sample.label)
    if not label.all():
        raise MetricUndefined("A label is zero, so its percentage error is undefined.", code="zero_label")
    ratio: FloatArray = np.abs(find_errors(sample) / label)
    return ratio


def _row_pinball(sample: Sample, level: float) -> FloatArray:
    errors = find_errors(sample)
    return np.maximum((level - 1) * -errors, level * -errors)


class _Ordered(NamedTuple):
    values: FloatArray
    reached: FloatArray  # the share of the weight at or below each value
    total: float


def _sort(values: FloatArray, weight: FloatArray | None) -> _Ordered:
    order = np.argsort(values, kind="stable")
    sums = np.arange(1.0, len(values) + 1) if weight is None else np.cumsum(weight[order])
    return _Ordered(values[order], sums, float(sums[-1]))


def _find(ordered: _Ordered, level: float) -> float:
    """Return the quantile where the summed weight passes ``level``; exactly there, the mean of both neighbours."""
    target = level * ordered.total
    tolerance = 1e-12 * ordered.total
    first, last = np.searchsorted(ordered.reached, [target - tolerance, target + tolerance], side="left")
    last = min(last, len(ordered.values) - 1)
    return float(ordered.values[first] + ordered.values[last]) / 2


def evaluate_quantile(values: FloatArray, level: float, weight: FloatArray | None) -> Evaluation:
    """Evaluate a quantile; a row's influence is (level - [value at or below it]) / density at the quantile.

    The density is the difference quotient of quantiles at the bandwidth of Hall & Sheather (1988). Where the
    values are tied, so that there is no density, there is no influence.
    """
    ordered = _sort(values, weight)
    quantile = _find(ordered, level)
    half = min(_find_bandwidth(len(values), level), level / 2, (1 - level) / 2)
    width = _find(ordered, level + half) - _find(ordered, level - half)
    if width <= 0:
        return Evaluation(quantile, None, ("The values are tied at the quantile, so it has no interval.",))
    below = np.where(values < quantile, 1.0, np.where(values == quantile, 0.5, 0.0))
    reached = float(below.mean() if weight is None else (below * weight).mean())
    influence = (reached - below) * (width / (2 * half))
    return Evaluation(quantile, influence if weight is None else influence * weight)


def _find_bandwidth(rows: int, level: float) -> float:
    normal = normal_quantile(1 - level)
    density = np.exp(-(normal**2) / 2) / np.sqrt(2 * np.pi)
    reach = normal_quantile(0.025)
    return float(rows ** (-1 / 3) * reach ** (2 / 3) * (1.5 * density**2 / (2 * normal**2 + 1)) ** (1 / 3))


def absolute_error_quantile(name: str, label: str, level: float) -> Metric:
    """Return the quantile of absolute errors at ``level``, 0.5 being the median."""
    return _of_errors(
        name,
        label,
        lambda sample: evaluate_quantile(_row_absolute_error(sample), level, relative_weight(sample)),
    )


def pinball_loss(level: float) -> Metric:
    """Return the loss that a forecast of the quantile at ``level`` minimises."""
    name, label = f"mean_pinball_loss@{level:g}", f"pinball loss at {level:g}"
    return _mean_loss(name, label, lambda sample: _row_pinball(sample, level))


def _mean_loss(name: str, label: str, row_values: Callable[[Sample], FloatArray], **details: Any) -> Metric:
    return mean_metric(name, label, row_values, tasks=REGRESSION, needs=_NEEDS, lowest=0.0, **details)


def _of_errors(name: str, label: str, compute: Callable[[Sample], Evaluation]) -> Metric:
    return Metric(
        name=name,
        label=label,
        direction=Direction.LOWER,
        tasks=REGRESSION,
        needs=_NEEDS,
        compute=compute,
        lowest=0.0,
    )


def list_regression() -> tuple[Metric, ...]:
    """Return the metrics of predicted numbers that need no parameter, main ones first."""
    base: dict[str, Any] = {"tasks": REGRESSION, "needs": _NEEDS}
    return (
        _mean_loss("mean_absolute_error", "MAE", _row_absolute_error),
        SquareRootMetric(
            name="root_mean_squared_error",
            label="RMSE",
            direction=Direction.LOWER,
            compute=evaluate_root,
            lowest=0.0,
            find_heavy_tail=partial(find_heavy_squares, max_relative_error=0.3),
            **base,
        ),
        DeterminationMetric(
            name="r2",
            label="R²",
            direction=Direction.HIGHER,
            compute=evaluate_determination,
            highest=1.0,
            find_heavy_tail=partial(find_heavy_squares, max_relative_error=0.3),
            **base,
        ),
        _mean_loss(
            "mean_squared_error",
            "MSE",
            row_squared_error,
            find_heavy_tail=partial(find_heavy_squares, max_relative_error=0.15),
        ),
        _mean_loss(
            "mean_absolute_percentage_error", "MAPE", _row_percentage_error, find_heavy_tail=find_labels_near_zero
        ),
        absolute_error_quantile("median_absolute_error", "median absolute error", 0.5),
        BiasMetric(
            name="mean_bias",
            label="mean bias (absolute)",
            direction=Direction.LOWER,
            compute=evaluate_bias,
            lowest=0.0,
            symmetric=True,
            **base,
        ),
    )
