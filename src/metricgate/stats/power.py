"""What a gate can catch on a test set, from the standard error and the interval of the difference.

The outcomes are those of docs/statistics.md: a gate fails where the estimated loss is beyond the margin and its
simultaneous lower end is beyond zero; a required gate passes where the pointwise upper end of the loss is within the
margin. How far those ends lie from the estimate is taken from the interval that the gate itself uses, which is longer
than a normal one where rows are few or a model is near perfect.
"""

from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist
from typing import NamedTuple

from metricgate.stats.distributions import normal_quantile

ASSUMED_CORRELATION = 0.8  # of two models' influence values, where only one model's predictions are known
OFTEN = 0.8  # "4 of 5"
_NEARLY_NORMAL = 0.05
_HOPELESS = 1e5  # a margin that needs ten billion times the rows is as good as none


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
    rows_to_settle : rows on which they pass in 80 % of pull requests; None for a margin of zero, or one
        so small that no test set settles it.
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


class Reach(NamedTuple):
    """How far bounds lie from the estimated loss: the pointwise upper one, and the simultaneous lower one.

    ``normal`` is what the passing one would be if the estimate were normal. What it is longer shrinks with the number of
    rows, not with its root: it stands for rows that have not been seen.
    """

    passing: float
    failing: float
    normal: float


def reach_by_normal(se: float, *, passing_tail: float, failing_tail: float) -> Reach:
    """Return how far normal bounds reach at one-sided errors, where no interval can be asked."""
    passing = normal_quantile(passing_tail) * se
    return Reach(passing=passing, failing=normal_quantile(failing_tail) * se, normal=passing)


def assess_power(se: float, rows: int, margin: float, reach: Reach) -> GatePower:
    """Return what a gate with this margin can tell.

    Parameters
    ----------
    se : standard error of the difference on these rows, in the unit of the metric.
    rows : the number of test rows.
    margin : the allowed loss, in the unit of the metric.
    reach : of the bound that lets a required gate pass, and of the one that lets it fail.
    """
    spare = normal_quantile(1 - OFTEN) * se
    return GatePower(
        rows=rows,
        se=se,
        margin=margin,
        detectable_loss=max(margin, reach.failing) + spare,
        catches_margin=find_catch_rate(se, margin, margin=margin, reach=reach.failing),
        catches_twice=find_catch_rate(se, 2 * margin, margin=margin, reach=reach.failing),
        settles_equal=find_settle_rate(se, margin, reach=reach.passing),
        rows_to_settle=_rows_to_settle(
            rows, margin, of_root=reach.normal + spare, of_rows=reach.passing - reach.normal
        ),
        settled_margin=reach.passing + spare,
    )


def find_catch_rate(se: float, loss: float, *, margin: float, reach: float) -> float:
    """Return how often a true loss of this size makes a gate with this margin fail, by a bound with this reach."""
    if se == 0:
        return 1.0 if loss > max(margin, reach) else 0.0
    return NormalDist().cdf((loss - max(margin, reach)) / se)


def find_settle_rate(se: float, margin: float, *, reach: float) -> float:
    """Return how often truly equal models pass a required gate with this margin."""
    if se == 0:
        return 1.0 if margin >= reach else 0.0
    return NormalDist().cdf((margin - reach) / se)


def assume_se(single_se: float) -> float:
    """Return the standard error of a difference where only one model's own is known: both correlate as assumed."""
    return sqrt(2 * (1 - ASSUMED_CORRELATION)) * single_se


def _rows_to_settle(rows: int, margin: float, *, of_root: float, of_rows: float) -> int | None:
    """Return the rows on which a bound that is as far as the margin is reached, by the two parts of its length now.

    With x² = rows now / rows then, ``of_root`` shrinks to x of its length and ``of_rows`` to x².
    """
    if not 0 < margin < inf:
        return None
    ratio = (of_root + sqrt(of_root**2 + 4 * max(of_rows, 0.0) * margin)) / (2 * margin)
    if ratio >= _HOPELESS:
        return None
    settled = max(ceil(rows * ratio**2), 1)
    is_normal = of_rows <= _NEARLY_NORMAL * of_root
    return settled if is_normal else max(settled, rows)  # how few rows would do cannot be seen from a skewed bound
