"""Intervals of proportions: of one (Wilson 1927), and of the difference of two paired ones.

T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
Statistics in Medicine 17 (1998), 891-908. A. Agresti & Y. Min, "Simple improved confidence intervals for comparing
matched proportions", Statistics in Medicine 24 (2005), 729-740.
"""

from math import inf, sqrt

from metricgate.stats.distributions import find_root, normal_quantile


def bound_proportion(hits: float, rows: float, tail: float) -> tuple[float, float]:
    """Return Wilson's bounds of a proportion, each one-sided at error ``tail``."""
    square = normal_quantile(tail) ** 2
    centre = (hits + square / 2) / (rows + square)
    reach = sqrt(square * (hits * (rows - hits) / rows + square / 4)) / (rows + square)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def bound_paired_proportions(
    only_candidate: float, only_baseline: float, rows: float, tail: float
) -> tuple[float, float]:
    """Bound the share right only for the candidate minus the share right only for the baseline.

    Each bound is one-sided at error ``tail``. It is defined, and not zero wide, without a single discordant row.
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
    """Bound the same difference as Agresti & Min do: as if half a row more were in each of the four cells."""
    total = rows + 2
    difference = (only_candidate - only_baseline) / total
    discordant = (only_candidate + only_baseline + 1) / total
    reach = normal_quantile(tail) * sqrt((discordant - difference**2) / total)
    return max(difference - reach, -1.0), min(difference + reach, 1.0)
