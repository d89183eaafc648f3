"""The paired difference of one metric between two models on the same rows, with its interval.

Which interval is taken depends on the metric, on weights and on groups, never on how the comparison comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf, sqrt

import numpy as np

from metricgate.models.samples import FloatArray, IntArray, Sample, SamplePair
from metricgate.stats.confusion import ConfusionMetric, name_left_out
from metricgate.stats.groups import bound_by_groups, share_groups
from metricgate.stats.interval import (
    Bounds,
    Interval,
    Own,
    bound_by_student,
    bound_own,
    has_own_scale,
    recover_bounds,
    take_wider,
)
from metricgate.stats.joint import (
    JointTable,
    bound_from_table,
    bound_paired_share,
    count_hits,
    count_jointly,
    evaluate_table,
    influence_of_rows,
    measure_candidate,
)
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, relative_weight, require_parts
from metricgate.stats.proportions import bound_proportion
from metricgate.stats.ranking import RankMetric
from metricgate.stats.regression import DeterminationMetric, SquareRootMetric
from metricgate.stats.spread import find_spread, know_variance
from metricgate.stats.squares import bound_determination, bound_root, find_heavy_tail

_CARRIES_MOST = 0.5
NO_INTERVAL = "none"


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrast:
    """Candidate minus ``factor`` times baseline, of one metric on one set of rows.

    Attributes
    ----------
    se : standard error of the estimate.
    identical : what the metric reads is the same for both models on all rows.
    method : the name of the interval.
    notes : what a reader must know about the value or the interval.
    inconclusive : why no verdict can be had, by a rule fixed beforehand; empty where one can.
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
    part : the rows are a slice of rows on which the models differ, so equality on them proves no equality.

    Raises
    ------
    MetricUndefined
        ``side`` says for which model.
    """
    identical = is_identical(pair, metric)
    measured = _measure(pair, metric, factor)
    interval = measured.interval
    if identical and factor == 1.0:
        interval = _judge_identical(interval, metric, certain=not part and _is_unchanged(pair))
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
        bounds=interval.bounds,
        own_bounds=measured.own_bounds,
        notes=measured.notes,
        inconclusive=interval.inconclusive,
    )


def is_identical(pair: SamplePair, metric: Metric) -> bool:
    """Say whether everything that the metric reads is equal for both models on all rows."""
    parts = [(getattr(pair.baseline, part), getattr(pair.candidate, part)) for part in metric.needs]
    parts += [(pair.baseline.columns.get(name), pair.candidate.columns.get(name)) for name in metric.columns]
    return all(one is other or np.array_equal(one, other) for one, other in parts)


def _is_unchanged(pair: SamplePair) -> bool:
    """Say whether nothing at all differs: equal predicted labels of models whose scores differ prove no equality."""
    parts = [(getattr(pair.baseline, part), getattr(pair.candidate, part)) for part in ("prediction", "scores")]
    names = {*pair.baseline.columns, *pair.candidate.columns}
    parts += [(pair.baseline.columns.get(name), pair.candidate.columns.get(name)) for name in names]
    return all(one is other or np.array_equal(one, other) for one, other in parts)


def _judge_identical(interval: Interval, metric: Metric, *, certain: bool) -> Interval:
    if certain:
        return Interval(se=0.0, method="identical predictions", bounds=lambda _: (0.0, 0.0))
    if isinstance(metric, ConfusionMetric) or interval.inconclusive:
        return interval
    reason = "no prediction differs on these rows, so nothing tells how much others would"
    return Interval(se=0.0, method=interval.method, bounds=lambda _: (0.0, 0.0), inconclusive=reason)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Measured:
    baseline: float
    candidate: float
    find_influence: Callable[[], FloatArray]
    interval: Interval
    own_bounds: Bounds
    notes: tuple[str, ...]


def _measure(pair: SamplePair, metric: Metric, factor: float) -> _Measured:
    if isinstance(metric, ConfusionMetric) and pair.group is None:
        return _measure_table(pair, metric, factor)
    baseline = _evaluate_side(pair.baseline, metric, "baseline")
    candidate = _evaluate_side(pair.candidate, metric, "candidate")
    notes = (*baseline.notes, *candidate.notes)
    if baseline.influence is None or candidate.influence is None:
        influence = np.zeros(pair.rows)
        own_bounds: Bounds = _unbounded
        interval = Interval(se=0.0, method=NO_INTERVAL, bounds=_unbounded, inconclusive=_say_no_interval(metric))
    else:
        influence = candidate.influence - (baseline.influence if factor == 1.0 else factor * baseline.influence)
        interval, own_bounds = _bound_influence(pair, metric, factor, (baseline, candidate), influence)
        notes += _flag_single_row(influence)
    return _Measured(
        baseline=baseline.value,
        candidate=candidate.value,
        find_influence=lambda: influence,
        interval=interval,
        own_bounds=own_bounds,
        notes=tuple(dict.fromkeys(notes)),
    )


def _unbounded(_tail: float) -> tuple[float, float]:
    return -inf, inf


def _say_no_interval(metric: Metric) -> str:
    return metric.refusal or f"{metric.label} has no interval on these rows"


def _evaluate_side(sample: Sample, metric: Metric, side: str) -> Evaluation:
    try:
        return metric.evaluate(sample)
    except MetricUndefined as undefined:
        raise MetricUndefined(undefined.reason, code=undefined.code, side=side) from undefined


def _measure_table(pair: SamplePair, metric: ConfusionMetric, factor: float) -> _Measured:
    for sample, side in ((pair.baseline, "baseline"), (pair.candidate, "candidate")):
        require_parts(sample, metric, side=side)
    table = count_jointly(pair, metric)
    weight = relative_weight(pair.candidate)
    is_share = metric.is_share and factor == 1.0 and weight is None
    baseline, candidate = evaluate_table(table, metric)
    return _Measured(
        baseline=baseline,
        candidate=candidate,
        find_influence=lambda: influence_of_rows(table, metric, factor, weight),
        interval=bound_paired_share(table, metric) if is_share else bound_from_table(table, metric, factor),
        own_bounds=_bound_table_side(pair.candidate, table, metric, candidate),
        notes=name_left_out(pair.candidate, table.kept),
    )


def _bound_influence(
    pair: SamplePair, metric: Metric, factor: float, sides: tuple[Evaluation, Evaluation], influence: FloatArray
) -> tuple[Interval, Bounds]:
    """Return the interval of the contrast, and the bounds of the candidate's own value."""
    estimate = sides[1].value - factor * sides[0].value
    if pair.group is not None:
        shares = share_groups(pair.candidate, metric, pair.group)
        grouped = bound_by_groups(estimate, influence, shares, pair.group)
        if not grouped.inconclusive:
            grouped = replace(grouped, inconclusive=find_heavy_tail(pair.candidate, metric))
        return grouped, _bound_side(pair.candidate, metric, sides[1], pair.group)
    spread = find_spread(pair.candidate, metric)
    se = spread.measure(influence)
    own_influence = [np.asarray(side.influence) for side in sides]
    is_mean = not isinstance(metric, RankMetric | DeterminationMetric | SquareRootMetric)
    known = know_variance(influence, factor * own_influence[0] + own_influence[1]) if is_mean else inf
    student = partial(bound_by_student, estimate, se, min(spread.freedom, known))
    own = [Own(side.value, spread.measure(part), spread.count) for side, part in zip(sides, own_influence, strict=True)]
    recovered = recover_bounds(
        metric, own[0], own[1], correlation=_correlate(*sides), factor=factor, freedom=spread.freedom
    )
    if isinstance(metric, DeterminationMetric):
        first, method = bound_determination(pair, factor, spread.freedom), "linear contrast of squares"
    elif isinstance(metric, SquareRootMetric):
        first, method = bound_root(pair, factor, spread.freedom), "linear contrast of squares"
    elif isinstance(metric, RankMetric):
        first, method = student, "DeLong" if metric.is_area else "influence values"
    else:
        first, method = student, "Student's t"
    if not has_own_scale(metric):
        first, method = take_wider(first, recovered), f"{method}, widened by MOVER"
    interval = Interval(se=se, method=method, bounds=first, inconclusive=find_heavy_tail(pair.candidate, metric))
    return interval, partial(bound_own, metric, own[1], spread.freedom)


def _correlate(baseline: Evaluation, candidate: Evaluation) -> float:
    one, other = np.asarray(baseline.influence), np.asarray(candidate.influence)
    scale = sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / scale if scale > 0 else 0.0


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

    Raises
    ------
    MetricUndefined
        The metric has no value, or no interval, on these rows.
    """
    evaluation = metric.evaluate(sample)
    if evaluation.influence is None:
        raise MetricUndefined(f"{_say_no_interval(metric)}.", code="no_interval")
    return _bound_side(sample, metric, evaluation, group)(tail)


def _bound_side(sample: Sample, metric: Metric, evaluation: Evaluation, group: IntArray | None) -> Bounds:
    """Return the bounds of one model's own value, from counts and one standard error: nothing of the rows is kept."""
    influence = np.asarray(evaluation.influence)
    if group is not None:
        return bound_by_groups(evaluation.value, influence, share_groups(sample, metric, group), group).bounds
    if isinstance(metric, ConfusionMetric) and metric.is_share and sample.weight is None:
        chosen = slice(None) if metric.share_of_class is None else np.asarray(sample.label) == metric.share_of_class
        hits = (metric.predict(sample) == np.asarray(sample.label))[chosen]
        return partial(bound_proportion, float(np.count_nonzero(hits)), float(len(hits)))
    spread = find_spread(sample, metric)
    own = Own(evaluation.value, spread.measure(influence), spread.count)
    return partial(bound_own, metric, own, spread.freedom)


def _bound_table_side(sample: Sample, table: JointTable, metric: ConfusionMetric, value: float) -> Bounds:
    if metric.is_share and sample.weight is None:
        return partial(bound_proportion, *count_hits(table, metric))
    spread = find_spread(sample, metric)
    own = Own(value, measure_candidate(table, metric), spread.count)
    return partial(bound_own, metric, own, spread.freedom)
