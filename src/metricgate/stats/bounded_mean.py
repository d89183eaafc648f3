"""Bounds of a mean of bounded values that hold however few of them differ from zero.

The upper bound is a quantile of the mean under weights drawn evenly (a flat Dirichlet distribution), after one value
more has been added: the largest possible one, since a sample tells nothing of values that it does not have. For values
of two kinds it is the bound of Clopper & Pearson, Biometrika 26 (1934) 404: with none of n at the largest one, 3.7 / n
at an error of 2.5 %. N. Gaffke proposed it ("Three test statistics for a nonparametric one-sided hypothesis on the mean
of a nonnegative variable", Mathematical Methods of Statistics 14, 2005); that it holds for every distribution is a
conjecture, which no simulation has refuted (Learned-Miller & Thomas, arXiv:1905.06208).

The quantile is found without random numbers: evenly drawn weights are exponential variables over their sum, and the
tail of a sum of these follows from its cumulants (Lugannani & Rice, Advances in Applied Probability 12 (1980) 475).
"""

from math import exp, inf, isinf, pi, sqrt
from statistics import NormalDist

import numpy as np

from metricgate.models.samples import FloatArray
from metricgate.stats.distributions import find_crossing

_MOST_DISTINCT = 2048  # of values; more are spread over a grid of as many, which keeps their mean and widens the bound
_NEAREST_HEIGHT = 1e-3  # of the mean in standard deviations, where the difference of two reciprocals loses all digits
_NEAREST = 1e-9  # to the ends of what is searched, where logarithms have no value


def bound_bounded_mean(values: FloatArray, lowest: float, highest: float, tail: float) -> tuple[float, float]:
    """Return the bounds of the mean of values in [lowest, highest], each one-sided at error ``tail``.

    Parameters
    ----------
    values : of independent units, shape (n,).
    lowest, highest : what one value can be at all; infinite where nothing bounds it.
    """
    distinct, counts = _count_distinct(values)
    high = _bound_above(distinct, counts, max(highest, float(distinct[-1])), tail)
    low = -_bound_above(-distinct, counts, max(-lowest, -float(distinct[0])), tail)
    return low, high


def _count_distinct(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= _MOST_DISTINCT:
        return distinct, counts.astype(np.float64)
    step = float(distinct[-1] - distinct[0]) / _MOST_DISTINCT
    place = values / step  # zero stays on the grid
    below = np.floor(place)
    first = int(below.min())
    index = (below - first).astype(np.int64)
    share = place - below
    weight = np.bincount(index, 1 - share, index.max() + 2) + np.bincount(index + 1, share, index.max() + 2)
    kept = weight > 0
    grid = np.flatnonzero(kept).astype(np.float64) * step + first * step
    return grid, weight[kept].astype(np.float64)


def _bound_above(values: FloatArray, counts: FloatArray, highest: float, tail: float) -> float:
    if isinf(highest):
        return inf
    values, counts = np.append(values, highest), np.append(counts, 1.0)
    mean = float(values @ counts) / float(counts.sum())
    if highest - mean <= 0:
        return highest
    edge = _NEAREST * (highest - mean)
    return find_crossing(lambda bound: _exceed(values - bound, counts) - tail, mean + edge, highest - edge)


def _exceed(steps: FloatArray, counts: FloatArray) -> float:
    """Return the probability that a sum of exponential variables times ``steps`` is above zero, where its mean is not.

    The last step is the largest.
    """
    largest = float(steps[-1])
    tilt = find_crossing(lambda share: -float(counts @ (steps / (1 - share / largest * steps))), 0.0, 1 - _NEAREST)
    tilt /= largest
    kept = 1 - tilt * steps
    height = sqrt(max(2 * float(counts @ np.log(kept)), 0.0))
    spread = tilt * sqrt(float(counts @ np.square(steps / kept)))
    if height < _NEAREST_HEIGHT:
        return 0.5
    normal = NormalDist().cdf(-height)
    return normal + exp(-(height**2) / 2) / sqrt(2 * pi) * (1 / spread - 1 / height)
