"""Intervals from an estimate and its standard error, and the more careful of two.

A difference of two metrics that live on a bounded scale is skewed when one is near the bound. MOVER (Zou & Donner,
"Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008) recovers its bounds from the
two models' own intervals, which are taken on a scale where they are symmetric, and their correlation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import NamedTuple

from metricgate.models.samples import FloatArray
from metricgate.stats.count_intervals import bound_proportion
from metricgate.stats.distributions import student_quantile

Bounds = Callable[[float], tuple[float, float]]
"""The lower and the upper bound, each one-sided at the given error."""
_LONGEST_LOG = 1.5  # beyond a factor of e^1.5 = 4.5 the logarithmic scale says nothing about a mean any more


@dataclass(frozen=True, kw_only=True)
class ValueRange:
    """Where a metric's values lie, which says on which scale its intervals are symmetric.

    Attributes
    ----------
    lowest, highest : the values it can take at all.
    symmetric : its values gather at a bound of its range, so no other scale suits its intervals.
    is_top_share : a share of the rows with the highest scores.
    """

    lowest: float = -inf
    highest: float = inf
    symmetric: bool = False
    is_top_share: bool = False

    @property
    def has_own_scale(self) -> bool:
        """Whether intervals are symmetric on the values' own scale: it has no bound, or they gather at one."""
        return self.symmetric or (self.lowest == -inf and self.highest == inf)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """How an estimate is bounded, under which name, and with which standard error."""

    se: float
    method: str
    bounds: Bounds
    inconclusive: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class PairMeasurement:
    """A metric of both models of a pair, and the interval of candidate minus a factor times baseline.

    Attributes
    ----------
    find_influence : returns the influence of each row on the difference, shape (rows,).
    own_bounds : of the candidate's own value.
    notes : what a reader must know about the values.
    """

    baseline: float
    candidate: float
    interval: Interval
    own_bounds: Bounds
    find_influence: Callable[[], FloatArray]
    notes: tuple[str, ...]


class Own(NamedTuple):
    """One model's value and its standard error; ``limit``: the rows that limit it, for values at the end of a range."""

    value: float
    se: float
    limit: float


def bound_by_student(estimate: float, se: float, freedom: float, tail: float) -> tuple[float, float]:
    """Return Student's bounds with ``freedom`` degrees of freedom, each one-sided at error ``tail``."""
    distance = student_quantile(tail, freedom) * se
    return estimate - distance, estimate + distance


def take_wider(one: Bounds, other: Bounds) -> Bounds:
    """Return bounds that are the more careful of both on each side."""

    def bounds(tail: float) -> tuple[float, float]:
        first, second = one(tail), other(tail)
        return min(first[0], second[0]), max(first[1], second[1])

    return bounds


def stretch_bounds(bounds: Bounds, estimate: float, factor: float) -> Bounds:
    """Return bounds that are ``factor`` times as far from the estimate."""

    def stretched(tail: float) -> tuple[float, float]:
        low, high = bounds(tail)
        return estimate - factor * (estimate - low), estimate + factor * (high - estimate)

    return stretched


def clip_bounds(bounds: Bounds, least: float, most: float) -> Bounds:
    """Return bounds that do not go beyond what is possible at all."""

    def clipped(tail: float) -> tuple[float, float]:
        low, high = bounds(tail)
        return min(max(low, least), most), max(min(high, most), least)

    return clipped


def bound_own(values: ValueRange, own: Own, freedom: float, tail: float) -> tuple[float, float]:
    """Bound one model's value on the scale that suits the metric's range.

    Logits between two bounds, logarithms above or below one, and the value's own scale for metrics with no bound or
    whose values gather at it. At the end of a range between two bounds, where the standard error is zero, and for
    shares of few rows: Wilson's bounds of a proportion of the rows that limit the value.

    Parameters
    ----------
    values : the range of the metric.
    own : the model's value and standard error, in the unit of the metric.
    freedom : Student's degrees of freedom.
    tail : the one-sided error of each bound.
    """
    lowest, highest = values.lowest, values.highest
    reach = student_quantile(tail, freedom) * own.se
    is_share = lowest > -inf and highest < inf
    if is_share and (values.is_top_share or not lowest < own.value < highest):
        width = highest - lowest
        low, high = bound_proportion((own.value - lowest) / width * own.limit, own.limit, tail)
        return lowest + width * low, lowest + width * high
    if values.has_own_scale or not lowest < own.value < highest:
        return max(own.value - reach, lowest), min(own.value + reach, highest)
    if highest == inf:
        return _stretch(own.value - lowest, reach, lowest)
    if lowest == -inf:
        low, high = _stretch(highest - own.value, reach, 0.0)
        return highest - high, highest - low
    return _bound_by_logit(own.value, reach, lowest, highest)


def _stretch(distance: float, reach: float, origin: float) -> tuple[float, float]:
    factor = exp(min(reach / distance, _LONGEST_LOG))
    return origin + distance / factor, origin + distance * factor


def _bound_by_logit(value: float, reach: float, lowest: float, highest: float) -> tuple[float, float]:
    width = highest - lowest
    share = (value - lowest) / width
    logit, spread = log(share / (1 - share)), reach / width / (share * (1 - share))
    low, high = (1 / (1 + exp(min(-(logit + side * spread), 700.0))) for side in (-1, 1))
    return lowest + width * low, lowest + width * high


def recover_bounds(
    values: ValueRange, baseline: Own, candidate: Own, *, correlation: float, factor: float, freedom: float
) -> Bounds:
    """Return the bounds of candidate minus factor times baseline from each model's own interval (MOVER).

    Parameters
    ----------
    values : the range of the metric.
    correlation : of both models' values, in [-1, 1].
    factor : the baseline is multiplied by it.
    freedom : Student's degrees of freedom of each model's own interval.

    Source
    ------
    Zou & Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008).
    """

    def bounds(tail: float) -> tuple[float, float]:
        own_low, own_high = bound_own(values, candidate, freedom, tail)
        other_low, other_high = bound_own(values, baseline, freedom, tail)
        down, up = candidate.value - own_low, own_high - candidate.value
        other_down, other_up = factor * (baseline.value - other_low), factor * (other_high - baseline.value)
        estimate = candidate.value - factor * baseline.value
        low = estimate - sqrt(max(down**2 + other_up**2 - 2 * correlation * down * other_up, 0.0))
        high = estimate + sqrt(max(up**2 + other_down**2 - 2 * correlation * up * other_down, 0.0))
        return low, high

    return bounds
