"""Which rows of baseline and candidate are the same test example, and the order of rows that have no id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical, IntArray, Sample, SamplePair
from metricgate.predictions.checked_predictions import Predictions

# One file may hold a label as float32 and the other as float64, or with fewer digits.
LABEL_TOLERANCE = 1e-6
NO_ROWS: IntArray = np.empty(0, dtype=np.int64)
_FIX = "name an `id` column that both files have, or evaluate both models on the same test set."
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth, The Art of Computer Programming 3, 6.4
_HALF = np.uint64(32)


class NoCommonRowsError(PredictionsError):
    """The two test sets have no row in common."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment:
    """Row ``baseline[i]`` is row ``candidate[i]``; None instead of an array means all rows in their order.

    ``absent`` are the rows that only the baseline has, ``added`` those that only the candidate has.
    """

    method: Literal["id", "order"]
    baseline: NDArray[Any] | None
    candidate: NDArray[Any] | None
    absent: IntArray = field(default_factory=lambda: NO_ROWS)
    added: IntArray = field(default_factory=lambda: NO_ROWS)
    label_differs: int = 0

    @property
    def complete(self) -> bool:
        return not (len(self.absent) or len(self.added) or self.label_differs)

    def take_baseline(self, side: Predictions) -> Predictions:
        return side if self.baseline is None else side.take(self.baseline)

    def take_candidate(self, side: Predictions) -> Predictions:
        return side if self.candidate is None else side.take(self.candidate)


def align_rows(baseline: Predictions, candidate: Predictions) -> Alignment:
    """Return the common rows of both sides, with equal labels or not, and the rows of one side only.

    Raises
    ------
    NoCommonRowsError
        If both sides have ids, and none in common.
    PredictionsError
        If all labels of common ids differ, or, without ids, the numbers of rows or any labels do.
    """
    if baseline.ids is not None and candidate.ids is not None:
        return _align_by_id(baseline, candidate)
    return _align_by_order(baseline, candidate)


def _align_by_id(baseline: Predictions, candidate: Predictions) -> Alignment:
    left, right = _common_ids(baseline, candidate)
    common = baseline.rows if left is None else len(left)
    if common == 0:
        raise NoCommonRowsError(
            f"{_name_sides(baseline, candidate)} have no id in common ({baseline.rows:,} and {candidate.rows:,} rows).",
            expected="test rows that both models were judged on, joined by id.",
            fix="check that `id` names the same thing on both sides, and is not a row number or a random value.",
            topic="no-row-in-common",
        )
    differs = find_differing_labels(_pick(baseline.sample.label, left), _pick(candidate.sample.label, right))
    count = int(np.count_nonzero(differs))
    if count == common:
        raise PredictionsError(
            f"All {common:,} rows that baseline and candidate share have different labels on the two sides.",
            expected="the same label for the same id.",
            fix="check that `label` names the same thing on both sides, with the same spelling.",
            topic="all-labels-differ",
        )
    return Alignment(
        method="id",
        baseline=left,
        candidate=right,
        absent=_list_others(baseline.rows, left),
        added=_list_others(candidate.rows, right),
        label_differs=count,
    )


def _list_others(rows: int, chosen: NDArray[Any] | None) -> IntArray:
    return NO_ROWS if chosen is None else np.setdiff1d(np.arange(rows), chosen, assume_unique=True)


def _common_ids(baseline: Predictions, candidate: Predictions) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    one, other = baseline.ids, candidate.ids
    if one is None or other is None:
        raise AssertionError("a side has no ids")
    if one.kind != other.kind:
        one, other = one.as_text(), other.as_text()
    elif np.array_equal(one.values, other.values):
        return None, None
    _, left, right = np.intersect1d(one.values, other.values, assume_unique=True, return_indices=True)
    return left, right


def _align_by_order(baseline: Predictions, candidate: Predictions) -> Alignment:
    sides = _name_sides(baseline, candidate)
    if baseline.rows != candidate.rows:
        raise PredictionsError(
            f"{sides} have {baseline.rows:,} and {candidate.rows:,} rows, "
            "and no `id` column says which belong together.",
            expected="the same number of rows in the same order, or an id for each row.",
            fix=_FIX,
            topic="rows-without-ids",
        )
    left, right = _order_of_file(baseline), _order_of_file(candidate)
    differs = find_differing_labels(_pick(baseline.sample.label, left), _pick(candidate.sample.label, right))
    if differs.any():
        raise PredictionsError(
            f"{sides} have {baseline.rows:,} rows each, but {np.count_nonzero(differs):,} of the labels differ, "
            f"the first in row {int(np.argmax(differs)) + 1}; no `id` column says which rows belong together.",
            expected="the same rows in the same order, or an id for each row.",
            fix=_FIX,
            topic="rows-without-ids",
        )
    return Alignment(method="order", baseline=left, candidate=right)


def _order_of_file(side: Predictions) -> NDArray[Any] | None:
    return None if side.file_rows is None else np.argsort(side.file_rows)


def _pick(values: NDArray[Any] | None, rows: NDArray[Any] | None) -> NDArray[Any] | None:
    return values if values is None or rows is None else values[rows]


def find_differing_labels(one: NDArray[Any] | None, other: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Return a mask, shape (n,), of the rows whose labels differ; where a side has no labels, none does."""
    if one is None or other is None:
        return np.zeros(1, dtype=np.bool_)
    differs: NDArray[np.bool_] = one != other
    if one.dtype == np.float64:
        differs &= ~np.isclose(one, other, rtol=LABEL_TOLERANCE, atol=0.0)
    return differs


def _name_sides(baseline: Predictions, candidate: Predictions) -> str:
    # Of two revisions, the paths already say which side they are.
    one, other = baseline.path.removesuffix(" (baseline)"), candidate.path.removesuffix(" (candidate)")
    if one == other:
        return f"The baseline's and the candidate's {other}"
    return f"{one} (baseline) and {other} (candidate)"


def order_by_content(pair: SamplePair, slices: Mapping[str, Categorical]) -> IntArray:
    """Return the rows, int64, shape (n,), in the order of a hash of what they hold, on both sides and in all columns.

    Sums of floats depend on their order in the last digit, and with very many rows, correlations are estimated from an
    even share of them. The order of a file must not change a result, so rows without ids are sorted by a hash of their
    content. Rows with the same content are interchangeable.
    """
    key = np.zeros(pair.rows, dtype=np.uint64)
    for values in _list_columns(pair, slices):
        # Numbers by their bits; adding 0.0 turns -0.0 into 0.0.
        bits = (values + 0.0).view(np.uint64) if values.dtype == np.float64 else values.astype(np.int64).view(np.uint64)
        key ^= bits
        key *= _MULTIPLIER
        key ^= key >> _HALF
    return np.argsort(key, kind="stable").astype(np.int64)


def _list_columns(pair: SamplePair, slices: Mapping[str, Categorical]) -> Iterator[NDArray[Any]]:
    yield from _list_sample(pair.baseline)
    yield from _list_sample(pair.candidate)
    if pair.group is not None:
        yield pair.group
    yield from (slices[column].codes for column in sorted(slices))


def _list_sample(sample: Sample) -> Iterator[NDArray[Any]]:
    for values in (sample.label, sample.prediction, sample.weight):
        if values is not None:
            yield values
    if sample.scores is not None:
        yield from sample.scores.reshape(sample.rows, -1).T
    yield from (sample.columns[name] for name in sorted(sample.columns))
