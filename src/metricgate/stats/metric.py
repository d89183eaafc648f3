"""What a metric is: a number computed from rows, with one influence value per row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf, isinf
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from metricgate.models.outcome import Direction, UndefinedCode
from metricgate.models.samples import FloatArray, Sample, SamplePair, Task
from metricgate.stats.few_units import Contributions, find_differing, sum_units
from metricgate.stats.interval import Bounds, Own, PairMeasurement, ValueRange, bound_own
from metricgate.stats.spread import Difference, Spread, know_variance

MIN_SLICE_CLASS_ROWS = 10
"""Of each class: with fewer, simultaneous bounds of slice AUCs raise 15 to 23 % false alarms, not 2.5."""


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

    def on_side(self, side: str) -> "MetricUndefined":
        """Return the same reason as of this side of a pair."""
        return MetricUndefined(self.reason, code=self.code, side=side)


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
class Metric(ValueRange):
    """A metric that can be computed from a sample, and how its intervals are made.

    The range of its values and what they gather at are those of `ValueRange`.

    Attributes
    ----------
    name : canonical name: scikit-learn's scorer without ``neg_``, with ``@parameter`` or ``[class]`` where it has one.
    label : the name for people.
    needs : the parts of a sample it reads: "label", "prediction", "scores".
    columns : the numeric columns a formula reads.
    per_class_rows : a slice needs ten rows of each of two classes.
    of_class : the index of the one class it is about; a slice needs ten rows of it.
    gateable, refusal : whether a gate may use it, and if not, why and what to use instead.
    directed : False for formulas: the key of the gate says which way is better.
    find_heavy_tail : returns why the labels of a sample alone forbid a verdict; empty where they allow one.
    of_ranks : it reads nothing but the order of the scores.
    min_weighted_class_rows : how many effective rows of a class are needed where rows have weights.
    """

    of_ranks: ClassVar[bool] = False
    min_weighted_class_rows: ClassVar[int] = MIN_SLICE_CLASS_ROWS
    name: str
    label: str
    direction: Direction
    tasks: frozenset[Task]
    needs: frozenset[str]
    compute: Callable[[Sample], Evaluation] = field(repr=False, compare=False)
    columns: tuple[str, ...] = ()
    per_class_rows: bool = False
    of_class: int | None = None
    gateable: bool = True
    refusal: str = ""
    directed: bool = True
    find_heavy_tail: Callable[[Sample], str] = field(default=lambda _: "", repr=False, compare=False)

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

    @property
    def value_range(self) -> tuple[float, float]:
        """The lowest and the highest value that the metric can have on any rows; infinite where nothing bounds it."""
        return self.lowest, self.highest

    @property
    def own_class(self) -> int | None:
        """The label that the metric is about, the positive one of two classes; None where it is about all rows."""
        return 1 if self.of_class is None and self.per_class_rows else self.of_class

    def find_spread(self, sample: Sample) -> Spread:
        """Return how influence values of these rows are summed into a standard error: here, all rows alike."""
        return Spread(count=count_effective_rows(sample), positive=None)

    def measure_counts(self, pair: SamplePair, factor: float) -> PairMeasurement | None:
        """Return candidate minus ``factor`` times baseline from counts; None where influence values are needed."""
        del pair, factor
        return None

    def bound_difference(self, pair: SamplePair, difference: Difference) -> tuple[Bounds, str]:
        """Return the bounds of a difference on the metric's own scale, and the name of the method."""
        del pair
        freedom = min(difference.freedom, know_variance(difference.influence, difference.of_both))
        return difference.bound_by_student(freedom), "Student's t"

    def find_change(self, pair: SamplePair, sides: tuple[Evaluation, Evaluation]) -> FloatArray:
        """Return by how much each row moves candidate minus baseline: zero where both models answer alike."""
        influence = np.asarray(sides[1].influence) - np.asarray(sides[0].influence)
        return np.where(find_differing(pair, self.needs, self.columns), influence, 0.0)

    def find_contributions(
        self, pair: SamplePair, sides: tuple[Evaluation, Evaluation], factor: float
    ) -> Contributions:
        """Return what each unit contributes to candidate minus ``factor`` times baseline; here, its influence."""
        influence = np.asarray(sides[1].influence) - factor * np.asarray(sides[0].influence)
        weight = relative_weight(pair.candidate)
        values, changes = (sum_units(each, weight, pair.group) for each in (influence, self.find_change(pair, sides)))
        return Contributions(values=values, changes=changes)

    def bound_few(
        self, parts: Contributions, pair: SamplePair, sides: tuple[Evaluation, Evaluation], factor: float
    ) -> Bounds:
        """Return bounds of the difference that hold however few units differ."""
        del pair
        return parts.bound(sides[1].value - factor * sides[0].value)

    def bound_value(self, sample: Sample, evaluation: Evaluation) -> Bounds:
        """Return the bounds of one model's own value, from its influence values; they keep nothing of the rows."""
        spread = self.find_spread(sample)
        own = Own(evaluation.value, spread.measure(np.asarray(evaluation.influence)), spread.count)
        return self.bound_own(own, spread, sample.rows)

    def bound_own(self, own: Own, spread: Spread, rows: int) -> Bounds:
        """Return the bounds of one model's value with this standard error; one row alone bounds nothing."""
        return partial(bound_own, self, own, spread.freedom) if rows > 1 else lambda _: (self.lowest, self.highest)


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


def count_effective_rows(sample: Sample) -> float:
    """Return n, or with weights (sum w)² / sum w²: the number of equally weighted rows that would tell as much."""
    weight = relative_weight(sample)
    return sample.rows if weight is None else sample.rows**2 / float(weight @ weight)


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
    """The mean of one number per row.

    Attributes
    ----------
    row_range : what one row's number can be; infinite where nothing bounds it.
    find_worst : returns the highest number that a row could have with the answers that a model gives on some row.
    """

    row_values: Callable[[Sample], FloatArray] = field(repr=False, compare=False)
    row_range: tuple[float, float] = (-inf, inf)
    find_worst: Callable[[Sample], float] | None = field(default=None, repr=False, compare=False)

    @property
    def value_range(self) -> tuple[float, float]:
        return max(self.lowest, self.row_range[0]), min(self.highest, self.row_range[1])

    def find_row_range(self, pair: SamplePair) -> tuple[float, float]:
        """Return what one row's number can be, judging by these rows."""
        if self.find_worst is None:
            return self.row_range
        worst = max(self.find_worst(pair.baseline), self.find_worst(pair.candidate))
        return self.row_range[0], min(self.row_range[1], worst)

    def find_contributions(
        self, pair: SamplePair, sides: tuple[Evaluation, Evaluation], factor: float
    ) -> Contributions:
        del sides
        lowest, highest = self.find_row_range(pair)
        weight = relative_weight(pair.candidate)
        values, changes = (sum_units(self._subtract(pair, each), weight, pair.group) for each in (factor, 1.0))
        if isinf(lowest) or isinf(highest):
            return Contributions(values=values, changes=changes)
        ends = (factor * lowest, factor * highest)
        return Contributions(
            values=values, changes=changes, lowest=lowest - max(ends), highest=highest - min(ends), by_range=True
        )

    def _subtract(self, pair: SamplePair, factor: float) -> FloatArray:
        values = self.row_values(pair.candidate) - factor * self.row_values(pair.baseline)
        return weigh(values, relative_weight(pair.candidate))


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
