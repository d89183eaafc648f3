"""Which row of the baseline is which row of the candidate."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.predictions.table import Predictions
from metricgate.predictions.wording import count_rows

# Two files may hold one label as float32 and float64, or with fewer printed digits.
LABEL_TOLERANCE = 1e-6
_CURE = "name an `id` column that both files have, or evaluate both models on the same test set."


class NoCommonRowsError(PredictionsError):
    """The two test sets share no row."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment:
    """Row ``baseline[i]`` is row ``candidate[i]``; None for an array means all rows as they are."""

    method: Literal["id", "order"]
    baseline: NDArray[Any] | None
    candidate: NDArray[Any] | None
    only_baseline: int = 0
    only_candidate: int = 0
    label_differs: int = 0

    @property
    def complete(self) -> bool:
        return not (self.only_baseline or self.only_candidate or self.label_differs)

    def take_baseline(self, side: Predictions) -> Predictions:
        return side if self.baseline is None else side.take(self.baseline)

    def take_candidate(self, side: Predictions) -> Predictions:
        return side if self.candidate is None else side.take(self.candidate)

    def describe(self) -> list[str]:
        """Return one sentence that counts the rows left out of the comparison, if there are any."""
        return describe_left_out(self.only_baseline, self.only_candidate, self.label_differs)


def describe_left_out(only_baseline: int, only_candidate: int, label_differs: int) -> list[str]:
    """Return one sentence that counts the rows left out of a comparison, if there are any."""
    counts = (
        (only_baseline, "only in the baseline's predictions"),
        (only_candidate, "only in the candidate's"),
        (label_differs, "labelled differently on the two sides"),
    )
    parts = [f"{count_rows(count, 'is')} {where}" for count, where in counts if count]
    return [f"{', '.join(parts)}: not compared."] if parts else []


def align_rows(baseline: Predictions, candidate: Predictions) -> Alignment:
    """Find the common rows; refuse sides that have none, or that cannot be joined in order."""
    if baseline.ids is not None and candidate.ids is not None:
        return _align_by_id(baseline, candidate)
    return _align_by_order(baseline, candidate)


def _align_by_id(baseline: Predictions, candidate: Predictions) -> Alignment:
    left, right = _common_ids(baseline, candidate)
    common = baseline.rows if left is None else len(left)
    only = (baseline.rows - common, candidate.rows - common)
    if common == 0:
        raise NoCommonRowsError(
            f"{_name_sides(baseline, candidate)} have no id in common ({baseline.rows:,} and {candidate.rows:,} rows).",
            expected="test rows that both models were judged on, joined by id.",
            fix="check that `id` names the same thing on both sides, and is no row number or random value.",
        )
    differs = _find_differing_labels(_pick(baseline.sample.label, left), _pick(candidate.sample.label, right))
    count = int(np.count_nonzero(differs))
    if count == common:
        raise PredictionsError(
            f"All {common:,} rows that baseline and candidate share have different labels on the two sides.",
            expected="the same label for the same id.",
            fix="check that `label` names the same thing, in the same spelling, on both sides.",
        )
    if count:
        keep = np.flatnonzero(~differs)
        left, right = (keep if rows is None else rows[keep] for rows in (left, right))
    return Alignment(
        method="id", baseline=left, candidate=right, only_baseline=only[0], only_candidate=only[1], label_differs=count
    )


def _common_ids(baseline: Predictions, candidate: Predictions) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    one, other = baseline.ids, candidate.ids
    if one is None or other is None:
        raise AssertionError("both sides have ids")
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
            f"{sides} have {baseline.rows:,} and {candidate.rows:,} rows, and no `id` column says which belong together.",
            expected="the same number of rows in the same order, or an id for each row.",
            fix=_CURE,
        )
    left, right = _order_of_file(baseline), _order_of_file(candidate)
    differs = _find_differing_labels(_pick(baseline.sample.label, left), _pick(candidate.sample.label, right))
    if differs.any():
        raise PredictionsError(
            f"{sides} have {baseline.rows:,} rows each, but {np.count_nonzero(differs):,} of the labels differ, the first in "
            f"row {int(np.argmax(differs)) + 1}; no `id` column says which rows belong together.",
            expected="the same rows in the same order, or an id for each row.",
            fix=_CURE,
        )
    return Alignment(method="order", baseline=left, candidate=right)


def _order_of_file(side: Predictions) -> NDArray[Any] | None:
    return None if side.file_rows is None else np.argsort(side.file_rows)


def _pick(values: NDArray[Any] | None, rows: NDArray[Any] | None) -> NDArray[Any] | None:
    return values if values is None or rows is None else values[rows]


def _find_differing_labels(one: NDArray[Any] | None, other: NDArray[Any] | None) -> NDArray[np.bool_]:
    if one is None or other is None:
        return np.zeros(1, dtype=np.bool_)
    differs: NDArray[np.bool_] = one != other
    if one.dtype == np.float64:
        differs &= ~np.isclose(one, other, rtol=LABEL_TOLERANCE, atol=0.0)
    return differs


def _name_sides(baseline: Predictions, candidate: Predictions) -> str:
    if baseline.path == candidate.path:
        return f"The baseline's and the candidate's {candidate.path}"
    return f"{baseline.path} (baseline) and {candidate.path} (candidate)"
