"""The paired difference of one metric between two models on the same rows, with its interval.

Which interval is taken depends on the metric, on weights and on groups, never on how the comparison comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

import numpy as np

from metricgate.models.equality import knows_equal_value
from metricgate.models.samples import FloatArray, IntArray, Sample, SamplePair
from metricgate.stats.few_units import widen_for_few
from metricgate.stats.interval import (
    Bounds,
    Interval,
    Own,
    PairMeasurement,
    clip_bounds,
    recover_bounds,
    take_wider,
)
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, relative_weight
from metricgate.stats.spread import Difference, bound_by_groups

_CARRIES_MOST = 0.5
NO_INTERVAL = "none"
_IDENTICAL = Interval(se=0.0, method="identical predictions", bounds=lambda _: (0.0, 0.0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrast:
    """Candidate minus ``factor`` times baseline, of one metric on one set of rows.

    Attributes
    ----------
    se : standard error of the estimate.
    identical : the metric is known to be the same for both models, on these rows and on others.
    method : the name of the interval.
    notes : what a reader must know about the value or the interval.
    inconclusive : why there can be no verdict, by a rule fixed beforehand; empty where there can be one.
    """

    metric: Metric
    baseline: float
    candidate: float
    factor: float
    se: float
    rows: int
    identical: bool
    method: str
    find_influence: Callable[[], FloatArray] = field(repr=False)
    bounds: Bounds = field(repr=False)
    own_bounds: Bounds = field(repr=False)
    notes: tuple[str, ...] = ()
    inconclusive: str = ""

    def candidate_interval(self, tail: float) -> tuple[float, float]:
        """Return the interval of the candidate's own value, each bound one-sided at error ``tail``.

        Infinite where the metric has no standard error on these rows.
        """
        return self.own_bounds(tail)

    @property
    def has_interval(self) -> bool:
        """False where the metric has no standard error on these rows; ``interval`` is then infinite."""
        return self.method != NO_INTERVAL

    @property
    def estimate(self) -> float:
        return self.candidate - self.factor * self.baseline

    @property
    def influence(self) -> FloatArray:
        """The influence of each row on the estimate, shape (rows,)."""
        return self.find_influence()

    def interval(self, tail: float) -> tuple[float, float]:
        """Return the lower and the upper bound, each one-sided at error ``tail`` (0.025 each: two-sided 95 %)."""
        return self.bounds(tail)


def contrast(pair: SamplePair, metric: Metric, *, factor: float = 1.0, part: bool = False) -> Contrast:
    """Compare both models of the pair by one metric. Nothing is random, and the order of rows does not matter.

    Parameters
    ----------
    factor : the baseline is multiplied by it: 0.95 where a drop of 5 % is allowed.
    part : the rows are a slice of rows on which the models may differ, so equal answers on them prove no equality.

    Raises
    ------
    MetricUndefined
        ``side`` says for which model.
    """
    measured = _count(pair, metric, factor) or _measure(pair, metric, factor)
    identical = (not part or pair.same_model) and knows_equal_value(
        pair, metric.needs, metric.columns, of_ranks=metric.of_ranks
    )
    interval = _IDENTICAL if identical and factor == 1.0 else measured.interval
    return Contrast(
        metric=metric,
        baseline=measured.baseline,
        candidate=measured.candidate,
        factor=factor,
        se=interval.se,
        rows=pair.rows,
        identical=identical,
        method=interval.method,
        find_influence=measured.find_influence,
        bounds=_clip_difference(interval.bounds, metric, factor),
        own_bounds=clip_bounds(measured.own_bounds, *metric.value_range),
        notes=measured.notes,
        inconclusive=interval.inconclusive,
    )


def _count(pair: SamplePair, metric: Metric, factor: float) -> PairMeasurement | None:
    """Measure both models from counts; None where the metric needs influence values."""
    counted = metric.measure_counts(pair, factor)
    if counted is None or pair.candidate.weight is None:
        return counted
    sides = _evaluate_side(pair.baseline, metric, "baseline"), _evaluate_side(pair.candidate, metric, "candidate")
    return replace(counted, interval=_widen(counted.interval, pair, metric, factor, sides))


def _clip_difference(bounds: Bounds, metric: Metric, factor: float) -> Bounds:
    """Return bounds of candidate minus factor times baseline that both values' range allows."""
    lowest, highest = metric.value_range
    ends = (factor * lowest, factor * highest) if factor else (0.0, 0.0)
    return clip_bounds(bounds, lowest - max(ends), highest - min(ends))


def _measure(pair: SamplePair, metric: Metric, factor: float) -> PairMeasurement:
    """Measure both models from the influence of rows."""
    baseline = _evaluate_side(pair.baseline, metric, "baseline")
    candidate = _evaluate_side(pair.candidate, metric, "candidate")
    notes = (*baseline.notes, *candidate.notes)
    if baseline.influence is None or candidate.influence is None:
        influence = np.zeros(pair.rows)
        own_bounds: Bounds = _unbounded
        interval = Interval(se=0.0, method=NO_INTERVAL, bounds=_unbounded, inconclusive=_explain_no_interval(metric))
    else:
        influence = candidate.influence - (baseline.influence if factor == 1.0 else factor * baseline.influence)
        bound = _bound_rows if pair.group is None else _bound_groups
        interval, own_bounds = bound(pair, metric, factor, (baseline, candidate), influence)
        interval = _widen(interval, pair, metric, factor, (baseline, candidate))
        notes += _flag_single_row(influence)
    return PairMeasurement(
        baseline=baseline.value,
        candidate=candidate.value,
        find_influence=lambda: influence,
        interval=interval,
        own_bounds=own_bounds,
        notes=tuple(dict.fromkeys(notes)),
    )


def _unbounded(_tail: float) -> tuple[float, float]:
    return -inf, inf


def _explain_no_interval(metric: Metric) -> str:
    return metric.refusal or f"{metric.label} has no interval on these rows"


def _evaluate_side(sample: Sample, metric: Metric, side: str) -> Evaluation:
    try:
        return metric.evaluate(sample)
    except MetricUndefined as undefined:
        raise undefined.on_side(side) from undefined


def _bound_groups(
    pair: SamplePair, metric: Metric, factor: float, sides: tuple[Evaluation, Evaluation], influence: FloatArray
) -> tuple[Interval, Bounds]:
    """Return the interval of the contrast, and the bounds of the candidate's own value."""
    estimate = sides[1].value - factor * sides[0].value
    weight = _weigh_for_groups(pair.candidate, metric)
    interval = bound_by_groups(estimate, influence, weight, np.asarray(pair.group))
    if not interval.inconclusive:
        interval = replace(interval, inconclusive=metric.find_heavy_tail(pair.candidate))
    return interval, _bound_side(pair.candidate, metric, sides[1], pair.group)


def _bound_rows(
    pair: SamplePair, metric: Metric, factor: float, sides: tuple[Evaluation, Evaluation], influence: FloatArray
) -> tuple[Interval, Bounds]:
    """Return the interval of the contrast, and the bounds of the candidate's own value."""
    spread = metric.find_spread(pair.candidate)
    parts = np.asarray(sides[0].influence), np.asarray(sides[1].influence)
    difference = Difference(
        estimate=sides[1].value - factor * sides[0].value,
        se=spread.measure(influence),
        factor=factor,
        freedom=spread.freedom,
        influence=influence,
        sides=parts,
    )
    bounds, method = metric.bound_difference(pair, difference)
    bounds = take_wider(bounds, difference.bound_by_skew())
    own = [Own(side.value, spread.measure(part), spread.count) for side, part in zip(sides, parts, strict=True)]
    if not metric.has_own_scale:
        recovered = recover_bounds(
            metric, *own, correlation=difference.correlation, factor=factor, freedom=spread.freedom
        )
        bounds, method = take_wider(bounds, recovered), f"{method}, widened by MOVER"
    inconclusive = metric.find_heavy_tail(pair.candidate)
    interval = Interval(se=difference.se, method=method, bounds=bounds, inconclusive=inconclusive)
    return interval, metric.bound_own(own[1], spread, pair.rows)


def _widen(
    interval: Interval, pair: SamplePair, metric: Metric, factor: float, sides: tuple[Evaluation, Evaluation]
) -> Interval:
    parts = metric.find_contributions(pair, sides, factor)
    estimate = sides[1].value - factor * sides[0].value
    return widen_for_few(interval, estimate, parts, partial(metric.bound_few, parts, pair, sides, factor))


def _flag_single_row(influence: FloatArray) -> tuple[str, ...]:
    total = float(influence @ influence)
    largest = float(max(influence.max(), -influence.min())) ** 2
    if total == 0 or largest / total < _CARRIES_MOST:
        return ()
    return (f"One row carries {largest / total:.0%} of the variance of the difference.",)


def single_interval(
    sample: Sample, metric: Metric, *, tail: float, group: IntArray | None = None
) -> tuple[float, float]:
    """Return the interval of one model's own value, each bound one-sided at error ``tail``.

    Parameters
    ----------
    tail : float in (0, 0.5); 0.025 makes a two-sided interval of 95 %.
    group : codes 0 … G-1 of rows that are not independent, shape (n,); None where all are.

    Raises
    ------
    MetricUndefined
        The metric has no value, or no interval, on these rows.
    """
    evaluation = metric.evaluate(sample)
    if evaluation.influence is None:
        raise MetricUndefined(f"{_explain_no_interval(metric)}.", code="no_interval")
    return clip_bounds(_bound_side(sample, metric, evaluation, group), *metric.value_range)(tail)


def _bound_side(sample: Sample, metric: Metric, evaluation: Evaluation, group: IntArray | None) -> Bounds:
    """Return the bounds of one model's own value."""
    if group is None:
        return metric.bound_value(sample, evaluation)
    influence, weight = np.asarray(evaluation.influence), _weigh_for_groups(sample, metric)
    return bound_by_groups(evaluation.value, influence, weight, group).bounds


def _weigh_for_groups(sample: Sample, metric: Metric) -> FloatArray:
    """Return the weight of each row in its group's share: only rows with the label that a metric is about count."""
    weight = relative_weight(sample)
    if weight is None:
        weight = np.ones(sample.rows)
    if sample.label is None or metric.own_class is None:
        return weight
    chosen = np.where(np.asarray(sample.label) == metric.own_class, weight, 0.0)
    return chosen if chosen.any() else weight  # a class whose rows weigh nothing leaves the whole to be shared
