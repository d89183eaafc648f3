"""Few differing units are few observations, whatever the number of rows.

A unit is a row, or a group of rows that are not independent. What differs on a unit is its change: by how much it moves
candidate minus baseline, zero where both models answer alike. An interval whose width comes from the observed changes
promises too much where few of them carry all: with 5 differing rows of 1,000 a loss of exactly the margin passes in up
to a third of test sets, since the sample that lacks the one bad row also lacks the spread that it would bring. Wider t
quantiles are not enough (9 to 18 %). So where few units carry the difference, the interval is widened to what one unit
more could do: by the range of a contribution where it has one, or by what the furthest change shows. Where hardly
any unit shows it, there is no verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isinf

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, IntArray, SamplePair
from metricgate.stats.bounded_mean import bound_bounded_mean
from metricgate.stats.interval import Bounds, Interval, stretch_bounds, take_wider
from metricgate.stats.spread import find_kurtosis

MIN_CARRIERS = 3
WIDEN_BELOW, WIDEN_SPARSE_BELOW = 5, 10
"""Of the units that carry a difference, (sum of squared changes)² / sum of their fourth powers: measured, see
docs/statistics.md, "Few differing rows". Below the first there is no verdict, unless contributions are bounded; below
the second the interval is widened. That is the third for weighted rows, and where contributions are not bounded and most
units do not change at all."""
_CONCENTRATED = 20  # kurtosis of the changes: 3 for normal ones, 9 for products of two
_STANDS_OUT = 8 * 1.4826  # times the median change: eight standard deviations, were the changes normal
_FURTHER = 2  # one unit more changes by at most 1 + 2 / carriers times the furthest change
HEAVY_TAIL, TAIL_FACTOR = 50, 1.25
"""With a kurtosis above the first, what is not bounded gets an interval longer by the second: squares of t₃ errors have
no variance, and a loss of the margin passes in 6 % of test sets instead of 2.5."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Units:
    """Values of rows, summed by unit.

    Attributes
    ----------
    values : of each unit, scaled so that their mean is the mean of the rows' values, shape (units,).
    sizes : how many times the average weight each unit has, shape (units,); None where all have the same.
    name : "rows" or "groups".
    """

    values: FloatArray
    sizes: FloatArray | None
    name: str

    @property
    def typical_size(self) -> float:
        """The mean size, where a unit counts by the square of its own: of the units that most of the variance is about."""
        if self.sizes is None:
            return 1.0
        squares = np.square(self.sizes)
        return float(squares @ self.sizes) / float(squares.sum())

    @cached_property
    def kurtosis(self) -> float:
        return find_kurtosis(self.values)

    @cached_property
    def is_sparse(self) -> bool:
        """Whether most units do not change at all."""
        return bool(2 * np.count_nonzero(self.values) < len(self.values))

    @cached_property
    def carriers(self) -> float:
        """How many units carry the changes, if these were equally large; infinite where no few of them do."""
        if not self.values.any():
            return 0.0
        if not self.is_sparse and self.kurtosis <= _CONCENTRATED:
            return inf
        sizes = np.abs(self.values)
        far = sizes[sizes > _STANDS_OUT * float(np.median(sizes))]
        return len(far) / find_kurtosis(far) if len(far) else inf

    @property
    def furthest(self) -> float:
        """By how much one unit more could change, judging by the furthest of these, were it of typical size."""
        if not self.values.any():
            return inf
        sizes = np.abs(self.values)
        if self.sizes is not None:
            sizes = np.divide(sizes, self.sizes, out=np.zeros_like(sizes), where=self.sizes > 0)
        return (1 + _FURTHER / self.carriers) * float(sizes.max()) * self.typical_size


def sum_units(values: FloatArray, weight: FloatArray | None, group: IntArray | None) -> Units:
    """Sum values of rows, in which their relative weights are already contained, by unit."""
    if group is None:
        return Units(values=values, sizes=weight, name="rows")
    sizes = np.bincount(group, weight).astype(np.float64)
    count, rows = len(sizes), len(group)
    sums: FloatArray = np.bincount(group, values, count).astype(np.float64) * (count / rows)
    return Units(values=sums, sizes=sizes * (count / float(sizes.sum())), name="groups")


@dataclass(frozen=True, eq=False, kw_only=True)
class Contributions:
    """What each unit contributes to candidate minus a factor times baseline.

    Attributes
    ----------
    values : the contributions; their mean is the estimate, up to a constant.
    changes : what of them both models do not share.
    lowest, highest : what a unit of average weight can contribute at all; infinite where nothing bounds it.
    by_range : one unit more could contribute whatever the range allows, and not only what the furthest change shows.
    """

    values: Units
    changes: Units
    lowest: float = -inf
    highest: float = inf
    by_range: bool = False

    @property
    def is_bounded(self) -> bool:
        return not (isinf(self.lowest) or isinf(self.highest))

    @property
    def needed(self) -> float:
        """How many units must carry the changes for an interval that tells enough by itself."""
        if self.is_bounded:
            is_weighted = self.changes.name == "rows" and self.changes.sizes is not None
            return WIDEN_SPARSE_BELOW if is_weighted else WIDEN_BELOW
        return WIDEN_SPARSE_BELOW if self.changes.is_sparse else WIDEN_BELOW

    def bound(self, estimate: float) -> Bounds:
        """Return bounds of the estimate that hold however few units differ, if none is beyond what is possible."""
        values, size = self.values.values, self.values.typical_size
        reach = inf if self.by_range else self.changes.furthest
        shared = values - self.changes.values
        least = max(self.lowest * size, float(shared.min()) - reach)
        most = min(self.highest * size, float(shared.max()) + reach)
        shift = estimate - float(values.mean())

        def bounds(tail: float) -> tuple[float, float]:
            low, high = bound_bounded_mean(values, least, most, tail)
            return low + shift, high + shift

        return bounds


def find_differing(pair: SamplePair, needs: frozenset[str], columns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return the rows on which anything that a metric reads differs between both models, shape (n,)."""
    sides = [(getattr(pair.baseline, part), getattr(pair.candidate, part)) for part in needs - {"label"}]
    sides += [(pair.baseline.columns[name], pair.candidate.columns[name]) for name in columns]
    differs = np.zeros(pair.rows, dtype=np.bool_)
    for one, other in sides:
        differs |= (one != other) if one.ndim == 1 else (one != other).any(axis=1)
    return differs


def widen_for_few(
    interval: Interval, estimate: float, parts: Contributions, find_bounds: Callable[[], Bounds]
) -> Interval:
    """Return an interval that does not promise more than the differing units can tell.

    Parameters
    ----------
    estimate : the difference, in the unit of the metric.
    find_bounds : returns what holds however few units differ.
    """
    changes = parts.changes
    if interval.inconclusive:
        return interval
    if not parts.is_bounded and changes.carriers < MIN_CARRIERS:
        return replace(interval, inconclusive=_explain(changes))
    if not parts.is_bounded and changes.kurtosis > HEAVY_TAIL:
        interval = replace(
            interval,
            method=f"{interval.method}, widened: heavy tails",
            bounds=stretch_bounds(interval.bounds, estimate, TAIL_FACTOR),
        )
    if changes.carriers >= parts.needed:
        return interval
    return replace(
        interval,
        method=f"{interval.method}, widened: few {changes.name} differ",
        bounds=take_wider(interval.bounds, find_bounds()),
    )


def _explain(changes: Units) -> str:
    if not changes.values.any():
        return f"no prediction differs on these {changes.name}, so nothing tells how much others would"
    return (
        f"too few {changes.name} carry the difference: {max(changes.carriers, 1):.1f} of equal size would decide as much, "
        f"and {MIN_CARRIERS} are needed"
    )
