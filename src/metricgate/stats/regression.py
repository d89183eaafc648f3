"""Metrics of predicted numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats.metric import Evaluation, Metric, evaluate_mean, mean_metric

REGRESSION: frozenset[Task] = frozenset({"regression"})
_NEEDS = frozenset({"label", "prediction"})


@dataclass(frozen=True, kw_only=True)
class SquareRootMetric(Metric):
    """The square root of a mean of one number per row."""

    row_values: Callable[[Sample], FloatArray] = field(repr=False, compare=False)


def _errors(sample: Sample) -> FloatArray:
    errors: FloatArray = np.asarray(sample.prediction) - np.asarray(sample.label)
    return errors


def row_absolute_error(sample: Sample) -> FloatArray:
    return np.abs(_errors(sample))


def row_squared_error(sample: Sample) -> FloatArray:
    return np.square(_errors(sample))


def evaluate_root(sample: Sample) -> Evaluation:
    """Evaluate the root of the mean squared error; zero error everywhere has zero influence."""
    square = evaluate_mean(row_squared_error(sample), sample)
    root = float(np.sqrt(square.value))
    influence = np.asarray(square.influence)
    return Evaluation(root, influence / (2 * root) if root > 0 else np.zeros_like(influence))


def list_regression() -> tuple[Metric, ...]:
    """Return the metrics of predicted numbers, main ones first."""
    return (
        mean_metric("mean_absolute_error", "MAE", row_absolute_error, tasks=REGRESSION, needs=_NEEDS, lowest=0.0),
        SquareRootMetric(
            name="root_mean_squared_error",
            label="RMSE",
            direction=Direction.LOWER,
            tasks=REGRESSION,
            needs=_NEEDS,
            compute=evaluate_root,
            row_values=row_squared_error,
            lowest=0.0,
        ),
    )
