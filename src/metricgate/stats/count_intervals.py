"""Intervals of counts: one proportion, the difference of two paired ones, and sums over counted rows.

Few counts are skewed: the sample that shows too small a difference also shows too little variance, and a plain interval
around it misses to one side. A score interval does not, since it takes the variance that belongs to the difference it
refuses. For sums over counted rows, cumulants suffice: the variance at a distance x from the estimate is
V + x * K3 / V, its regression on the estimate, where K3 is the third cumulant. For a single Poisson count that is the
score interval exactly. What the regression leaves of the variance's own variance, K4 - K3² / V, gives Student's degrees
of freedom.

Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212.
T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
Statistics in Medicine 17 (1998), 891-908. A. Agresti & Y. Min, "Simple improved confidence intervals for comparing
matched proportions", Statistics in Medicine 24 (2005), 729-740. N. J. Johnson, "Modified t tests and confidence
intervals for asymmetrical populations", JASA 73 (1978) 536, who takes the same step for a mean. F. E. Satterthwaite,
Biometrics Bulletin 2 (1946) 110.
"""

from math import inf, sqrt
from typing import NamedTuple

from metricgate.stats.distributions import find_root, normal_quantile, student_quantile


def bound_proportion(hits: float, rows: float, tail: float) -> tuple[float, float]:
    """Return Wilson's bounds of a proportion in [0, 1], each one-sided at error ``tail``; ``rows`` is above zero."""
    square = normal_quantile(tail) ** 2
    centre = (hits + square / 2) / (rows + square)
    reach = sqrt(square * (hits * (rows - hits) / rows + square / 4)) / (rows + square)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def bound_paired_proportions(
    only_candidate: float, only_baseline: float, rows: float, tail: float
) -> tuple[float, float]:
    """Bound the share right only for the candidate minus the share right only for the baseline.

    Each bound is one-sided at error ``tail``. It is defined, and not zero wide, without a single discordant row.

    Parameters
    ----------
    only_candidate, only_baseline : the discordant rows, by the model that is right.
    rows : all rows, more than zero.

    Source
    ------
    Tango (1998), the score test of a paired difference.
    """
    quantile = normal_quantile(tail)
    estimate = (only_candidate - only_baseline) / rows

    def score(difference: float) -> float:
        linear = -only_candidate - only_baseline + (2 * rows - only_candidate + only_baseline) * difference
        constant = -only_baseline * difference * (1 - difference)
        share = (sqrt(max(linear**2 - 8 * rows * constant, 0.0)) - linear) / (4 * rows)
        variance = rows * (2 * share + difference * (1 - difference))
        distance = rows * (estimate - difference)
        if variance <= 0:
            return 0.0 if distance == 0 else distance * inf
        return distance / sqrt(variance)

    low = find_root(lambda value: score(value) - quantile, -1.0, estimate)
    high = find_root(lambda value: score(value) + quantile, estimate, 1.0)
    return low, high


def bound_with_added_rows(only_candidate: float, only_baseline: float, rows: float, tail: float) -> tuple[float, float]:
    """Bound the same difference as Agresti & Min (2005) do: as if half a row more were in each of the four cells."""
    total = rows + 2
    difference = (only_candidate - only_baseline) / total
    discordant = (only_candidate + only_baseline + 1) / total
    reach = normal_quantile(tail) * sqrt((discordant - difference**2) / total)
    return max(difference - reach, -1.0), min(difference + reach, 1.0)


class Cumulants(NamedTuple):
    """The second, third and fourth cumulant of an estimate, as sums over independent counts."""

    variance: float
    third: float
    fourth: float

    @property
    def lean(self) -> float:
        """How much the variance rises where the estimate rises by one."""
        return self.third / self.variance if self.variance > 0 else 0.0

    @property
    def freedom(self) -> float:
        """Student's degrees of freedom: how well the variance is known, given the estimate."""
        unknown = self.fourth - self.third * self.lean
        return 2 * self.variance**2 / unknown if unknown > 0 else inf


def bound_counted(estimate: float, cumulants: Cumulants, tail: float) -> tuple[float, float]:
    """Return on each side the wider of the plain and the score-like bound, each one-sided at error ``tail``.

    Parameters
    ----------
    estimate : in the unit of the metric.
    cumulants : of the estimate, in that unit squared, cubed and to the fourth.

    Source
    ------
    Johnson (1978) for the variance at the refused value, Satterthwaite (1946) for the degrees of freedom.
    """
    plain = normal_quantile(tail) * sqrt(cumulants.variance)
    quantile = student_quantile(tail, cumulants.freedom)
    middle = quantile**2 * cumulants.lean / 2
    reach = quantile * sqrt(cumulants.variance + (quantile * cumulants.lean / 2) ** 2)
    return estimate + min(-plain, middle - reach), estimate + max(plain, middle + reach)
