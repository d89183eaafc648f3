"""Rows that one side alone has: which of them neither model was trained on, and the other model's answers on those."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.result import Pairing
from metricgate.models.samples import Sample
from metricgate.models.snapshot import FilePart
from metricgate.predictions.checked_predictions import Predictions, read_predictions
from metricgate.predictions.moved_rows import find_choice
from metricgate.predictions.paired_sets import pair_predictions
from metricgate.predictions.pairing_notes import describe_other_rows
from metricgate.predictions.prediction_table import open_table, require_joinable
from metricgate.predictions.row_keys import RowKeys, read_keys
from metricgate.predictions.wording import count_rows
from metricgate.settings.policy import PredictionsSpec

Mask = NDArray[np.bool_]
# A stored model that runs again, for example on another processor, may change the last digits of its scores.
SAME_RELATIVE = 1e-4
SAME_ABSOLUTE = 1e-6


@dataclass(frozen=True, kw_only=True)
class FreshRows:
    """Counts of the rows of one prediction set.

    Attributes
    ----------
    new : rows that only the candidate has
    fresh : new rows that neither model was trained on
    by_baseline, by_candidate : new rows that this side's model was trained on
    common_trained : rows of both test sets that one of the models was trained on
    answered : rows that only the baseline has, on which the candidate's model was evaluated
    moved : rows that only the baseline has, left out because the candidate was trained on them
    suspicious : such rows that were not left out, and why not
    """

    new: int
    fresh: int
    by_baseline: int = 0
    by_candidate: int = 0
    common_trained: int = 0
    answered: int = 0
    moved: int = 0
    suspicious: str = ""

    @property
    def unused(self) -> int:
        """Return how many of the candidate's rows are left out because a model was trained on them."""
        return self.new - self.fresh + self.common_trained

    @property
    def trained(self) -> int:
        """Return how many rows are left out because a model was trained on them."""
        return self.unused + self.moved

    def describe(self) -> str:
        """Return sentences about rows that one side alone has, and about common rows that a model was trained on."""
        parts = [f"{count_rows(self.new, 'is')} new."] if self.new else []
        if self.new > self.fresh:
            parts.append(f"{_name_part(self.new - self.fresh, self.new)} left out: {self._name_trained()}.")
        if self.fresh:
            rest = f"the other {self.fresh:,}" if self.fresh < self.new else "them" if self.new > 1 else "it"
            fresh = f"On {rest}, fresh for both models,"
            parts.append(f"{fresh} the baseline's stored model was evaluated in this run (`evaluation`).")
        if self.common_trained:
            one = count_rows(self.common_trained, "is")
            parts.append(f"{one} in both test sets and in training data: left out.")
        if self.moved:
            one = count_rows(self.moved, "is")
            parts.append(f"{one} only in the baseline's test set, and now in the candidate's training data: left out.")
        if self.answered:
            one = count_rows(self.answered, "is")
            parts.append(
                f"{one} only in the baseline's test set: the candidate's model was evaluated there in this run."
            )
        if self.suspicious:
            parts.append(self.suspicious)
        return " ".join(parts)

    def _name_trained(self) -> str:
        if not self.by_candidate:
            return "the baseline was trained on them, as happens when the split moves"
        if not self.by_baseline:
            return "the candidate was trained on them"
        return f"the baseline was trained on {self.by_baseline:,} of them, the candidate on {self.by_candidate:,}"


def _name_part(part: int, whole: int) -> str:
    if part == whole:
        return "It is" if whole == 1 else "All are"
    return f"{part:,} of them {'is' if part == 1 else 'are'}"


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparableRows:
    """Which rows may be compared.

    Attributes
    ----------
    stored : mask of the baseline's own predictions, in the order of their file: all but common rows that a model was
        trained on
    fresh : ids of the new rows that no model was trained on
    absent : mask of the baseline's rows that the candidate does not have, and neither model was trained on
    moved : mask of the baseline's rows that the candidate does not have, because it was trained on them
    comparable : number of rows that may be compared: common rows and fresh ones
    """

    stored: Mask
    fresh: RowKeys
    absent: Mask
    moved: Mask
    counts: FreshRows
    comparable: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ChangedTestSet:
    """One prediction set whose rows, known by their ids, are not the same on both sides.

    Attributes
    ----------
    stored : the file of the baseline's predictions
    spec : what its columns mean, by the baseline's policy
    baseline, candidate : ids of each side's rows, in the order of the file
    own, own_spec : the file of the candidate's predictions, and what its columns mean, by its own policy
    """

    stored: Path
    spec: PredictionsSpec
    baseline: RowKeys
    candidate: RowKeys
    own: Path
    own_spec: PredictionsSpec

    @classmethod
    def read(cls, stored: Path, spec: PredictionsSpec, own: Path, own_spec: PredictionsSpec) -> "ChangedTestSet":
        """Return the sets in ``stored``, the baseline's file, and ``own``, the candidate's; raises as ``read_ids``."""
        return cls(
            stored=stored,
            spec=spec,
            baseline=read_ids(stored, spec.id, shown=spec.path),
            candidate=read_ids(own, own_spec.id, shown=own_spec.path),
            own=own,
            own_spec=own_spec,
        )

    @property
    def absent_rows(self) -> int:
        """Return how many rows only the baseline has."""
        return count_new_rows(self.candidate, self.baseline)

    @property
    def new_rows(self) -> int:
        """Return how many rows only the candidate has."""
        return count_new_rows(self.baseline, self.candidate)

    def sort_out(self, by_baseline: Mapping[str, Path], by_candidate: Mapping[str, Path]) -> ComparableRows:
        """Return the rows that may be compared, given each model's training data: files by their names in messages.

        Raises
        ------
        PredictionsError
            If a file cannot be read, or has no id columns.
        """
        seen = [read_ids(path, self.spec.id, shown=name) for name, path in by_baseline.items()]
        other = [read_ids(path, self.own_spec.id, shown=name) for name, path in by_candidate.items()]
        return sort_rows_out(self.baseline, self.candidate, seen, other)

    def drop_absent(self, rows: ComparableRows) -> ComparableRows:
        """Return the rows without those of the baseline that the candidate does not have."""
        return replace(rows, stored=rows.stored & is_among(self.baseline, [self.candidate]))

    def leave_moved_out(self, rows: ComparableRows) -> ComparableRows:
        """Return the rows without those that the candidate was trained on, if these look like a split that moved."""
        moved = int(np.count_nonzero(rows.moved))
        if not moved:
            return rows
        why = find_choice(read_predictions(self.stored, self.spec, shown=self.spec.path).sample, rows.moved)
        if why:
            told = f"{count_rows(moved, 'is')} now in the candidate's training data, and {why}: they are not left out."
            return replace(rows, counts=replace(rows.counts, suspicious=told))
        return replace(rows, stored=rows.stored & ~rows.moved, counts=replace(rows.counts, moved=moved))

    def check_model(self, answers: Path) -> tuple[int, int]:
        """Return on how many rows ``answers`` differ from the stored predictions, and how many rows both have."""
        return _compare_files(self.stored, answers, self.spec)

    def check_candidate(self, answers: Path) -> tuple[int, int]:
        """Return the same of the candidate's predictions."""
        return _compare_files(self.own, answers, self.own_spec)

    def find_absent(self, rows: ComparableRows, answers: Path) -> FilePart:
        """Return the rows of ``answers`` that only the baseline has."""
        ids = read_ids(answers, self.own_spec.id, shown=self.own_spec.path)
        return FilePart(file=answers, selected=is_among(ids, [self.baseline.take(np.flatnonzero(rows.absent))]))

    def join_candidate(self, absent: FilePart) -> tuple[FilePart, ...]:
        """Return the candidate's predictions: its own, and those on rows that only the baseline has; raises as ``join``."""
        parts = (FilePart(file=self.own, selected=np.ones(len(self.candidate.values), dtype=np.bool_)), absent)
        require_joinable(parts, self.own_spec.path)
        return parts

    def find_fresh(self, rows: ComparableRows, answers: Path) -> FilePart:
        """Return the rows of ``answers`` that are fresh."""
        ids = read_ids(answers, self.spec.id, shown=self.spec.path)
        return FilePart(file=answers, selected=is_among(ids, [rows.fresh]))

    def join(self, rows: ComparableRows, fresh: FilePart | None = None) -> tuple[FilePart, ...]:
        """Return the baseline's comparable predictions: stored ones, and those on fresh rows.

        Raises
        ------
        PredictionsError
            If the files cannot be read as one table.
        """
        stored = FilePart(file=self.stored, selected=rows.stored)
        parts = (stored,) if fresh is None else (stored, fresh)
        require_joinable(parts, self.spec.path)
        return parts


def read_ids(path: Path, columns: Sequence[str], *, shown: str) -> RowKeys:
    """Return the ids of a file's rows, in its order; different spellings of a whole number are one id.

    Training data is often the raw file, and test data the output of a program. A row that a model was trained on must
    not count as fresh because one file has 0042 and the other 42.

    Raises
    ------
    PredictionsError
        If the file cannot be read, or a column or a value in it is missing.
    """
    with open_table(path, shown) as table:
        return read_keys(table, columns, role="id", by_number=True)


def count_new_rows(baseline: RowKeys, candidate: RowKeys) -> int:
    """Return how many of the candidate's rows the baseline does not have."""
    return int(np.count_nonzero(~is_among(candidate, [baseline])))


def is_among(keys: RowKeys, lists: Sequence[RowKeys]) -> Mask:
    """Return a mask, shape (n,), of the keys that occur in one of the lists; numbers and text compare as text."""
    found = np.zeros(len(keys.values), dtype=np.bool_)
    for other in lists:
        same = keys.kind == other.kind
        found |= np.isin((keys if same else keys.as_text()).values, (other if same else other.as_text()).values)
    return found


def sort_rows_out(
    baseline: RowKeys, candidate: RowKeys, seen_by_baseline: Sequence[RowKeys], seen_by_candidate: Sequence[RowKeys]
) -> ComparableRows:
    """Return the rows that may be compared, given the ids of each model's training data."""
    new = candidate.take(np.flatnonzero(~is_among(candidate, [baseline])))
    by_baseline, by_candidate = is_among(new, seen_by_baseline), is_among(new, seen_by_candidate)
    trained = is_among(baseline, [*seen_by_baseline, *seen_by_candidate])
    common = is_among(baseline, [candidate])
    fresh = np.flatnonzero(~(by_baseline | by_candidate))
    return ComparableRows(
        stored=~(trained & common),
        fresh=new.take(fresh),
        absent=~(trained | common),
        moved=is_among(baseline, seen_by_candidate) & ~common,
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
    """Return the pairing with counts and a note of such rows; each side includes answers on the other's."""
    complete = not (pairing.only_baseline or pairing.only_candidate or pairing.label_differs)
    left_out = describe_other_rows(pairing.only_baseline, pairing.only_candidate - rows.unused, pairing.label_differs)
    return pairing.model_copy(
        update={
            "baseline_rows": pairing.baseline_rows - rows.fresh + rows.common_trained + rows.moved,
            "candidate_rows": pairing.candidate_rows - rows.answered,
            "fresh": rows.fresh,
            "trained": rows.trained,
            "test_set_changed": True,
            "notes": (" ".join([rows.describe(), *left_out]), *pairing.notes[0 if complete else 1 :]),
        }
    )


def _compare_files(stored: Path, answers: Path, spec: PredictionsSpec) -> tuple[int, int]:
    return compare_answers(*(read_predictions(path, spec, shown=spec.path) for path in (stored, answers)))


def compare_answers(stored: Predictions, again: Predictions) -> tuple[int, int]:
    """Return on how many common rows two runs of a model gave different answers, and the number of common rows."""
    if stored.ids is None or again.ids is None or not is_among(stored.ids, [again.ids]).any():
        return 0, 0
    pair = pair_predictions(stored, again).pair
    one, other = _answers_of(pair.baseline), _answers_of(pair.candidate)
    if one.shape != other.shape:
        return pair.rows, pair.rows
    differs = ~np.isclose(one, other, rtol=SAME_RELATIVE, atol=SAME_ABSOLUTE)
    return int(np.count_nonzero(differs.any(axis=1))), pair.rows


def _answers_of(sample: Sample) -> NDArray[Any]:
    """Return the answers as numbers, shape (n, k): scores, else the predicted value or class."""
    values = sample.scores if sample.scores is not None else sample.prediction
    if values is None:
        return np.column_stack([sample.columns[name] for name in sorted(sample.columns)])
    return values.reshape(sample.rows, -1)
