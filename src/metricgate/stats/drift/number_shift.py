"""Two samples of numbers: the Kolmogorov-Smirnov distance, and Wasserstein's in standard deviations.

Both need the samples sorted, and are exact: they are computed in one pass over the merged values, in blocks, so that
memory does not grow beyond the two arrays.

The lower bound of the KS distance is that of the supremum of a Brownian bridge, which holds for any two distributions:
the covariance of the two-sample process is a bridge's on the mixture minus a positive part of rank one, so that its
supremum is smaller (Anderson's inequality). The upper bound needs one point only, the one where the true distance is
attained, and the normal distribution there. An interval at the point of the largest difference would take that point
for chosen beforehand, and misses up to 26 % instead of 2.5 %.

Sources: A. Kolmogorov (1933), N. Smirnov (1939); T. W. Anderson, Proc. AMS 6 (1955) 170-176. Wasserstein: the
Kantorovich potential is its influence function (M. Sommerfeld & A. Munk, JRSS B 80 (2018) 219-238).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from math import floor, isfinite, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray
from metricgate.stats.distributions import normal_quantile
from metricgate.stats.drift.effect import INDEPENDENT, Effect, Units
from metricgate.stats.interval import Interval

BLOCK = 1 << 12  # values of one side merged at once: they fit the cache, and no product of them starts threads
MEAN_BRIDGE = sqrt(pi / 2) * log(2)  # of the supremum of a Brownian bridge


@dataclass(frozen=True, kw_only=True)
class NumberShift:
    """Both effects of one column; ``distance`` is None where the reference has no finite spread above zero."""

    moved: Effect
    distance: Effect | None


def measure_numbers(reference: FloatArray, current: FloatArray, units: Units = INDEPENDENT) -> NumberShift:
    """Measure how far ``current`` lies from ``reference``.

    Parameters
    ----------
    reference, current : float64, shapes (n,) and (m,), sorted, without NaN, not empty; infinities count as values.
    units : how many independent units a row of each side counts as, at most 1.

    Returns
    -------
    NumberShift
        ``moved``: the largest change of the share of rows below any value, in [0, 1]. ``distance``: the mean distance
        by which rows moved, in standard deviations of the reference.

    Notes
    -----
    Time O(n + m) and memory O(1) beside the arrays. Ties of any number are exact.
    """
    centre, spread = _describe(reference)
    usable = spread > 0 and all(isfinite(end) for end in (spread, current[0], current[-1], centre))
    sums = _Sums(reference=len(reference), current=len(current), units=units)
    with np.errstate(over="ignore", invalid="ignore"):
        for merged, is_current in _merge(reference, current):
            sums.add((merged - centre) / spread if usable else merged, is_current, measure=usable)
    return NumberShift(moved=bound_moved(sums.largest, *sums.sizes), distance=sums.bound_distance())


def bound_moved(value: float, reference: float, current: float) -> Effect:
    """Return a KS distance of two samples of these sizes with its bounds."""
    scale = sqrt(1 / reference + 1 / current)

    def bounds(tail: float) -> tuple[float, float]:
        low = value - scale * sqrt(log(2 / tail) / 2)
        return max(low, 0.0), min(value + normal_quantile(tail) * scale / 2, 1.0)

    interval = Interval(se=scale / 2, method="Kolmogorov-Smirnov, Brownian bridge", bounds=bounds)
    return Effect(value=value, expected=MEAN_BRIDGE * scale, interval=interval, rows=floor(min(reference, current)))


def _describe(values: FloatArray) -> tuple[float, float]:
    """Return mean and standard deviation, in blocks: the differences of ten million values would take 160 MB."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.mean())
        parts = (values[start : start + BLOCK] - mean for start in range(0, len(values), BLOCK))
        return mean, sqrt(sum(float(part @ part) for part in parts) / len(values)) if isfinite(mean) else 0.0


def _merge(reference: FloatArray, current: FloatArray) -> Iterator[tuple[FloatArray, NDArray[np.bool_]]]:
    """Yield the merged values in blocks, and which of them are current; at ties the reference comes first."""
    first = reference[BLOCK::BLOCK]
    other = current[BLOCK::BLOCK]
    cuts = [
        *zip(range(BLOCK, len(reference), BLOCK), np.searchsorted(current, first, side="left"), strict=True),
        *zip(np.searchsorted(reference, other, side="right"), range(BLOCK, len(current), BLOCK), strict=True),
    ]
    start = (0, 0)
    for end in (*sorted((int(left), int(right)) for left, right in cuts), (len(reference), len(current))):
        left, right = reference[start[0] : end[0]], current[start[1] : end[1]]
        places = np.searchsorted(left, right, side="right") + np.arange(len(right))
        is_current = np.zeros(len(left) + len(right), dtype=np.bool_)
        is_current[places] = True
        merged = np.empty(len(is_current))
        merged[is_current], merged[~is_current] = right, left
        start = end
        if len(merged):
            yield merged, is_current


@dataclass(kw_only=True)
class _Sums:
    """What one pass collects. Values are in standard deviations of the reference, around its mean."""

    reference: int
    current: int
    units: Units
    largest: float = 0.0
    total: float = 0.0  # the integral of |F - G|
    null: float = 0.0  # the integral of sqrt(H (1 - H)), H being the distribution of all rows
    measured: bool = True
    last: float | None = None
    passed: tuple[int, int] = (0, 0)
    potential: float = 0.0  # at the last value: the integral of the sign of F - G
    moments: FloatArray = field(default_factory=lambda: np.zeros(5))  # of the reference: t, t², q, q², t q
    others: FloatArray = field(default_factory=lambda: np.zeros(2))  # of the current rows: t, t²

    @property
    def sizes(self) -> tuple[float, float]:
        """The independent units of both sides."""
        return self.reference * self.units[0], self.current * self.units[1]

    def add(self, values: FloatArray, is_current: NDArray[np.bool_], *, measure: bool) -> None:
        """Add the next block. A difference counts where the next value is another one."""
        before = values[0] if self.last is None else self.last
        lasting = np.empty(len(values), dtype=np.bool_)  # whether value i differs from the one before it
        lasting[0] = values[0] != before
        np.not_equal(values[1:], values[:-1], out=lasting[1:])
        currents = np.empty(len(values) + 1)
        currents[0] = self.passed[1]
        np.cumsum(is_current, out=currents[1:])
        currents[1:] += self.passed[1]
        both = np.arange(len(values) + 1, dtype=np.float64) + sum(self.passed)
        differences = (both - currents) / self.reference - currents / self.current
        self.largest = max(self.largest, float(np.abs(differences[:-1]).max(initial=0.0, where=lasting)))
        self.measured = measure
        if measure:
            self._integrate(values, before, differences[:-1], both[:-1], is_current)
        arrived = int(np.count_nonzero(is_current))
        self.passed = (self.passed[0] + len(values) - arrived, self.passed[1] + arrived)
        self.last = float(values[-1])

    def _integrate(
        self,
        values: FloatArray,
        before: float,
        differences: FloatArray,
        both: FloatArray,
        is_current: NDArray[np.bool_],
    ) -> None:
        steps = np.diff(values, prepend=before)
        self.total += float(np.abs(differences) @ steps)
        share = both / (self.reference + self.current)
        self.null += float(np.sqrt(share * (1 - share)) @ steps)
        potential = np.cumsum(np.sign(differences) * steps)
        potential += self.potential
        self.potential = float(potential[-1])
        own, scaled = potential[~is_current], values[~is_current]
        square = (scaled * scaled - 1) / 2
        self.moments += (own.sum(), own @ own, square.sum(), square @ square, own @ square)
        other = potential[is_current]
        self.others += (other.sum(), other @ other)

    def bound_distance(self) -> Effect | None:
        """Return Wasserstein's distance with its bounds; None where it is not a finite number."""
        if not self.measured:
            return None
        value = self.total
        own, own_square, other, other_square, product = self.moments / self.reference
        variance = own_square - own**2 + value**2 * (other_square - other**2) + 2 * value * (product - own * other)
        mean, mean_square = self.others / self.current
        reference, current = self.sizes
        se = sqrt(max(variance, 0.0) / reference + max(mean_square - mean**2, 0.0) / current)
        bias = sqrt(2 / pi) * self.null * sqrt(1 / reference + 1 / current)
        if not (isfinite(value) and isfinite(se) and isfinite(bias)):
            return None
        interval = Interval(
            se=se, method="Wasserstein, Kantorovich potential", bounds=partial(_bound_distance, value, se, bias)
        )
        return Effect(value=value, expected=bias, interval=interval, rows=floor(min(self.sizes)))


def _bound_distance(value: float, se: float, bias: float, tail: float) -> tuple[float, float]:
    reach = normal_quantile(tail) * se
    return max(value - bias - reach, 0.0), value + reach
