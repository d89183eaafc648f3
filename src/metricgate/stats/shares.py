"""Means of a column of scores, which are shares where the scores lie in [0, 1]."""

from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np

from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.count_intervals import bound_paired_proportions, bound_with_added_rows
from metricgate.stats.interval import Bounds, take_wider
from metricgate.stats.metric import MeanMetric
from metricgate.stats.spread import Difference


@dataclass(frozen=True, kw_only=True)
class ShareMetric(MeanMetric):
    """The mean of a column. Where all its scores are 0 or 1, it is bounded as accuracy is."""

    def find_row_range(self, pair: SamplePair) -> tuple[float, float]:
        sides = self.row_values(pair.baseline), self.row_values(pair.candidate)
        is_share = all(side.min() >= 0 and side.max() <= 1 for side in sides)
        return (0.0, 1.0) if is_share else (-inf, inf)

    def bound_difference(self, pair: SamplePair, difference: Difference) -> tuple[Bounds, str]:
        before, after = self.row_values(pair.baseline), self.row_values(pair.candidate)
        if pair.candidate.weight is not None or difference.factor != 1 or not _are_hits(before, after):
            return super().bound_difference(pair, difference)
        gained, lost = (float(np.count_nonzero(one > other)) for one, other in ((after, before), (before, after)))
        score = partial(bound_paired_proportions, gained, lost, float(pair.rows))
        added = partial(bound_with_added_rows, gained, lost, float(pair.rows))
        return take_wider(score, added), "Tango score, widened by Agresti & Min"


def _are_hits(*sides: FloatArray) -> bool:
    return all(bool(np.all((side == 0) | (side == 1))) for side in sides)
