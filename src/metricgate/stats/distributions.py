"""Quantiles of the normal and of Student's distribution, and a root finder."""

from collections.abc import Callable
from statistics import NormalDist

_HALVINGS = 100
_NORMAL_FROM = 1e6  # degrees of freedom from which Student's quantile is the normal one to six digits


def normal_quantile(tail: float) -> float:
    """Return the value that a standard normal exceeds with probability ``tail``."""
    return -NormalDist().inv_cdf(tail)


def student_quantile(tail: float, freedom: float) -> float:
    """Return the value that Student's t with ``freedom`` degrees of freedom (one at least) exceeds with ``tail``."""
    if freedom >= _NORMAL_FROM:
        return normal_quantile(tail)
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy takes longer to import than all else here

    return -float(stdtrit(max(freedom, 1.0), tail))


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


def find_crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a smooth falling function crosses zero in [low, high]; the nearer end where it does not."""
    if function(low) <= 0:
        return low
    if function(high) >= 0:
        return high
    from scipy.optimize import brentq  # noqa: PLC0415 - scipy takes longer to import than all else here

    return float(brentq(function, low, high, xtol=1e-15, rtol=1e-12))
