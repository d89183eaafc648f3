"""Metrics of the order of scores: ROC AUC and average precision, with exact ties and weights, in O(n log n)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import log
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.bounded_mean import bound_bounded_mean
from metricgate.stats.few_units import Contributions, find_differing, sum_units
from metricgate.stats.interval import Bounds
from metricgate.stats.margins import MIN_CLASS_ROWS
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, count_effective_rows, relative_weight
from metricgate.stats.spread import Difference, Spread

_MANY = 2**30  # twice the number of groups fits 32 bits below it


@dataclass(frozen=True, kw_only=True)
class RankMetric(Metric):
    """A metric of the order of scores; the smaller class limits what it can tell.

    Attributes
    ----------
    is_area : it is ROC AUC.
    share_of_rows : of metrics about the rows with the highest scores, how many rows those are.
    """

    of_ranks: ClassVar[bool] = True
    is_area: bool = False
    share_of_rows: Callable[[Sample], float] | None = field(default=None, repr=False, compare=False)

    def find_spread(self, sample: Sample) -> Spread:
        label = np.asarray(sample.label)
        if sample.task == "multiclass" and self.of_class is None:
            counts = np.bincount(label)
            smallest, positive = float(counts[counts >= MIN_CLASS_ROWS].min()), None
        else:
            positive = label == (1 if self.of_class is None else self.of_class)
            hits = int(np.count_nonzero(positive))
            smallest = float(min(hits, sample.rows - hits))
        if self.share_of_rows is not None:
            smallest = min(smallest, self.share_of_rows(sample))
        return Spread(count=smallest * count_effective_rows(sample) / sample.rows, positive=positive)

    def find_contributions(
        self, pair: SamplePair, sides: tuple[Evaluation, Evaluation], factor: float
    ) -> Contributions:
        weight = pair.candidate.weight
        if pair.group is not None or weight is not None or self.share_of_rows is not None:
            parts = super().find_contributions(pair, sides, factor)
            is_bounded = pair.group is None and weight is None
            return replace(parts, lowest=-1.0, highest=1.0) if is_bounded else parts
        label, change = np.asarray(pair.candidate.label), self.find_change(pair, sides)
        changed = find_differing(pair, frozenset({"scores"}), ())
        is_mean = pair.candidate.task == "multiclass" and self.of_class is None
        reach = self._find_reach(label, is_mean=is_mean)
        if self.is_area and not is_mean:
            change = change + (sides[1].value - sides[0].value) * reach  # of its own placement, uncentred
        most = float(reach.max())
        units = sum_units(np.where(changed, np.clip(change, -reach, reach), 0.0), None, None)
        return Contributions(values=units, changes=units, lowest=-most, highest=most)

    def _find_reach(self, label: NDArray[Any], *, is_mean: bool) -> FloatArray:
        """Return by how much each row can change the value at most, times n.

        In ROC AUC a row moves its own placement, the share of the other class that it beats, by one at most. In average
        precision, a positive row that falls from the top to the bottom takes its own precision with it and one place
        from each positive row below, 1 + 1/2 + 1/3 and so on of a positive row; so does a negative row that rises.
        """
        counts = np.bincount(label)
        if is_mean:
            return _reach_of_classes(label) * (1.0 if self.is_area else 1 + np.log(counts.max()))
        positive = label == (1 if self.of_class is None else self.of_class)
        hits = np.count_nonzero(positive)
        if self.is_area:
            return np.where(positive, len(label) / hits, len(label) / (len(label) - hits))
        return np.full(len(label), len(label) / hits * (1 + log(hits) + np.euler_gamma))

    def bound_few(
        self, parts: Contributions, pair: SamplePair, sides: tuple[Evaluation, Evaluation], factor: float
    ) -> Bounds:
        if not parts.is_bounded:
            return super().bound_few(parts, pair, sides, factor)
        change = parts.bound(sides[1].value - sides[0].value) if self.share_of_rows is None else self._bound_top(pair)
        own = self.bound_value(pair.baseline, sides[0])

        def bounds(tail: float) -> tuple[float, float]:
            """Bound candidate - baseline, and add what is left of the baseline: (1 - factor) of it."""
            kept = sorted((1 - factor) * end for end in own(tail))
            low, high = change(tail)
            return max(low, -1.0) + kept[0], min(high, 1.0) + kept[1]

        return bounds

    def _bound_top(self, pair: SamplePair) -> Bounds:
        """Bound the change of the precision of the top rows: each row with another score replaces at most one of them."""
        assert self.share_of_rows is not None  # noqa: S101
        changed = find_differing(pair, frozenset({"scores"}), ())
        top = self.share_of_rows(pair.candidate)

        def bounds(tail: float) -> tuple[float, float]:
            reach = bound_bounded_mean(changed.astype(np.float64), 0.0, 1.0, tail)[1] * len(changed) / top
            return -reach, reach

        return bounds

    def bound_difference(self, pair: SamplePair, difference: Difference) -> tuple[Bounds, str]:
        del pair
        return difference.bound_by_student(difference.freedom), "DeLong" if self.is_area else "influence values"


def _reach_of_classes(label: NDArray[Any]) -> FloatArray:
    """Return by how much each row can move the mean of all classes' ROC AUC, times n."""
    counts = np.bincount(label)
    kept = counts >= MIN_CLASS_ROWS
    rest = np.where(kept, 1 / np.maximum(len(label) - counts, 1), 0.0)
    of_class = np.where(kept, 1 / np.maximum(counts, 1) - rest, 0.0) + rest.sum()
    reach: FloatArray = of_class[label] * len(label) / np.count_nonzero(kept)
    return reach


class _Ranked(NamedTuple):
    """Rows by descending score in groups of equal scores; sums of weights per group, and each row's group."""

    order: NDArray[Any]
    group: NDArray[Any]  # of each row in ``order``
    hit: NDArray[np.bool_]  # whether each row in ``order`` is positive
    positive: NDArray[Any]  # per group
    negative: NDArray[Any]

    def spread_out(self, of_positive: FloatArray, of_negative: FloatArray) -> FloatArray:
        """Return for each row, in its own order, the value of its group for its label: one look-up for both labels."""
        values = np.stack([of_negative, of_positive], axis=1).ravel()
        rows = np.empty(len(self.order))
        rows[self.order] = values[2 * self.group + self.hit]
        return rows


class Scored(NamedTuple):
    """What a ranking needs of rows: scores, their rising order, which rows are positive, and relative weights."""

    scores: FloatArray
    order: NDArray[Any]
    positive: NDArray[np.bool_]
    weight: FloatArray | None


def _read_scored(sample: Sample) -> Scored:
    positive: NDArray[np.bool_] = np.asarray(sample.label) == 1
    return Scored(np.asarray(sample.scores), sample.order, positive, relative_weight(sample))


def _rank(rows: Scored) -> _Ranked:
    scores, rising, positive, weight = rows
    order = rising[::-1]
    hit = positive[order]
    is_new = np.empty(len(order), dtype=np.bool_)
    is_new[0] = False
    ordered = scores[order]
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    group = np.cumsum(is_new, dtype=np.int32 if len(order) < _MANY else np.int64)
    if weight is None:
        last = np.append(np.flatnonzero(is_new[1:]), len(order) - 1)
        above = np.diff(np.cumsum(hit)[last], prepend=0)
        return _Ranked(order, group, hit, above, np.diff(last, prepend=-1) - above)
    total = np.bincount(group, weights=weight[order])
    above = np.bincount(group, weights=weight[order] * hit)
    return _Ranked(order, group, hit, above, total - above)


def require_both_classes(positive: NDArray[Any], weight: FloatArray | None) -> tuple[float, float]:
    """Return the weight of positive and of negative rows.

    Raises
    ------
    MetricUndefined
        One of both classes has no weight.
    """
    total = float(len(positive)) if weight is None else float(weight.sum())
    positives = float(np.count_nonzero(positive)) if weight is None else float(weight[positive].sum())
    if not 0 < positives < total:
        raise MetricUndefined("All rows have the same label.", code="one_class")
    return positives, total - positives


def rank_auc(rows: Scored) -> Evaluation:
    """Evaluate the area under the ROC curve: how often a positive row scores above a negative one, ties half.

    The influence of a positive row is n/n1 times the excess of its placement (the share of negatives below it) over
    the area, and likewise for negatives (DeLong, DeLong & Clarke-Pearson 1988; Sun & Xu 2014 for the ranks).
    """
    _, _, positive, weight = rows
    positives, negatives = require_both_classes(positive, weight)
    ranked = _rank(rows)
    below = negatives - np.cumsum(ranked.negative) + ranked.negative / 2
    above = np.cumsum(ranked.positive) - ranked.positive / 2
    area = float(ranked.positive @ below) / (positives * negatives)
    of_positive = (below / negatives - area) / positives
    of_negative = (above / positives - area) / negatives
    influence = ranked.spread_out(of_positive * len(positive), of_negative * len(positive))
    return Evaluation(area, influence if weight is None else influence * weight)


def rank_average_precision(rows: Scored) -> Evaluation:
    """Evaluate average precision: the precision at each positive row's score, averaged over positive rows.

    The influence sums, over the thresholds at or below a row, what its weight does to the precision there.
    """
    _, _, positive, weight = rows
    positives, _ = require_both_classes(positive, weight)
    ranked = _rank(rows)
    hits = np.cumsum(ranked.positive)
    chosen = hits + np.cumsum(ranked.negative)
    chosen = np.where(chosen > 0, chosen, 1.0)  # leading rows of weight zero
    precision = hits / chosen
    value = float(ranked.positive @ precision) / positives
    gain = np.cumsum((ranked.positive / chosen)[::-1])[::-1]
    cost = np.cumsum((ranked.positive * precision / chosen)[::-1])[::-1]
    of_positive = precision - value + gain - cost
    scale = len(positive) / positives
    influence = ranked.spread_out(of_positive * scale, -cost * scale)
    return Evaluation(value, influence if weight is None else influence * weight)


def evaluate_auc(sample: Sample) -> Evaluation:
    return rank_auc(_read_scored(sample))


def evaluate_average_precision(sample: Sample) -> Evaluation:
    return rank_average_precision(_read_scored(sample))


def count_top_rows(sample: Sample, *, count: int | None, share: float | None) -> float:
    """Return how many rows are meant by a count or a share of them."""
    return float(count) if count is not None else (share or 0.0) * sample.rows


def find_ties_at_cut(sample: Sample, *, count: int | None, share: float | None) -> str:
    """Return why the top rows cannot be judged where more than half of them are tied at the cut; else empty."""
    budget = count_top_rows(sample, count=count, share=share)
    rising = np.asarray(sample.scores)[sample.order]
    cut = rising[max(len(rising) - int(np.ceil(budget)), 0)]
    tied = int(np.count_nonzero(rising == cut))
    if tied < 2 or tied <= budget / 2:
        return ""
    return f"{tied} rows are tied at the cut, more than half of the top ones, so these cannot be told from others"


def evaluate_top_precision(sample: Sample, *, count: int | None, share: float | None) -> Evaluation:
    """Evaluate the share of positive rows among those with the highest scores; rows tied at the cut count in part.

    The cut is a share of the weight, which resampling keeps. So a row's influence has a second part: the rows it
    pushes across the cut, which are as often positive as the rows near it.
    """
    budget = count_top_rows(sample, count=count, share=share)
    if budget > sample.rows:
        raise MetricUndefined(f"There are fewer than {count} rows.", code="too_few_rows")
    share = budget / sample.rows
    rows = _read_scored(sample)
    positive, weight = rows.positive, rows.weight
    require_both_classes(positive, weight)
    ranked = _rank(rows)
    sizes = ranked.positive + ranked.negative
    part = np.clip((budget - (np.cumsum(sizes) - sizes)) / np.where(sizes > 0, sizes, 1.0), 0.0, 1.0)
    value = float(ranked.positive @ part) / budget
    near = _rate_near_cut(ranked, budget)
    row_part = np.empty(sample.rows)
    row_part[ranked.order] = part[ranked.group]
    influence = ((positive - near) * row_part - share * (value - near)) / share
    return Evaluation(value, influence if weight is None else influence * weight)


def _rate_near_cut(ranked: _Ranked, budget: float) -> float:
    """Return the share of positive rows in a window around the cut, of n^(4/5) rows at least."""
    reached = np.cumsum(ranked.positive + ranked.negative)
    half = reached[-1] ** 0.8 / 4
    first, last = np.searchsorted(reached, [max(budget - half, 0.0), min(budget + half, reached[-1])])
    window = slice(first, min(last, len(reached) - 1) + 1)
    hits, misses = ranked.positive[window].sum(), ranked.negative[window].sum()
    return float(hits / (hits + misses))
