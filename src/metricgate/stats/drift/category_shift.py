"""Two samples of categories: total variation, and rows whose value the reference does not know.

Total variation of many categories is far above zero although nothing moved. The lower bound therefore takes off what
equal distributions with these pooled counts show on average, exactly: de Moivre's mean absolute deviation of a
binomial. How far it then strays is bounded by McDiarmid's inequality.

New values of a column with many are no news: Good and Turing's estimate says from the values that the reference has
once how many rows it leads one to expect, and only what exceeds that counts.

Sources: A. de Moivre (1730), P. Diaconis & S. Zabell, Statistical Science 6 (1991) 284-302. C. McDiarmid, "On the
method of bounded differences" (1989). I. J. Good, Biometrika 40 (1953) 237-264. R. Newcombe, Statistics in Medicine 17
(1998) 873-890, and Zou & Donner (2008) for the difference.
"""

from math import floor, lgamma, log, log1p, sqrt

import numpy as np

from metricgate.models.column_counts import CategoryCounts
from metricgate.stats.count_intervals import bound_proportion
from metricgate.stats.distributions import normal_quantile
from metricgate.stats.drift.effect import INDEPENDENT, Effect, Units
from metricgate.stats.interval import Interval


def measure_moved_categories(counts: CategoryCounts, units: Units = INDEPENDENT) -> Effect:
    """Return the total variation: the largest change of the share of rows in any set of categories, in [0, 1].

    Raises
    ------
    ZeroDivisionError
        If a side has no rows.
    """
    reference, current = counts.sizes
    shares = np.abs(counts.reference / reference - counts.current / current)
    value = min(float(shares @ counts.categories) / 2, 1.0)
    # Fewer independent units stray further; for rare categories this exaggerates, which keeps the lower bound safe.
    expected = _expect_moved(counts, reference, current) / sqrt(min(units))
    reference_units, current_units = reference * units[0], current * units[1]
    scale = sqrt(1 / reference_units + 1 / current_units)

    def bounds(tail: float) -> tuple[float, float]:
        low = value - expected - scale * sqrt(log(1 / tail) / 2)
        return max(low, 0.0), min(value + normal_quantile(tail) * scale / 2, 1.0)

    interval = Interval(se=scale / 2, method="total variation, less what chance shows", bounds=bounds)
    return Effect(value=value, expected=expected, interval=interval, rows=floor(min(reference_units, current_units)))


def _expect_moved(counts: CategoryCounts, reference: int, current: int) -> float:
    """Return the mean total variation of equal distributions, given how many rows each category has on both sides."""
    sizes, places = np.unique(counts.reference + counts.current, return_inverse=True)
    categories = np.bincount(places, weights=counts.categories)
    share = reference / (reference + current)
    spreads = np.array([_mean_deviation(int(size), share) for size in sizes])
    return float(spreads @ categories) * (1 / reference + 1 / current) / 2


def _mean_deviation(size: int, share: float) -> float:
    """Return E|X - E X| of a binomial: 2 v C(n, v) p^v (1 - p)^(n - v + 1) with v = floor(n p) + 1."""
    if size == 0:
        return 0.0
    place = min(floor(size * share) + 1, size)
    chosen = lgamma(size + 1) - lgamma(place + 1) - lgamma(size - place + 1)
    exponent = chosen + place * log(share) + (size - place + 1) * log1p(-share)
    return 2 * place * float(np.exp(exponent))


def measure_new_values(counts: CategoryCounts, units: Units = INDEPENDENT) -> Effect:
    """Return the share of current rows in values that the reference lacks, minus what the reference lets expect."""
    reference, current = counts.sizes
    known = counts.reference > 0
    fresh = int(counts.current[~known] @ counts.categories[~known])
    once, twice = (int(counts.categories[counts.reference == times].sum()) for times in (1, 2))
    share, expected = fresh / current, once / reference
    variance = (once + 2 * twice) / reference**2 / units[0]
    reference_units, current_units = reference * units[0], current * units[1]

    def bounds(tail: float) -> tuple[float, float]:
        quantile = normal_quantile(tail)
        low, high = bound_proportion(fresh * units[1], current_units, tail)
        down = quantile * sqrt(variance)
        up = quantile * sqrt(variance + quantile**2 / 4 / reference_units**2) + quantile**2 / 2 / reference_units
        difference = share - expected
        least = difference - sqrt((share - low) ** 2 + up**2)
        most = difference + sqrt((high - share) ** 2 + down**2)
        return max(least, 0.0), max(most, 0.0)

    se = sqrt(variance + share * (1 - share) / current_units)
    interval = Interval(se=se, method="Wilson and Good-Turing", bounds=bounds)
    rows = floor(min(reference_units, current_units))
    return Effect(value=max(share - expected, 0.0), expected=0.0, interval=interval, rows=rows)
