"""The joint table of label, baseline prediction and candidate prediction, and contrasts of confusion metrics.

Everything about a paired difference of confusion metrics is in the counts of this table: the cost does not depend on
the number of rows once they are counted. Where few rows are discordant, the plain delta method promises too much (its
variance is zero without any). So half a row is added to each discordant cell of a class, in the manner of Agresti & Min
("Simple improved confidence intervals for comparing matched proportions", Statistics in Medicine 24, 2005), who do it
for proportions; a whole row where a model predicts a class so seldom that its hits are skewed counts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.confusion import ConfusionMetric, Margins, differentiate_kept, keep_classes, select_classes
from metricgate.stats.distributions import normal_quantile
from metricgate.stats.interval import Interval
from metricgate.stats.metric import MetricUndefined, relative_weight
from metricgate.stats.proportions import bound_paired_proportions

_SELDOM = 30  # rows predicted to be of a class
_LARGEST_TABLE = 2**20  # cells; with more classes only cells that occur are kept


@dataclass(frozen=True, eq=False)
class JointTable:
    """Rows counted by cell; ``cells`` has the columns label, baseline's and candidate's prediction.

    ``row_cell`` is the cell of each row; ``weight`` and ``square`` sum the relative weights and their squares by cell.
    ``margins`` has shape (2, size): those of the baseline, and of the candidate. ``kept``: classes to average over.
    """

    size: int
    rows: int
    cells: NDArray[Any]
    row_cell: NDArray[Any]
    weight: FloatArray
    square: FloatArray
    margins: Margins
    kept: NDArray[Any]


def _sum_margins(cells: NDArray[Any], weight: FloatArray, size: int) -> Margins:
    label = cells[:, 0]
    actual = np.bincount(label, weight, size)
    sides = [cells[:, side] for side in (1, 2)]
    hits = [np.bincount(label, np.where(label == side, weight, 0.0), size) for side in sides]
    predicted = [np.bincount(side, weight, size) for side in sides]
    return Margins(np.stack(hits), np.stack([actual, actual]), np.stack(predicted))


def count_jointly(pair: SamplePair, metric: ConfusionMetric) -> JointTable:
    """Count the rows of a pair by label and both predictions."""
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
    squares = sums if weight is None else np.bincount(row_cell, weight**2, len(codes)).astype(np.float64)
    cells = np.stack([codes // size**2, codes // size % size, codes % size], axis=1)
    margins, kept = _sum_margins(cells, sums, size), select_classes(metric, label, size)
    return JointTable(size, pair.rows, cells, row_cell, sums, squares, margins, kept)


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


def _choose_extra(table: JointTable) -> float:
    """Return the rows added to each class: one, or two where a model hardly ever predicts one of the classes."""
    return 2.0 if table.margins.predicted[:, table.kept].min() < _SELDOM else 1.0


def _add_rows(margins: Margins, extra: float) -> Margins:
    """Add rows to each class: half of them hits, the other half spread over the other classes."""
    return Margins(margins.hit + extra / 2, margins.actual + extra, margins.predicted + extra)


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
    """Bound the contrast by the delta method on the table with half a row more, or one, in each discordant cell."""
    extra = _choose_extra(table)
    values, slopes = differentiate_kept(metric.formula, _add_rows(table.margins, extra), table.kept)
    cells = table.cells
    own = table.square @ _derive_cells(slopes, cells[:, 0], cells[:, 1], cells[:, 2], factor) ** 2
    label, other = (part.ravel() for part in np.indices((table.size, table.size)))
    added = np.where(label == other, 0.0, extra / 2 / (table.size - 1))
    right, wrong = (
        added @ _derive_cells(slopes, label, *sides, factor) ** 2 for sides in ((label, other), (other, label))
    )
    se = float(np.sqrt((own + right + wrong) * table.rows / max(table.rows - 1, 1)))
    centre = float(values[1] - factor * values[0])

    def bounds(tail: float) -> tuple[float, float]:
        reach = normal_quantile(tail) * se
        return centre - reach, centre + reach

    return Interval(se=se, method="adjusted delta (joint table)", bounds=bounds)


def bound_paired_share(table: JointTable, metric: ConfusionMetric) -> Interval:
    """Bound the difference of two shares of hits, among all rows or those with one label, by Tango's score interval."""
    label = table.cells[:, 0]
    right, was_right = table.cells[:, 2] == label, table.cells[:, 1] == label
    chosen = _choose_cells(table, metric)
    rows, gained, lost = (
        float(table.weight[chosen & which].sum()) for which in (chosen, right & ~was_right, was_right & ~right)
    )
    variance = (gained + lost - (gained - lost) ** 2 / rows) / rows**2
    return Interval(
        se=float(np.sqrt(variance)),
        method="Tango score",
        bounds=lambda tail: bound_paired_proportions(gained, lost, rows, tail),
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
    return float(np.sqrt(table.square @ of_cell**2 * table.rows / max(table.rows - 1, 1)))
