"""What a gate can catch on this test set, from the standard error of the difference."""

from dataclasses import dataclass
from math import ceil, inf
from statistics import NormalDist

from metricgate.stats.contrast import Contrast
from metricgate.stats.distributions import normal_quantile


@dataclass(frozen=True, kw_only=True)
class GatePower:
    """What one relative gate can tell.

    Attributes
    ----------
    detectable_loss : the loss that is shown to be one in ``power`` of pull requests; None where none can be shown.
    catches_margin, catches_twice : how often a loss as large as the margin, and twice it, is shown to be a loss.
    settles_equal : how often equal models are shown not to lose more than the margin.
    rows_to_settle : rows that settle equality with probability ``power``; None for a margin of zero.
    settled_margin : the smallest margin that these rows settle for equal models with probability ``power``.
    """

    detectable_loss: float
    catches_margin: float
    catches_twice: float
    settles_equal: float
    rows_to_settle: int | None
    settled_margin: float


def assess_power(item: Contrast, margin: float, *, tail: float, power: float = 0.8) -> GatePower:
    """Say what a gate with this margin can tell, if another candidate differs from the baseline as much as this one.

    ``tail`` is the one-sided error of the bound that decides: of the interval for "passed", which required gates need,
    and of the simultaneous bound for "failed".
    """
    reach = normal_quantile(tail) + normal_quantile(1 - power)
    return GatePower(
        detectable_loss=reach * item.se,
        catches_margin=find_catch_rate(item.se, margin, tail=tail),
        catches_twice=find_catch_rate(item.se, 2 * margin, tail=tail),
        settles_equal=find_catch_rate(item.se, margin, tail=tail),
        rows_to_settle=rows_needed(item, margin, tail=tail, power=power),
        settled_margin=reach * item.se,
    )


def find_catch_rate(se: float, loss: float, *, tail: float) -> float:
    """Return how often a true loss of this size is shown to be a loss at one-sided error ``tail``."""
    if se == 0:
        return 1.0 if loss > 0 else 0.0
    return NormalDist().cdf(loss / se - normal_quantile(tail))


def rows_needed(item: Contrast, margin: float, *, tail: float, power: float = 0.8) -> int | None:
    """Return the rows on which equal models are shown not to differ by ``margin``, with probability ``power``."""
    if not 0 < margin < inf:
        return None
    reach = normal_quantile(tail) + normal_quantile(1 - power)
    return max(ceil(item.rows * (reach * item.se / margin) ** 2), 1)
