"""Bounds of an estimate that is a sum over counted rows, whose variance rises and falls with it.

Few counts are skewed: the sample that shows too small a difference also shows too little variance, and a plain interval
around it misses to one side. A score interval does not, since it takes the variance that belongs to the difference it
refuses. Here the same is had from cumulants alone: the variance at a distance x from the estimate is V + x * K3 / V, its
regression on the estimate, where K3 is the third cumulant (N. J. Johnson, "Modified t tests and confidence intervals for
asymmetrical populations", JASA 73 (1978) 536, takes the same step for a mean). For a single Poisson count that is the
score interval exactly. What the regression leaves of the variance's own variance, K4 - K3² / V, gives Student's degrees
of freedom (F. E. Satterthwaite, Biometrics Bulletin 2 (1946) 110).
"""

from math import inf, sqrt
from typing import NamedTuple

from metricgate.stats.distributions import normal_quantile, student_quantile


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
    """Return on each side the wider of the plain and the score-like bound, each one-sided at error ``tail``."""
    plain = normal_quantile(tail) * sqrt(cumulants.variance)
    quantile = student_quantile(tail, cumulants.freedom)
    middle = quantile**2 * cumulants.lean / 2
    reach = quantile * sqrt(cumulants.variance + (quantile * cumulants.lean / 2) ** 2)
    return estimate + min(-plain, middle - reach), estimate + max(plain, middle + reach)
