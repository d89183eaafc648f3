"""What a gate can catch on a test set, from the standard error of the difference.

The outcomes are those of docs/statistics.md, with normal quantiles: a gate fails where the estimated loss is beyond the
margin and its simultaneous lower end is beyond zero; a required gate passes where the pointwise upper end of the loss is
within the margin.
"""

from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist

from metricgate.stats.distributions import normal_quantile

ASSUMED_CORRELATION = 0.8  # of two models' influence values, where only one model's predictions are known
OFTEN = 0.8  # "4 of 5"


@dataclass(frozen=True, kw_only=True)
class GatePower:
    """What one relative gate can tell about candidates that differ from the baseline as much as this one does.

    Attributes
    ----------
    rows : test rows; ``se`` : standard error of the difference on them, in the unit of the metric.
    margin : the allowed loss.
    detectable_loss : the true loss that makes the gate fail in 80 % of pull requests.
    catches_margin, catches_twice : how often a true loss as large as the margin, and twice it, makes the gate fail.
    settles_equal : how often truly equal models pass a required gate.
    rows_to_settle : rows on which they pass in 80 % of pull requests; None for a margin of zero.
    settled_margin : the smallest margin that they pass on these rows in 80 % of pull requests.
    """

    rows: int
    se: float
    margin: float
    detectable_loss: float
    catches_margin: float
    catches_twice: float
    settles_equal: float
    rows_to_settle: int | None
    settled_margin: float


def assess_power(se: float, rows: int, margin: float, *, passing_tail: float, failing_tail: float) -> GatePower:
    """Say what a gate with this margin can tell.

    Parameters
    ----------
    passing_tail : one-sided error of the pointwise bound that lets a required gate pass.
    failing_tail : one-sided error of the simultaneous bound that lets it fail.
    """
    reach = normal_quantile(1 - OFTEN)
    settled = (normal_quantile(passing_tail) + reach) * se
    return GatePower(
        rows=rows,
        se=se,
        margin=margin,
        detectable_loss=max(margin, normal_quantile(failing_tail) * se) + reach * se,
        catches_margin=find_catch_rate(se, margin, margin=margin, tail=failing_tail),
        catches_twice=find_catch_rate(se, 2 * margin, margin=margin, tail=failing_tail),
        settles_equal=find_settle_rate(se, margin, tail=passing_tail),
        rows_to_settle=_rows_to_settle(se, rows, margin, tail=passing_tail),
        settled_margin=settled,
    )


def find_catch_rate(se: float, loss: float, *, margin: float, tail: float) -> float:
    """Return how often a true loss of this size makes a gate with this margin fail, at the one-sided error ``tail``."""
    if se == 0:
        return 1.0 if loss > margin else 0.0
    return NormalDist().cdf((loss - max(margin, normal_quantile(tail) * se)) / se)


def find_settle_rate(se: float, margin: float, *, tail: float) -> float:
    """Return how often truly equal models pass a required gate with this margin."""
    if se == 0:
        return 1.0
    return NormalDist().cdf(margin / se - normal_quantile(tail))


def assume_se(single_se: float) -> float:
    """Return the standard error of a difference where only one model's own is known: both correlate as assumed."""
    return sqrt(2 * (1 - ASSUMED_CORRELATION)) * single_se


def _rows_to_settle(se: float, rows: int, margin: float, *, tail: float) -> int | None:
    if not 0 < margin < inf:
        return None
    reach = normal_quantile(tail) + normal_quantile(1 - OFTEN)
    return max(ceil(rows * (reach * se / margin) ** 2), 1)
