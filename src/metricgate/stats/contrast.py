"""The paired difference of one metric between two models on the same rows, with its interval."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.confusion import ConfusionMetric
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined
from metricgate.stats.tango import bound_paired_proportions, normal_quantile

Bounds = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrast:
    """Candidate minus ``factor`` times baseline, of one metric on one set of rows.

    Attributes
    ----------
    influence : of each row on the estimate, shape (rows,).
    se : standard error of the estimate.
    identical : what the metric reads is the same for both models on all rows.
    method : the name of the interval, chosen by rules from counts known before the comparison.
    notes : what a reader must know about the value or the interval.
    inconclusive : why no verdict can be had, by a rule fixed beforehand; empty where one can.
    """

    metric: Metric
    baseline: float
    candidate: float
    factor: float
    influence: FloatArray = field(repr=False)
    se: float
    rows: int
    identical: bool
    method: str
    bounds: Bounds = field(repr=False)
    notes: tuple[str, ...] = ()
    inconclusive: str = ""

    @property
    def estimate(self) -> float:
        return self.candidate - self.factor * self.baseline

    def interval(self, tail: float) -> tuple[float, float]:
        """Return the lower and the upper bound, each one-sided at error ``tail`` (0.025 each: two-sided 95 %)."""
        return self.bounds(tail)


def contrast(pair: SamplePair, metric: Metric, *, factor: float = 1.0, seed: int = 0, part: bool = False) -> Contrast:  # noqa: ARG001 - for the multinomial intervals
    """Compare both models of the pair by one metric.

    Parameters
    ----------
    factor : the baseline is multiplied by it: 0.95 where a drop of 5 % is allowed.
    seed : of the methods that draw random numbers; the result does not depend on the order of rows.
    part : the rows are a slice of rows on which the models differ, so equality on them proves no equality.

    Raises
    ------
    MetricUndefined
        ``side`` says for which model.
    """
    baseline = _evaluate_side(pair.baseline, metric, "baseline")
    candidate = _evaluate_side(pair.candidate, metric, "candidate")
    identical = is_identical(pair, metric)
    influence = combine_influence(baseline, candidate, factor, pair.rows)
    se = float(np.sqrt(influence @ influence / max(pair.rows - 1, 1) / pair.rows))
    estimate = candidate.value - factor * baseline.value
    method, bounds = _choose_interval(pair, metric, factor, estimate, se, certain=identical and not part)
    return Contrast(
        metric=metric,
        baseline=baseline.value,
        candidate=candidate.value,
        factor=factor,
        influence=influence,
        se=se,
        rows=pair.rows,
        identical=identical,
        method=method,
        bounds=bounds,
        notes=tuple(dict.fromkeys((*baseline.notes, *candidate.notes))),
    )


def _evaluate_side(sample: Sample, metric: Metric, side: str) -> Evaluation:
    try:
        return metric.evaluate(sample)
    except MetricUndefined as undefined:
        raise MetricUndefined(undefined.reason, code=undefined.code, side=side) from undefined


def is_identical(pair: SamplePair, metric: Metric) -> bool:
    """Say whether everything that the metric reads is equal for both models on all rows."""
    parts = [(getattr(pair.baseline, part), getattr(pair.candidate, part)) for part in metric.needs]
    parts += [(pair.baseline.columns.get(name), pair.candidate.columns.get(name)) for name in metric.columns]
    return all(one is other or np.array_equal(one, other) for one, other in parts)


def combine_influence(baseline: Evaluation, candidate: Evaluation, factor: float, rows: int) -> FloatArray:
    """Return the influence of each row on candidate minus factor times baseline; zeros for metrics without any."""
    if baseline.influence is None or candidate.influence is None:
        return np.zeros(rows)
    return candidate.influence - (baseline.influence if factor == 1.0 else factor * baseline.influence)


def _choose_interval(
    pair: SamplePair, metric: Metric, factor: float, estimate: float, se: float, *, certain: bool
) -> tuple[str, Bounds]:
    if certain and factor == 1.0:
        return "identical predictions", lambda _: (0.0, 0.0)
    if (
        isinstance(metric, ConfusionMetric)
        and metric.name == "accuracy"
        and factor == 1.0
        and pair.baseline.weight is None
    ):
        only_candidate, only_baseline = count_discordant(pair, metric)
        return "Tango score", lambda tail: bound_paired_proportions(only_candidate, only_baseline, pair.rows, tail)
    return "influence values", lambda tail: bound_normally(estimate, se, tail)


def count_discordant(pair: SamplePair, metric: ConfusionMetric) -> tuple[int, int]:
    """Count the rows that only the candidate, and that only the baseline, predicts right."""
    label = np.asarray(pair.candidate.label)
    right, was_right = metric.predict(pair.candidate) == label, metric.predict(pair.baseline) == label
    return int(np.count_nonzero(right & ~was_right)), int(np.count_nonzero(was_right & ~right))


def bound_normally(estimate: float, se: float, tail: float) -> tuple[float, float]:
    """Bound an estimate by normal quantiles of its standard error."""
    distance = normal_quantile(tail) * se
    return estimate - distance, estimate + distance


def single_interval(sample: Sample, metric: Metric, *, tail: float) -> tuple[float, float]:
    """Return the interval of one model's own value, each bound one-sided at error ``tail``."""
    evaluation = metric.evaluate(sample)
    if evaluation.influence is None:
        raise MetricUndefined(f"{metric.label} has no interval.", code="no_interval")
    se = float(np.sqrt(evaluation.influence @ evaluation.influence / max(sample.rows - 1, 1) / sample.rows))
    low, high = bound_normally(evaluation.value, se, tail)
    return max(low, metric.lowest), min(high, metric.highest)
