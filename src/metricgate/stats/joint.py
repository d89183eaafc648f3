"""The joint table of label, baseline prediction and candidate prediction, and contrasts of confusion metrics.

Everything about a paired difference of confusion metrics is in the counts of this table: the cost does not depend on
the number of rows once they are counted. Where few rows are discordant, the plain delta method promises too much (its
variance is zero without any). So half a row is added to each discordant cell of a class, in the manner of Agresti & Min
("Simple improved confidence intervals for comparing matched proportions", Statistics in Medicine 24, 2005), who do it
for proportions.

Counts are skewed: a sample with few of them also shows too little variance, and a loss as large as the margin would
pass in 4 % of test sets instead of 2.5. So each bound is the wider of that one and a score-like one, which takes the
variance at the difference that it refuses (see `counted`).
"""

from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.confusion import ConfusionMetric, Margins, differentiate_kept, keep_classes, select_classes
from metricgate.stats.counted import Cumulants, bound_counted
from metricgate.stats.interval import Interval, take_wider
from metricgate.stats.metric import MetricUndefined, relative_weight
from metricgate.stats.proportions import bound_paired_proportions, bound_with_added_rows

_LARGEST_TABLE = 2**20  # cells; with more classes only cells that occur are kept


@dataclass(frozen=True, eq=False)
class JointTable:
    """Rows counted by cell; ``cells`` has the columns label, baseline's and candidate's prediction.

    ``row_cell`` is the cell of each row; ``powers`` sum the relative weights by cell, and their second, third and fourth
    powers. ``margins`` has shape (2, size): those of the baseline, and of the candidate. ``kept``: classes to average
    over.
    """

    size: int
    rows: int
    cells: NDArray[Any]
    row_cell: NDArray[Any]
    powers: tuple[FloatArray, ...]
    margins: Margins
    kept: NDArray[Any]

    @property
    def weight(self) -> FloatArray:
        return self.powers[0]


def _sum_margins(cells: NDArray[Any], weight: FloatArray, size: int) -> Margins:
    label = cells[:, 0]
    actual = np.bincount(label, weight, size)
    sides = [cells[:, side] for side in (1, 2)]
    hits = [np.bincount(label, np.where(label == side, weight, 0.0), size) for side in sides]
    predicted = [np.bincount(side, weight, size) for side in sides]
    return Margins(np.stack(hits), np.stack([actual, actual]), np.stack(predicted))


def count_jointly(pair: SamplePair, metric: ConfusionMetric) -> JointTable:
    """Count the rows of a pair by label and both predictions; metrics of the same predictions share one table."""
    key = ("joint table", metric.at_threshold, metric.macro)
    if key not in pair.memo:
        pair.memo[key] = _count_cells(pair, metric)
    table: JointTable = pair.memo[key]
    return table


def _count_cells(pair: SamplePair, metric: ConfusionMetric) -> JointTable:
    size = max(len(pair.candidate.classes), 2)
    label = np.asarray(pair.candidate.label)
    kind = np.min_scalar_type(size**3)
    row_cell = label.astype(kind)
    for prediction in (metric.predict(pair.baseline), metric.predict(pair.candidate)):
        row_cell = row_cell * kind.type(size) + prediction.astype(kind)
    if size**3 <= _LARGEST_TABLE:
        codes = np.arange(size**3)
    else:
        codes, row_cell = np.unique(row_cell, return_inverse=True)
    weight = relative_weight(pair.candidate)
    sums = np.bincount(row_cell, weight, len(codes)).astype(np.float64)
    powers = (
        sums,
        *(sums if weight is None else _sum_power(row_cell, weight, power, len(codes)) for power in (2, 3, 4)),
    )
    cells = np.stack([codes // size**2, codes // size % size, codes % size], axis=1)
    margins, kept = _sum_margins(cells, sums, size), select_classes(metric, label, size)
    return JointTable(size, pair.rows, cells, row_cell, powers, margins, kept)


def _sum_power(row_cell: NDArray[Any], weight: FloatArray, power: int, count: int) -> FloatArray:
    return np.bincount(row_cell, weight**power, count).astype(np.float64)


def evaluate_table(table: JointTable, metric: ConfusionMetric) -> tuple[float, float]:
    """Return the values of baseline and candidate."""
    for side, name in enumerate(("baseline", "candidate")):
        try:
            metric.check(Margins(*(part[side] for part in table.margins)))
        except MetricUndefined as undefined:
            raise MetricUndefined(undefined.reason, code=undefined.code, side=name) from undefined
    values = metric.formula(keep_classes(table.margins, table.kept))
    return float(values[0]), float(values[1])


def influence_of_rows(
    table: JointTable, metric: ConfusionMetric, factor: float, weight: FloatArray | None
) -> FloatArray:
    """Return the influence of each row on candidate minus factor times baseline."""
    _, slopes = differentiate_kept(metric.formula, table.margins, table.kept)
    cells = table.cells
    of_cell = _derive_cells(slopes, cells[:, 0], cells[:, 1], cells[:, 2], factor) * table.rows
    influence: FloatArray = of_cell[table.row_cell]
    return influence if weight is None else influence * weight


def _add_rows(margins: Margins) -> Margins:
    """Add one row to each class: half of it a hit, the other half spread over the other classes."""
    return Margins(margins.hit + 0.5, margins.actual + 1.0, margins.predicted + 1.0)


def _derive_cells(
    slopes: Margins, label: NDArray[Any], baseline: NDArray[Any], candidate: NDArray[Any], factor: float
) -> FloatArray:
    """Return the derivative of candidate minus factor times baseline by the weight in each cell."""
    sides = []
    for side, predicted in enumerate((baseline, candidate)):
        hit = np.where(label == predicted, slopes.hit[side][label], 0.0)
        sides.append(slopes.actual[side][label] + slopes.predicted[side][predicted] + hit)
    difference: FloatArray = sides[1] - factor * sides[0]
    return difference


def bound_from_table(table: JointTable, metric: ConfusionMetric, factor: float) -> Interval:
    """Bound the contrast on the table with half a row more in each discordant cell."""
    values, slopes = differentiate_kept(metric.formula, _add_rows(table.margins), table.kept)
    variance, third, fourth = _sum_cumulants(table, slopes, factor)
    variance *= table.rows / max(table.rows - 1, 1)
    centre, cumulants = float(values[1] - factor * values[0]), Cumulants(variance, third, fourth)
    baseline, candidate = evaluate_table(table, metric)

    def bounds(tail: float) -> tuple[float, float]:
        low, high = bound_counted(centre, cumulants, tail)
        estimate = candidate - factor * baseline  # which the added rows move away from, far among a handful of rows
        return min(low, estimate), max(high, estimate)

    return Interval(se=sqrt(variance), method="adjusted delta, widened by score", bounds=bounds)


def _sum_cumulants(table: JointTable, slopes: Margins, factor: float) -> list[float]:
    """Sum the second to fourth powers of what each row does to the contrast, those added included."""
    cells = table.cells
    own = _derive_cells(slopes, cells[:, 0], cells[:, 1], cells[:, 2], factor)
    label, other = (part.ravel() for part in np.indices((table.size, table.size)))
    added = np.where(label == other, 0.0, 0.5 / (table.size - 1))
    right, wrong = (_derive_cells(slopes, label, *sides, factor) for sides in ((label, other), (other, label)))
    return [float(table.powers[power - 1] @ own**power + added @ (right**power + wrong**power)) for power in (2, 3, 4)]


def bound_paired_share(table: JointTable, metric: ConfusionMetric) -> Interval:
    """Bound the difference of two shares of hits, among all rows or those with one label, by score and by added rows.

    Tango's bound away from zero, with which few discordant rows, all lost, show a loss in 4.5 % of test sets instead of
    2.5, is too near; Agresti & Min's bound towards it is. The wider one of each side misses less than 2.5 %.
    """
    label = table.cells[:, 0]
    right, was_right = table.cells[:, 2] == label, table.cells[:, 1] == label
    chosen = _choose_cells(table, metric)
    rows, gained, lost = (
        float(table.weight[chosen & which].sum()) for which in (chosen, right & ~was_right, was_right & ~right)
    )
    variance = (gained + lost - (gained - lost) ** 2 / rows) / rows**2
    return Interval(
        se=sqrt(variance),
        method="Tango score, widened by Agresti & Min",
        bounds=take_wider(
            partial(bound_paired_proportions, gained, lost, rows), partial(bound_with_added_rows, gained, lost, rows)
        ),
    )


def _choose_cells(table: JointTable, metric: ConfusionMetric) -> NDArray[np.bool_]:
    """Return the cells that a share is of: all, or those with one label."""
    label = table.cells[:, 0]
    whole = np.ones(len(label), dtype=np.bool_)
    return whole if metric.share_of_class is None else label == metric.share_of_class


def count_hits(table: JointTable, metric: ConfusionMetric) -> tuple[float, float]:
    """Return the candidate's hits and the rows they are a share of: all, or those with one label."""
    chosen = _choose_cells(table, metric)
    hits = chosen & (table.cells[:, 2] == table.cells[:, 0])
    return float(table.weight[hits].sum()), float(table.weight[chosen].sum())


def measure_candidate(table: JointTable, metric: ConfusionMetric) -> float:
    """Return the standard error of the candidate's own value, from its influence values."""
    _, slopes = differentiate_kept(metric.formula, table.margins, table.kept)
    cells = table.cells
    of_cell = _derive_cells(slopes, cells[:, 0], cells[:, 1], cells[:, 2], factor=0.0)
    return sqrt(float(table.powers[1] @ of_cell**2) * table.rows / max(table.rows - 1, 1))
