"""Few differing units are few observations, whatever the number of rows.

A unit is a row, or a group of rows that are not independent. What differs on a unit is its change: by how much it moves
candidate minus baseline, zero where both models answer alike. An interval whose width comes from the observed changes
promises too much where few of them carry all: with 5 differing rows of 1,000 a loss of exactly the margin passes in up
to a third of test sets, since the sample that lacks the one bad row also lacks the spread that it would bring. Wider t
quantiles are not enough (9 to 18 %). So below a measured number of them the interval is widened to what rows not seen could
do, for metrics where a row can do only so much; and for all others there is no verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, IntArray, SamplePair
from metricgate.stats.interval import Bounds, Interval, take_wider
from metricgate.stats.spread import find_kurtosis

MIN_EFFECTIVE_UNITS = 10
MIN_DENSE_UNITS = 3
MIN_BOUNDED_UNITS = 5
"""Of (sum of squared changes)² / sum of their fourth powers: measured, see docs/statistics.md, "Few differing rows".

The first two are for metrics that one row can move by any amount: where few units differ, and where most do and a few
carry the most, which heavy tails bring about too. The third is for bounded ones, which are widened below it and not
refused, so that no test sets are picked by how they look.
"""
_NOTICEABLE, _FEW = 0.01, 0.25  # of the root mean square of the changes; of the units


@dataclass(frozen=True, eq=False, kw_only=True)
class Units:
    """Values of rows, summed by unit.

    Attributes
    ----------
    values : of each unit, scaled so that their mean is the mean of the rows' values, shape (units,).
    heaviest : how many times the average weight the heaviest unit has.
    name : "rows" or "groups".
    """

    values: FloatArray
    heaviest: float
    name: str

    @property
    def effective(self) -> float:
        """How many units carry the values, if all of these were equally large: the number of units / kurtosis."""
        return len(self.values) / find_kurtosis(self.values) if self.values.any() else 0.0

    @property
    def least_effective(self) -> float:
        """How many effective units a metric needs that one of them can move by any amount."""
        scale = _NOTICEABLE * float(np.sqrt(np.mean(np.square(self.values))))
        share = np.count_nonzero(np.abs(self.values) > scale) / len(self.values)
        return MIN_EFFECTIVE_UNITS if share < _FEW else MIN_DENSE_UNITS


def sum_units(values: FloatArray, weight: FloatArray | None, group: IntArray | None) -> Units:
    """Sum values of rows, in which their relative weights are already contained, by unit."""
    if group is None:
        return Units(values=values, heaviest=1.0 if weight is None else float(weight.max()), name="rows")
    sizes = np.bincount(group, weight).astype(np.float64)
    count, rows = len(sizes), len(group)
    sums: FloatArray = np.bincount(group, values, count).astype(np.float64) * (count / rows)
    return Units(values=sums, heaviest=float(sizes.max()) * count / float(sizes.sum()), name="groups")


def find_differing(pair: SamplePair, needs: frozenset[str], columns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return the rows on which anything that a metric reads differs between both models, shape (n,)."""
    sides = [(getattr(pair.baseline, part), getattr(pair.candidate, part)) for part in needs - {"label"}]
    sides += [(pair.baseline.columns[name], pair.candidate.columns[name]) for name in columns]
    differs = np.zeros(pair.rows, dtype=np.bool_)
    for one, other in sides:
        differs |= (one != other) if one.ndim == 1 else (one != other).any(axis=1)
    return differs


def widen_for_few(interval: Interval, changes: Units, find_bounds: Callable[[], Bounds | None]) -> Interval:
    """Return an interval that does not promise more than the differing units can tell.

    Parameters
    ----------
    changes : of each unit, by how much it moves candidate minus baseline.
    find_bounds : returns what holds however few units differ; None for a metric that one row can move by any amount.
    """
    least = changes.least_effective
    if interval.inconclusive or changes.effective >= max(least, MIN_BOUNDED_UNITS):
        return interval
    bounds = find_bounds()
    if bounds is None:
        return interval if changes.effective >= least else replace(interval, inconclusive=_explain(changes, least))
    if changes.effective >= MIN_BOUNDED_UNITS:
        return interval
    return replace(
        interval,
        method=f"{interval.method}, widened: few {changes.name} differ",
        bounds=take_wider(interval.bounds, bounds),
    )


def _explain(changes: Units, least: float) -> str:
    if not changes.values.any():
        return f"no prediction differs on these {changes.name}, so nothing tells how much others would"
    return (
        f"too few {changes.name} carry the difference: about {max(changes.effective, 1):.0f} decide it, "
        f"and {least:.0f} are needed"
    )
