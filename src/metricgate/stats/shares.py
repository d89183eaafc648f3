"""Means of a column of scores, which are shares where the scores lie in [0, 1]."""

import re
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.count_intervals import bound_paired_proportions, bound_with_added_rows
from metricgate.stats.interval import Bounds, take_wider
from metricgate.stats.metric import MeanMetric, evaluate_mean
from metricgate.stats.spread import Difference

_SUCCESS = re.compile(r"pass[@^][1-9][0-9]{0,2}")


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


def is_success(name: str) -> bool:
    """Return whether a metric is the share of questions with a right answer among k (pass@k), or with k right (pass^k)."""
    return _SUCCESS.fullmatch(name) is not None


def find_success(name: str) -> ShareMetric:
    """Return the mean of the column of this name, which holds one number a question."""
    return ShareMetric(
        name=name,
        label=name,
        direction=Direction.HIGHER,
        tasks=frozenset({"score"}),
        needs=frozenset(),
        columns=(name,),
        lowest=0.0,
        highest=1.0,
        row_values=lambda sample: sample.columns[name],
        compute=lambda sample: evaluate_mean(sample.columns[name], sample),
    )


def _are_hits(*sides: FloatArray) -> bool:
    return all(bool(np.all((side == 0) | (side == 1))) for side in sides)
