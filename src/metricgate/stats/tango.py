"""Tango's score interval for the difference of two paired proportions (Statistics in Medicine 17, 1998, 891-908)."""

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

_HALVINGS = 100


def normal_quantile(tail: float) -> float:
    """Return the value that a standard normal exceeds with probability ``tail``."""
    return -NormalDist().inv_cdf(tail)


def find_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Halve [low, high] until no float lies between; ``function`` is positive at low and not at high."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def bound_paired_proportions(
    only_candidate: float, only_baseline: float, rows: int, tail: float
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
            return 0.0 if distance == 0 else distance * float("inf")
        return distance / sqrt(variance)

    low = find_root(lambda value: score(value) - quantile, -1.0, estimate)
    high = find_root(lambda value: score(value) + quantile, estimate, 1.0)
    return low, high
