"""Rows that only the candidate was judged on: which of them neither model was trained on, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.result import Pairing
from metricgate.models.samples import Sample
from metricgate.predictions.alignment import describe_left_out
from metricgate.predictions.keys import RowKeys, read_keys
from metricgate.predictions.pairs import pair_predictions
from metricgate.predictions.source import open_source
from metricgate.predictions.table import Predictions
from metricgate.predictions.wording import count_rows

Mask = NDArray[np.bool_]
# A stored model that is run again, on another processor say, repeats its scores but for the last digits.
SAME_RELATIVE = 1e-4
SAME_ABSOLUTE = 1e-6


@dataclass(frozen=True, kw_only=True)
class FreshRows:
    """Counts of one prediction set's rows.

    Attributes
    ----------
    new : rows that only the candidate was judged on
    fresh : those of them that neither model was trained on
    by_baseline, by_candidate : those of them that the baseline's, that the candidate's model was trained on
    common_trained : rows of both test sets that one of the models was trained on
    """

    new: int
    fresh: int
    by_baseline: int = 0
    by_candidate: int = 0
    common_trained: int = 0

    @property
    def trained(self) -> int:
        """Rows that are left out because a model was trained on them."""
        return self.new - self.fresh + self.common_trained

    def describe(self) -> str:
        """Return what became of the new rows, and of common ones that a model was trained on."""
        parts = [f"{count_rows(self.new, 'is')} new."]
        if self.new > self.fresh:
            parts.append(f"{_name_part(self.new - self.fresh, self.new)} left out: {self._name_trained()}.")
        if self.fresh:
            rest = f"the other {self.fresh:,}" if self.fresh < self.new else "them" if self.new > 1 else "it"
            parts.append(
                f"On {rest}, fresh for both models, the baseline's stored model was judged now (`evaluation`)."
            )
        if self.common_trained:
            one = count_rows(self.common_trained, "is")
            parts.append(f"{one} in both test sets and in training data: left out.")
        return " ".join(parts)

    def _name_trained(self) -> str:
        if not self.by_candidate:
            return "the baseline was trained on them, as happens where the split moves"
        if not self.by_baseline:
            return "the candidate was trained on them"
        return f"the baseline was trained on {self.by_baseline:,} of them, the candidate on {self.by_candidate:,}"


def _name_part(part: int, whole: int) -> str:
    if part == whole:
        return "It is" if whole == 1 else "All are"
    return f"{part:,} of them {'is' if part == 1 else 'are'}"


@dataclass(frozen=True, eq=False, kw_only=True)
class SortedRows:
    """Which rows may be compared.

    Attributes
    ----------
    stored : mask of the baseline's own predictions, in the order of their file: all but common rows that a model was
        trained on
    fresh : ids of the new rows that no model was trained on
    """

    stored: Mask
    fresh: RowKeys
    counts: FreshRows
    comparable: int  # rows of both test sets and fresh ones, together


def read_ids(path: Path, columns: Sequence[str], *, shown: str) -> RowKeys:
    """Return the ids of a file's rows in its order, whole numbers alike however they are spelt.

    Training data is often the raw file, test data what a program made of it: a row that was trained on must not pass
    for a fresh one because one of them says 0042 and the other 42.

    Raises
    ------
    PredictionsError
        If the file cannot be read, or lacks one of the columns or a value in them.
    """
    with open_source(path, shown) as source:
        return read_keys(source, columns, role="id", by_number=True)


def count_new_rows(baseline: RowKeys, candidate: RowKeys) -> int:
    """Count the candidate's rows that the baseline was not judged on."""
    return int(np.count_nonzero(~is_among(candidate, [baseline])))


def is_among(keys: RowKeys, lists: Sequence[RowKeys]) -> Mask:
    """Tell which keys occur in one of the lists; numbers and text are compared as text."""
    found = np.zeros(len(keys.values), dtype=np.bool_)
    for other in lists:
        same = keys.kind == other.kind
        found |= np.isin((keys if same else keys.as_text()).values, (other if same else other.as_text()).values)
    return found


def sort_rows_out(
    baseline: RowKeys, candidate: RowKeys, seen_by_baseline: Sequence[RowKeys], seen_by_candidate: Sequence[RowKeys]
) -> SortedRows:
    """Sort the rows of both test sets by whether one of the models was trained on them."""
    new = candidate.take(np.flatnonzero(~is_among(candidate, [baseline])))
    by_baseline, by_candidate = is_among(new, seen_by_baseline), is_among(new, seen_by_candidate)
    trained = is_among(baseline, [*seen_by_baseline, *seen_by_candidate])
    common = is_among(baseline, [candidate])
    fresh = np.flatnonzero(~(by_baseline | by_candidate))
    return SortedRows(
        stored=~(trained & common),
        fresh=new.take(fresh),
        counts=FreshRows(
            new=len(new.values),
            fresh=len(fresh),
            by_baseline=int(np.count_nonzero(by_baseline)),
            by_candidate=int(np.count_nonzero(by_candidate)),
            common_trained=int(np.count_nonzero(trained & common)),
        ),
        comparable=int(np.count_nonzero(common & ~trained)) + len(fresh),
    )


def note_fresh_rows(pairing: Pairing, rows: FreshRows) -> Pairing:
    """Say in a pairing what became of new rows; its baseline has answered to the fresh ones already."""
    complete = not (pairing.only_baseline or pairing.only_candidate or pairing.label_differs)
    left_out = describe_left_out(pairing.only_baseline, pairing.only_candidate - rows.trained, pairing.label_differs)
    return pairing.model_copy(
        update={
            "baseline_rows": pairing.baseline_rows - rows.fresh + rows.common_trained,
            "fresh": rows.fresh,
            "trained": rows.trained,
            "test_set_changed": True,
            "notes": (" ".join([rows.describe(), *left_out]), *pairing.notes[0 if complete else 1 :]),
        }
    )


def compare_answers(stored: Predictions, again: Predictions) -> tuple[int, int]:
    """Count the rows of both files on which one and the same model answered differently, and the rows of both."""
    if stored.ids is None or again.ids is None or not is_among(stored.ids, [again.ids]).any():
        return 0, 0
    pair = pair_predictions(stored, again).pair
    one, other = _answers_of(pair.baseline), _answers_of(pair.candidate)
    if one.shape != other.shape:
        return pair.rows, pair.rows
    differs = ~np.isclose(one, other, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE)
    return int(np.count_nonzero(differs.any(axis=1))), pair.rows


def _answers_of(sample: Sample) -> NDArray[Any]:
    """Return what the model said as numbers, shape (n, k): scores, else the predicted value or class."""
    values = sample.scores if sample.scores is not None else sample.prediction
    if values is None:
        return np.column_stack([sample.columns[name] for name in sorted(sample.columns)])
    return values.reshape(sample.rows, -1)
