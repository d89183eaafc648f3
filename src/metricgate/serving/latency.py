"""Quantiles of latencies with intervals that hold for any distribution: order statistics."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from metricgate.models.serving import Latency


def measure_latency(seconds: Sequence[float], quantile: float, *, tail: float) -> Latency | None:
    """Return a quantile of independent measurements, and bounds that each fail with probability ``tail`` at most.

    The number of measurements below the quantile is binomial, so the bounds are two of the measurements themselves. A
    bound that would lie beyond them is None.

    Source
    ------
    H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., section 7.1.
    """
    values = np.sort(np.asarray(seconds, dtype=float))
    n = len(values)
    if n == 0:
        return None
    below = stats.binom(n, quantile)
    low = int(below.ppf(tail))  # P(count < low) <= tail
    high = int(below.ppf(1.0 - tail)) + 1  # P(count >= high) <= tail
    return Latency(
        quantile=quantile,
        seconds=float(np.quantile(values, quantile, method="higher")),
        low=float(values[low - 1]) if low >= 1 else None,
        high=float(values[high - 1]) if high <= n else None,
    )
