"""Metrics of predicted numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats.error_quantile import evaluate_quantile
from metricgate.stats.metric import (
    Evaluation,
    Metric,
    MetricUndefined,
    evaluate_mean,
    mean_metric,
    relative_weight,
)

REGRESSION: frozenset[Task] = frozenset({"regression"})
_NEEDS = frozenset({"label", "prediction"})


@dataclass(frozen=True, kw_only=True)
class SquareRootMetric(Metric):
    """The square root of a mean of one number per row."""

    row_values: Callable[[Sample], FloatArray] = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class DeterminationMetric(Metric):
    """R²: one minus the squared errors as a share of the labels' squared deviations."""


def _errors(sample: Sample) -> FloatArray:
    errors: FloatArray = np.asarray(sample.prediction) - np.asarray(sample.label)
    return errors


def _row_absolute_error(sample: Sample) -> FloatArray:
    return np.abs(_errors(sample))


def row_squared_error(sample: Sample) -> FloatArray:
    return np.square(_errors(sample))


def row_squared_deviation(sample: Sample) -> FloatArray:
    """Return the squared distance of each label from their weighted mean."""
    label = np.asarray(sample.label, dtype=np.float64)
    squares: FloatArray = np.square(label - np.average(label, weights=sample.weight))
    return squares


def _row_percentage_error(sample: Sample) -> FloatArray:
    label = np.asarray(sample.label)
    if not label.all():
        raise MetricUndefined("A label is zero, so its percentage error is undefined.", code="zero_label")
    ratio: FloatArray = np.abs(_errors(sample) / label)
    return ratio


def _row_pinball(sample: Sample, level: float) -> FloatArray:
    errors = _errors(sample)
    return np.maximum((level - 1) * -errors, level * -errors)


def _evaluate_root(sample: Sample) -> Evaluation:
    square = evaluate_mean(row_squared_error(sample), sample)
    root = float(np.sqrt(square.value))
    influence = np.asarray(square.influence)
    return Evaluation(root, influence / (2 * root) if root > 0 else np.zeros_like(influence))


def _evaluate_determination(sample: Sample) -> Evaluation:
    error = evaluate_mean(row_squared_error(sample), sample)
    spread = evaluate_mean(row_squared_deviation(sample), sample)
    if spread.value == 0:
        raise MetricUndefined("All labels are equal, so R² is undefined.", code="constant")
    ratio = error.value / spread.value
    influence = (ratio * np.asarray(spread.influence) - np.asarray(error.influence)) / spread.value
    return Evaluation(1 - ratio, influence)


def _evaluate_bias(sample: Sample) -> Evaluation:
    mean = evaluate_mean(_errors(sample), sample)
    sign = -1.0 if mean.value < 0 else 1.0
    return Evaluation(abs(mean.value), sign * np.asarray(mean.influence))


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


def _mean_loss(name: str, label: str, row_values: Callable[[Sample], FloatArray]) -> Metric:
    return mean_metric(name, label, row_values, tasks=REGRESSION, needs=_NEEDS, lowest=0.0)


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
            compute=_evaluate_root,
            row_values=row_squared_error,
            lowest=0.0,
            **base,
        ),
        DeterminationMetric(
            name="r2",
            label="R²",
            direction=Direction.HIGHER,
            compute=_evaluate_determination,
            highest=1.0,
            **base,
        ),
        _mean_loss("mean_squared_error", "MSE", row_squared_error),
        _mean_loss("mean_absolute_percentage_error", "MAPE", _row_percentage_error),
        absolute_error_quantile("median_absolute_error", "median absolute error", 0.5),
        replace(_of_errors("mean_bias", "mean bias (absolute)", _evaluate_bias), symmetric=True),
    )
