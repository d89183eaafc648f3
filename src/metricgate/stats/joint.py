"""The joint table of label, baseline prediction and candidate prediction.

Everything about a paired difference of confusion metrics is in the counts of this table: the cost does not depend on
the number of rows once they are counted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray, Sample
from metricgate.stats.margins import Margins, select_classes
from metricgate.stats.metric import relative_weight

_LARGEST_TABLE = 2**20  # cells; with more classes only cells that occur are kept


@dataclass(frozen=True, eq=False)
class JointTable:
    """The rows of a pair, counted by cell.

    Attributes
    ----------
    size : the number of classes k.
    rows : the number of rows n.
    cells : codes of label, baseline's and candidate's prediction, shape (cells, 3).
    row_cell : the cell of each row, shape (n,).
    powers : by cell, the sums of the relative weights and of their second, third and fourth powers.
    margins : arrays of shape (2, k): the baseline's, and the candidate's.
    kept : the classes to average over, shape (k,).
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

    def select_label(self, label: int | None) -> NDArray[np.bool_]:
        """Return which cells have this label; all of them for None."""
        if label is None:
            return np.ones(len(self.cells), dtype=np.bool_)
        chosen: NDArray[np.bool_] = self.cells[:, 0] == label
        return chosen

    def derive_cells(self, slopes: Margins, factor: float) -> FloatArray:
        """Return the derivative of candidate minus ``factor`` times baseline by the weight in each cell."""
        label, baseline, candidate = self.cells.T
        return derive_weights(slopes, label, baseline, candidate, factor)


def derive_weights(
    slopes: Margins, label: NDArray[Any], baseline: NDArray[Any], candidate: NDArray[Any], factor: float
) -> FloatArray:
    """Return the derivative of candidate minus ``factor`` times baseline by the weight of rows with these codes.

    Parameters
    ----------
    slopes : derivatives of both values by their margins, shape (2, k).
    label, baseline, candidate : codes of the label and of both predictions, of one shape.
    """
    sides = []
    for side, predicted in enumerate((baseline, candidate)):
        hit = np.where(label == predicted, slopes.hit[side][label], 0.0)
        sides.append(slopes.actual[side][label] + slopes.predicted[side][predicted] + hit)
    difference: FloatArray = sides[1] - factor * sides[0]
    return difference


def count_cells(sample: Sample, baseline: NDArray[Any], candidate: NDArray[Any], *, macro: bool) -> JointTable:
    """Count the rows of a pair by label and both predictions.

    Parameters
    ----------
    sample : either model's sample, for what both share: labels, classes and weights.
    baseline, candidate : the predicted codes, shape (n,).
    macro : classes with too few rows are left out of the average.

    Raises
    ------
    MetricUndefined
        No class has enough rows for a macro average.
    """
    size = max(len(sample.classes), 2)
    label = np.asarray(sample.label)
    kind = np.min_scalar_type(size**3)
    row_cell = label.astype(kind)
    for prediction in (baseline, candidate):
        row_cell = row_cell * kind.type(size) + prediction.astype(kind)
    if size**3 <= _LARGEST_TABLE:
        codes = np.arange(size**3)
    else:
        codes, row_cell = np.unique(row_cell, return_inverse=True)
    weight = relative_weight(sample)
    sums = np.bincount(row_cell, weight, len(codes)).astype(np.float64)
    powers = (
        sums,
        *(sums if weight is None else _sum_power(row_cell, weight, power, len(codes)) for power in (2, 3, 4)),
    )
    cells = np.stack([codes // size**2, codes // size % size, codes % size], axis=1)
    margins, kept = _sum_margins(cells, sums, size), select_classes(label, size, macro=macro)
    return JointTable(size, sample.rows, cells, row_cell, powers, margins, kept)


def _sum_power(row_cell: NDArray[Any], weight: FloatArray, power: int, count: int) -> FloatArray:
    return np.bincount(row_cell, weight**power, count).astype(np.float64)


def _sum_margins(cells: NDArray[Any], weight: FloatArray, size: int) -> Margins:
    label = cells[:, 0]
    actual = np.bincount(label, weight, size)
    sides = [cells[:, side] for side in (1, 2)]
    hits = [np.bincount(label, np.where(label == side, weight, 0.0), size) for side in sides]
    predicted = [np.bincount(side, weight, size) for side in sides]
    return Margins(np.stack(hits), np.stack([actual, actual]), np.stack(predicted))
