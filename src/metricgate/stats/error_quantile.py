"""Weighted quantiles, and the influence of rows on them."""

from typing import NamedTuple

import numpy as np

from metricgate.models.samples import FloatArray
from metricgate.stats.distributions import normal_quantile
from metricgate.stats.metric import Evaluation


class _Ordered(NamedTuple):
    values: FloatArray
    reached: FloatArray  # the share of the weight at or below each value
    total: float


def _sort(values: FloatArray, weight: FloatArray | None) -> _Ordered:
    order = np.argsort(values, kind="stable")
    sums = np.arange(1.0, len(values) + 1) if weight is None else np.cumsum(weight[order])
    return _Ordered(values[order], sums, float(sums[-1]))


def _find(ordered: _Ordered, level: float) -> float:
    """Return the quantile where the summed weight passes ``level``; exactly there, the mean of both neighbours."""
    target = level * ordered.total
    tolerance = 1e-12 * ordered.total
    first, last = np.searchsorted(ordered.reached, [target - tolerance, target + tolerance], side="left")
    last = min(last, len(ordered.values) - 1)
    return float(ordered.values[first] + ordered.values[last]) / 2


def evaluate_quantile(values: FloatArray, level: float, weight: FloatArray | None) -> Evaluation:
    """Evaluate a quantile; a row's influence is (level - [value at or below it]) / density at the quantile.

    The density is the difference quotient of quantiles at the bandwidth of Hall & Sheather (1988). Where it cannot be
    had because the values are tied, there is no influence.
    """
    ordered = _sort(values, weight)
    quantile = _find(ordered, level)
    half = min(_find_bandwidth(len(values), level), level / 2, (1 - level) / 2)
    width = _find(ordered, level + half) - _find(ordered, level - half)
    if width <= 0:
        return Evaluation(quantile, None, ("The values are tied at the quantile, so it has no interval.",))
    below = np.where(values < quantile, 1.0, np.where(values == quantile, 0.5, 0.0))
    reached = float(below.mean() if weight is None else (below * weight).mean())
    influence = (reached - below) * (width / (2 * half))
    return Evaluation(quantile, influence if weight is None else influence * weight)


def _find_bandwidth(rows: int, level: float) -> float:
    normal = normal_quantile(1 - level)
    density = np.exp(-(normal**2) / 2) / np.sqrt(2 * np.pi)
    reach = normal_quantile(0.025)
    return float(rows ** (-1 / 3) * reach ** (2 / 3) * (1.5 * density**2 / (2 * normal**2 + 1)) ** (1 / 3))
