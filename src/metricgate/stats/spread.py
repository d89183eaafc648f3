"""How far an estimate spreads: its standard error from influence values, and the degrees of freedom behind it."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, Sample
from metricgate.stats.confusion import MIN_CLASS_ROWS
from metricgate.stats.metric import Metric, relative_weight
from metricgate.stats.ranking import RankMetric


@dataclass(frozen=True, eq=False, kw_only=True)
class Spread:
    """Rules for one sample and metric, from labels and weights alone.

    ``positive``: DeLong's variance has its own divisor, n1 - 1 and n0 - 1, for each of two classes; None: n - 1.
    """

    freedom: float
    positive: NDArray[Any] | None

    def measure(self, influence: FloatArray) -> float:
        """Return the standard error: the root of the sum of squares / n², with n / (n - 1)."""
        parts = [influence] if self.positive is None else [influence[self.positive], influence[~self.positive]]
        squares = sum(float(part @ part) * len(part) / max(len(part) - 1, 1) for part in parts)
        return sqrt(squares) / len(influence)


def find_spread(sample: Sample, metric: Metric) -> Spread:
    """Return the rule: the rows, or those of the smaller class for metrics of ranks, and what weights leave of them."""
    weight = relative_weight(sample)
    effective = sample.rows if weight is None else sample.rows**2 / float(weight @ weight)
    if not isinstance(metric, RankMetric):
        return Spread(freedom=max(effective - 1, 1.0), positive=None)
    label = np.asarray(sample.label)
    if sample.task == "multiclass" and metric.of_class is None:
        counts = np.bincount(label)
        smallest, positive = int(counts[counts >= MIN_CLASS_ROWS].min()), None
    else:
        positive = label == (1 if metric.of_class is None else metric.of_class)
        hits = int(np.count_nonzero(positive))
        smallest = min(hits, sample.rows - hits)
    return Spread(freedom=max(smallest * effective / sample.rows - 1, 1.0), positive=positive)
