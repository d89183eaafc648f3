"""Metrics of the confusion matrix, and their intervals from the joint table of both models.

Where few rows are discordant, the plain delta method promises too much: its variance is zero without any. So half a row
is added to each discordant cell of a class, in the manner of Agresti & Min ("Simple improved confidence intervals for
comparing matched proportions", Statistics in Medicine 24, 2005), who do it for proportions.

Counts are skewed: a sample with few of them also shows too little variance, and a loss as large as the margin would
pass in 4 % of test sets instead of 2.5. So each bound is the wider of that one and a score-like one, which takes the
variance at the difference that it refuses (see `count_intervals`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, SamplePair, Task
from metricgate.stats.count_intervals import (
    Cumulants,
    bound_counted,
    bound_paired_proportions,
    bound_proportion,
    bound_with_added_rows,
)
from metricgate.stats.few_units import Contributions, sum_units
from metricgate.stats.interval import Bounds, Interval, Own, PairMeasurement, bound_own, take_wider
from metricgate.stats.joint import JointTable, count_cells, derive_weights
from metricgate.stats.margins import (
    Formula,
    Margins,
    count_margins,
    differentiate_kept,
    name_left_out,
    restrict_margins,
    select_classes,
)
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, relative_weight, require_parts, weigh


@dataclass(frozen=True, kw_only=True)
class ConfusionMetric(Metric):
    """A metric of the confusion matrix's margins.

    Attributes
    ----------
    formula : margins of shape (..., k) to values of shape (...).
    check : raises MetricUndefined where the formula would be 0/0.
    at_threshold : predicts the positive class from scores at or above it, instead of using the predictions.
    macro : an average over classes, which leaves out rare ones.
    is_share, share_of_class : a plain share of hits, among all rows or among those with this label.
    """

    min_weighted_class_rows: ClassVar[int] = 50  # with 32, a recall's interval misses 6.6 % on one side, not 2.5
    formula: Formula = field(repr=False, compare=False)
    check: Callable[[Margins], None] = field(default=lambda _: None, repr=False, compare=False)
    at_threshold: float | None = None
    macro: bool = False
    is_share: bool = False
    share_of_class: int | None = None

    def predict(self, sample: Sample) -> NDArray[Any]:
        """Return the predicted class of each row, shape (n,)."""
        if self.at_threshold is not None:
            return (np.asarray(sample.scores) >= self.at_threshold).astype(np.int8)
        return np.asarray(sample.prediction)

    def count_jointly(self, pair: SamplePair) -> JointTable:
        """Return the pair's rows counted by label and both predictions; metrics of the same predictions share it."""
        key = ("joint table", self.at_threshold, self.macro)
        if key not in pair.memo:
            baseline, candidate = self.predict(pair.baseline), self.predict(pair.candidate)
            pair.memo[key] = count_cells(pair.candidate, baseline, candidate, macro=self.macro)
        table: JointTable = pair.memo[key]
        return table

    def measure_counts(self, pair: SamplePair, factor: float) -> PairMeasurement | None:
        if pair.group is not None:
            return None
        for sample, side in ((pair.baseline, "baseline"), (pair.candidate, "candidate")):
            require_parts(sample, self, side=side)
        table = self.count_jointly(pair)
        weight = relative_weight(pair.candidate)
        is_share = self.is_share and factor == 1.0 and weight is None
        baseline, candidate = _evaluate_table(table, self)
        return PairMeasurement(
            baseline=baseline,
            candidate=candidate,
            find_influence=lambda: _find_influence(table, self.formula, factor, weight),
            interval=bound_paired_share(table, self.share_of_class) if is_share else bound_table(table, self, factor),
            own_bounds=self._bound_candidate(pair.candidate, table, candidate),
            notes=name_left_out(pair.candidate, table.kept),
        )

    def find_contributions(
        self, pair: SamplePair, sides: tuple[Evaluation, Evaluation], factor: float
    ) -> Contributions:
        if not self.is_share:
            parts = super().find_contributions(pair, sides, factor)
            most = pair.rows * (self.highest - self.lowest)  # no row moves a value further than its range
            return parts if pair.group is not None else replace(parts, lowest=-most, highest=most)
        label = np.asarray(pair.candidate.label)
        chosen = slice(None) if self.share_of_class is None else label == self.share_of_class
        before, after = ((self.predict(side) == label)[chosen] * 1.0 for side in (pair.baseline, pair.candidate))
        weight = relative_weight(pair.candidate)
        own = None if weight is None else weight[chosen] / weight[chosen].mean()
        group = None if pair.group is None else np.unique(pair.group[chosen], return_inverse=True)[1]
        values, changes = (sum_units(weigh(after - each * before, own), own, group) for each in (factor, 1.0))
        return Contributions(
            values=values,
            changes=changes,
            lowest=min(-factor, 0.0),
            highest=max(1 - factor, 1.0),
            by_range=True,
        )

    def bound_value(self, sample: Sample, evaluation: Evaluation) -> Bounds:
        if not self.is_share or sample.weight is not None:
            return super().bound_value(sample, evaluation)
        chosen = slice(None) if self.share_of_class is None else np.asarray(sample.label) == self.share_of_class
        hits = (self.predict(sample) == np.asarray(sample.label))[chosen]
        return partial(bound_proportion, float(np.count_nonzero(hits)), float(len(hits)))

    def _bound_candidate(self, sample: Sample, table: JointTable, value: float) -> Bounds:
        if self.is_share and sample.weight is None:
            chosen = table.select_label(self.share_of_class)
            hits = chosen & (table.cells[:, 2] == table.cells[:, 0])
            return partial(bound_proportion, float(table.weight[hits].sum()), float(table.weight[chosen].sum()))
        spread = self.find_spread(sample)
        own = Own(value, _measure_candidate(table, self.formula), spread.count)
        return partial(bound_own, self, own, spread.freedom)


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


def evaluate_confusion(metric: ConfusionMetric, sample: Sample) -> Evaluation:
    """Evaluate a metric of the margins.

    The influence of row i is n * w_i times the sum of the value's derivatives by the margins that the row is part of.

    Raises
    ------
    MetricUndefined
        The metric's check refuses the margins, or no class has enough rows for a macro average.
    """
    size = max(len(sample.classes), 2)
    label, prediction = np.asarray(sample.label), metric.predict(sample)
    weight = relative_weight(sample)
    margins = count_margins(label, prediction, size, weight)
    kept = select_classes(label, size, macro=metric.macro)
    metric.check(margins)
    value, slope = differentiate_kept(metric.formula, margins, kept)
    influence = slope.actual[label] + slope.predicted[prediction] + np.where(label == prediction, slope.hit[label], 0.0)
    return Evaluation(float(value), weigh(influence * sample.rows, weight), name_left_out(sample, kept))


def _evaluate_table(table: JointTable, metric: ConfusionMetric) -> tuple[float, float]:
    """Return the values of baseline and candidate."""
    for side, name in enumerate(("baseline", "candidate")):
        try:
            metric.check(Margins(*(part[side] for part in table.margins)))
        except MetricUndefined as undefined:
            raise undefined.on_side(name) from undefined
    values = metric.formula(restrict_margins(table.margins, table.kept))
    return float(values[0]), float(values[1])


def _find_influence(table: JointTable, formula: Formula, factor: float, weight: FloatArray | None) -> FloatArray:
    """Return the influence of each row on candidate minus ``factor`` times baseline, shape (n,)."""
    _, slopes = differentiate_kept(formula, table.margins, table.kept)
    of_cell = table.derive_cells(slopes, factor) * table.rows
    return weigh(of_cell[table.row_cell], weight)


def _measure_candidate(table: JointTable, formula: Formula) -> float:
    """Return the standard error of the candidate's own value, from its influence values."""
    _, slopes = differentiate_kept(formula, table.margins, table.kept)
    of_cell = table.derive_cells(slopes, factor=0.0)
    return sqrt(float(table.powers[1] @ of_cell**2) * table.rows / max(table.rows - 1, 1))


def bound_table(table: JointTable, metric: ConfusionMetric, factor: float) -> Interval:
    """Bound candidate minus ``factor`` times baseline, with half a row more in each discordant cell of the table."""
    values, slopes = differentiate_kept(metric.formula, _add_rows(table.margins), table.kept)
    variance, third, fourth = _sum_cumulants(table, slopes, factor)
    variance *= table.rows / max(table.rows - 1, 1)
    centre, cumulants = float(values[1] - factor * values[0]), Cumulants(variance, third, fourth)
    baseline, candidate = _evaluate_table(table, metric)

    def bounds(tail: float) -> tuple[float, float]:
        low, high = bound_counted(centre, cumulants, tail)
        estimate = candidate - factor * baseline  # which the added rows move away from, far among a handful of rows
        return min(low, estimate), max(high, estimate)

    return Interval(se=sqrt(variance), method="adjusted delta, widened by score", bounds=bounds)


def _add_rows(margins: Margins) -> Margins:
    """Add one row to each class: half of it a hit, the other half spread over the other classes."""
    return Margins(margins.hit + 0.5, margins.actual + 1.0, margins.predicted + 1.0)


def _sum_cumulants(table: JointTable, slopes: Margins, factor: float) -> list[float]:
    """Sum the second to fourth powers of what each row does to the contrast, those added included."""
    own = table.derive_cells(slopes, factor)
    label, other = (part.ravel() for part in np.indices((table.size, table.size)))
    added = np.where(label == other, 0.0, 0.5 / (table.size - 1))
    right, wrong = (derive_weights(slopes, label, *sides, factor) for sides in ((label, other), (other, label)))
    return [float(table.powers[power - 1] @ own**power + added @ (right**power + wrong**power)) for power in (2, 3, 4)]


def bound_paired_share(table: JointTable, share_of_class: int | None) -> Interval:
    """Bound the difference of two shares of hits, among all rows or those with one label, by score and by added rows.

    Tango's bound away from zero, with which few discordant rows, all lost, show a loss in 4.5 % of test sets instead of
    2.5, is too near; Agresti & Min's bound towards it is. The wider one of each side misses less than 2.5 %.
    """
    label = table.cells[:, 0]
    right, was_right = table.cells[:, 2] == label, table.cells[:, 1] == label
    chosen = table.select_label(share_of_class)
    rows, gained, lost = (
        float(table.weight[chosen & which].sum()) for which in (chosen, right & ~was_right, was_right & ~right)
    )
    variance = (gained + lost - (gained - lost) ** 2 / rows) / rows**2
    return Interval(
        se=sqrt(variance),
        method="Tango score, widened by Agresti & Min",
        bounds=take_wider(
            partial(bound_paired_proportions, gained, lost, rows), partial(bound_with_added_rows, gained, lost, rows)
        ),
    )
