"""What a metric is: a number computed from rows, with one influence value per row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.outcome import Direction, UndefinedCode
from metricgate.models.samples import FloatArray, Sample, Task


class MetricUndefined(Exception):  # noqa: N818 - a state of the data that callers turn into notes and outcomes
    """The metric has no value on these rows.

    Attributes
    ----------
    reason : one sentence for people.
    code : one_class, too_few_rows, no_rows, zero_label, zero_denominator, zero_weight, never_predicted, constant,
        not_probabilities, not_finite, missing_columns.
    side : "baseline" or "candidate" where a pair was evaluated, else "".
    """

    def __init__(self, reason: str, *, code: UndefinedCode, side: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.side = side


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The value of a metric and the influence of each row on it.

    ``influence[i]`` is ``n * w[i] * d value / d w[i]`` at the given weights w: what row i does to the value. It sums to
    zero, and ``sum(influence**2) / n**2`` estimates the variance of the value. None where no such derivative exists.
    """

    value: float
    influence: FloatArray | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric that can be computed from a sample.

    Attributes
    ----------
    name : canonical name: scikit-learn's scorer without ``neg_``, with ``@parameter`` or ``[class]`` where it has one.
    label : the name for people.
    needs : the parts of a sample it reads: "label", "prediction", "scores".
    columns : the numeric columns a formula reads.
    lowest, highest : the values it can take at all.
    per_class_rows : a slice needs ten rows of each of two classes.
    of_class : the index of the one class it is about; a slice needs ten rows of it.
    gateable, refusal : whether a gate may use it, and if not, why and what to use instead.
    symmetric : its values gather at a bound of its range, so no other scale suits its intervals.
    is_top_share : a share of the rows with the highest scores.
    directed : False for formulas: the key of the gate says which way is better.
    """

    name: str
    label: str
    direction: Direction
    tasks: frozenset[Task]
    needs: frozenset[str]
    compute: Callable[[Sample], Evaluation] = field(repr=False, compare=False)
    columns: tuple[str, ...] = ()
    lowest: float = -inf
    highest: float = inf
    per_class_rows: bool = False
    of_class: int | None = None
    gateable: bool = True
    refusal: str = ""
    symmetric: bool = False
    is_top_share: bool = False
    directed: bool = True

    def evaluate(self, sample: Sample) -> Evaluation:
        """Compute the value and the influence of each row.

        Raises
        ------
        MetricUndefined
            Where the rows do not allow a value.
        """
        require_parts(sample, self)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            evaluation = self.compute(sample)
        if not np.isfinite(evaluation.value):
            raise MetricUndefined(f"{self.label} is not a finite number on these rows.", code="not_finite")
        return evaluation


def require_parts(sample: Sample, metric: Metric, *, side: str = "") -> None:
    """Raise where the sample lacks rows, weight or a part that the metric reads."""
    if sample.rows == 0:
        raise MetricUndefined("There are no rows.", code="no_rows", side=side)
    absent = sorted(part for part in metric.needs if getattr(sample, part) is None)
    absent += [f"column {name!r}" for name in metric.columns if name not in sample.columns]
    if absent:
        reason = f"{metric.label} needs {', '.join(absent)}, which these rows lack."
        raise MetricUndefined(reason, code="missing_columns", side=side)
    if sample.weight is not None and not sample.weight.sum() > 0:
        raise MetricUndefined("The weights of these rows sum to zero.", code="zero_weight", side=side)


def relative_weight(sample: Sample) -> FloatArray | None:
    """Return the weights scaled to a mean of one, or None where all rows count the same; zeros stay zeros."""
    if sample.weight is None:
        return None
    total = float(sample.weight.sum())
    return sample.weight * (sample.rows / total) if total > 0 else sample.weight


def weigh(values: NDArray[Any], weight: FloatArray | None) -> FloatArray:
    """Multiply row values by their relative weights."""
    result: FloatArray = values if weight is None else values * weight
    return result


def evaluate_mean(values: FloatArray, sample: Sample) -> Evaluation:
    """Evaluate the weighted mean of one number per row."""
    weight = relative_weight(sample)
    mean = float(values.mean() if weight is None else (values * weight).mean())
    return Evaluation(mean, weigh(values - mean, weight))


@dataclass(frozen=True, kw_only=True)
class MeanMetric(Metric):
    """A metric that is a mean of one number per row."""

    row_values: Callable[[Sample], FloatArray] = field(repr=False, compare=False)


def mean_metric(
    name: str,
    label: str,
    row_values: Callable[[Sample], FloatArray],
    *,
    tasks: frozenset[Task],
    needs: frozenset[str],
    direction: Direction = Direction.LOWER,
    **details: Any,
) -> MeanMetric:
    """Return the metric that averages ``row_values``."""
    return MeanMetric(
        name=name,
        label=label,
        direction=direction,
        tasks=tasks,
        needs=needs,
        row_values=row_values,
        compute=lambda sample: evaluate_mean(row_values(sample), sample),
        **details,
    )
