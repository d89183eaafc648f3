"""The difference of two shares of different rows, in either direction.

Source: R. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
(1998) 873-890, method 10.
"""

from math import floor, sqrt

from metricgate.stats.count_intervals import bound_proportion
from metricgate.stats.drift.effect import INDEPENDENT, Effect, Units
from metricgate.stats.interval import Interval


def bound_unpaired_shares(hits: tuple[float, float], rows: tuple[float, float], tail: float) -> tuple[float, float]:
    """Bound the current share minus the reference's, each bound one-sided at error ``tail``; (reference, current)."""
    (low, high), (new_low, new_high) = (
        bound_proportion(count, size, tail) for count, size in zip(hits, rows, strict=True)
    )
    before, after = hits[0] / rows[0], hits[1] / rows[1]
    difference = after - before
    return (
        difference - sqrt((after - new_low) ** 2 + (high - before) ** 2),
        difference + sqrt((new_high - after) ** 2 + (before - low) ** 2),
    )


def measure_share(hits: tuple[int, int], rows: tuple[int, int], units: Units = INDEPENDENT) -> Effect:
    """Return by how much a share changed, up or down; ``hits`` and ``rows`` are (reference, current)."""
    before, after = hits[0] / rows[0], hits[1] / rows[1]
    counted = hits[0] * units[0], hits[1] * units[1]
    sizes = rows[0] * units[0], rows[1] * units[1]

    def bounds(tail: float) -> tuple[float, float]:
        low, high = bound_unpaired_shares(counted, sizes, tail)
        return max(low, -high, 0.0), max(abs(low), abs(high))

    se = sqrt(before * (1 - before) / sizes[0] + after * (1 - after) / sizes[1])
    interval = Interval(se=se, method="Newcombe", bounds=bounds)
    return Effect(value=abs(after - before), expected=0.0, interval=interval, rows=floor(min(sizes)))
