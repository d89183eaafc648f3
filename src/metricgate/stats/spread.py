"""Standard errors from influence values, of rows or of groups of rows, and the degrees of freedom behind them.

Groups (a customer, a document, a week) are left out one at a time. The plain sum of squared group influences misses 15
to 32 % with few groups of unequal size; leaving each group out in turn gives large groups the weight they have.
Student's t is taken with G_eff - 1 degrees of freedom, where G_eff = 1 / sum of squared shares of rows: the number of
equal groups that would tell as much.
"""

from dataclasses import dataclass
from functools import partial
from math import inf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, IntArray
from metricgate.stats.count_intervals import Cumulants, bound_counted
from metricgate.stats.interval import Bounds, Interval, bound_by_student, take_wider

MIN_EFFECTIVE_GROUPS = 15


@dataclass(frozen=True, eq=False, kw_only=True)
class Spread:
    """How influence values of one sample are summed into a standard error; it follows from labels and weights alone.

    Attributes
    ----------
    count : the number of rows that limit the value: all, or those of the smaller class, or of the top ones.
    positive : which rows are positive, shape (n,): DeLong's variance has a divisor of its own, n1 - 1 and n0 - 1, for
        each of two classes. None: n - 1.
    """

    count: float
    positive: NDArray[Any] | None

    @property
    def freedom(self) -> float:
        """Student's degrees of freedom."""
        return max(self.count - 1, 1.0)

    def measure(self, influence: FloatArray) -> float:
        """Return the standard error: the root of the sum of squares / n², with n / (n - 1)."""
        rows, total = len(influence), float(influence @ influence)
        if self.positive is None:
            return sqrt(total * rows / max(rows - 1, 1)) / rows
        # A sum of those of one class alone, in the place of two masked copies, which took half of a comparison's time.
        hits = int(np.count_nonzero(self.positive))
        of_hits = float(np.einsum("i,i,i->", influence, influence, self.positive, dtype=np.float64))
        parts = ((of_hits, hits), (max(total - of_hits, 0.0), rows - hits))
        return sqrt(sum(square * count / max(count - 1, 1) for square, count in parts)) / rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Difference:
    """Candidate minus ``factor`` times baseline, from influence values.

    Attributes
    ----------
    estimate, se : the difference and its standard error, in the unit of the metric.
    freedom : Student's degrees of freedom, from the rows alone.
    influence : of each row on the difference, shape (n,).
    sides : of each row on the baseline's and on the candidate's value, shape (n,) each.
    """

    estimate: float
    se: float
    factor: float
    freedom: float
    influence: FloatArray
    sides: tuple[FloatArray, FloatArray]

    @property
    def of_both(self) -> FloatArray:
        """The influence of each row on candidate plus ``factor`` times baseline, shape (n,)."""
        return self.factor * self.sides[0] + self.sides[1]

    @property
    def correlation(self) -> float:
        """The correlation of both values; 0 where one of them does not vary."""
        one, other = self.sides
        scale = sqrt(float(one @ one) * float(other @ other))
        return float(one @ other) / scale if scale > 0 else 0.0

    def bound_by_skew(self) -> Bounds:
        """Return bounds that lean to the side on which single rows reach further."""
        return bound_by_skew(self.estimate, self.se**2, self.influence / len(self.influence))

    def bound_by_student(self, freedom: float) -> Bounds:
        """Return Student's bounds with these degrees of freedom."""
        return partial(bound_by_student, self.estimate, self.se, freedom)


def bound_by_skew(estimate: float, variance: float, moves: FloatArray) -> Bounds:
    """Return score-like bounds of an estimate from what each unit does to it (see `count_intervals`).

    A sample that shows too small a loss, because a bad row is not in it, shows too small a variance as well. These
    bounds take the variance at the loss that they refuse.
    """
    squares = np.square(moves)
    cumulants = Cumulants(variance, float(squares @ moves), float(squares @ squares))
    return partial(bound_counted, estimate, cumulants)


def know_variance(*influences: FloatArray) -> float:
    """Return the degrees of freedom with which a mean's variance is known: 2n / (kurtosis - 1).

    It is n for normal values. The largest kurtosis counts: of the difference, and of both models together, which shows
    extreme rows on which they happen to agree. Neither depends on the sign of the difference. With n - 1, a loss of MSE
    on log-normal labels passes in 5 % of test sets instead of 2.5.

    Parameters
    ----------
    influences : of one shape (n,).

    Source
    ------
    F. E. Satterthwaite, Biometrics Bulletin 2 (1946) 110.
    """
    kurtosis = max(find_kurtosis(influence) for influence in influences)
    return 2 * len(influences[0]) / (kurtosis - 1) if kurtosis > 1 else inf


def find_kurtosis(influence: FloatArray) -> float:
    """Return the mean fourth power over the squared mean square, about zero; 1 where all values are zero."""
    largest = float(max(influence.max(), -influence.min()))
    if largest == 0:
        return 1.0
    squares = np.square(influence / largest)  # of which no fourth power is too large or too small for a float
    return float(squares @ squares) / len(squares) / float(squares.mean()) ** 2


def bound_by_groups(estimate: float, influence: FloatArray, weight: FloatArray, group: IntArray) -> Interval:
    """Bound an estimate from the influence of rows, summed within groups.

    Leaving out group g moves a mean by minus its influence / n / (1 - its share), exactly; other metrics to first
    order.

    Parameters
    ----------
    influence : of each row on the estimate, shape (n,).
    weight : of each row in its group's share, shape (n,), not all zero.
    group : codes 0 … G-1 of the rows' groups, shape (n,).
    """
    shares = np.bincount(group, weight) / weight.sum()
    sums = np.bincount(group, influence, len(shares)) / len(group)
    moves = sums / np.maximum(1 - shares, 1e-12)
    count = np.count_nonzero(shares)
    effective = 1 / float(shares @ shares)
    se = float(np.sqrt(moves @ moves * (count - 1) / count)) if count > 1 else float("inf")
    few = effective < MIN_EFFECTIVE_GROUPS
    return Interval(
        se=se,
        method=f"leave one group out, t ({effective:.0f} effective groups)",
        bounds=take_wider(
            partial(bound_by_student, estimate, se, max(effective - 1, 1.0)), bound_by_skew(estimate, se**2, moves)
        ),
        inconclusive=f"only {effective:.1f} effective groups, {MIN_EFFECTIVE_GROUPS} are needed" if few else "",
    )
