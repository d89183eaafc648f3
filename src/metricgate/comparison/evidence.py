"""What gates are judged on: the predictions of both snapshots, read and paired set by set."""

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from metricgate.comparison.readings import accept_labels
from metricgate.comparison.subject import Subject
from metricgate.errors import PredictionsError
from metricgate.models.result import Pairing
from metricgate.models.snapshot import Snapshot, Source, Unreadable
from metricgate.predictions import (
    FreshRows,
    PairedSet,
    Predictions,
    is_among,
    note_fresh_rows,
    pair_predictions,
    read_predictions,
)
from metricgate.settings.policy import PredictionsSpec
from metricgate.settings.selection import PolicyChoice
from metricgate.stats.formula import is_formula, parse_formula
from metricgate.stats.shares import is_success

NO_FRESH_ROWS: Mapping[str, FreshRows] = MappingProxyType({})


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """Prediction sets by name, and both snapshots for the numbers in their files."""

    subjects: Mapping[str, Subject]
    baseline: Snapshot | None
    candidate: Snapshot

    @property
    def pairings(self) -> tuple[Pairing, ...]:
        """How the rows of each prediction set that has a baseline were joined."""
        return tuple(subject.pairing for subject in self.subjects.values() if subject.pairing)


def gather(
    baseline: Snapshot | None,
    candidate: Snapshot,
    choice: PolicyChoice,
    fresh: Mapping[str, FreshRows] = NO_FRESH_ROWS,
) -> Evidence:
    """Return the predictions of both snapshots, paired. ``fresh``: by set, rows that the baseline was judged on later.

    Raises
    ------
    PredictionsError
        If the candidate's predictions are missing, or a side's cannot be read or paired. A baseline that cannot be
        read is an error only of plain files: in a repository, the change that repairs it could never be merged.
    """
    columns = _formula_columns(choice)
    # A set that the candidate's policy no longer names is still judged: by the spec of the policy that judges.
    specs = {**choice.judging.prediction_sets, **choice.candidate.prediction_sets}
    subjects = {}
    for name, spec in specs.items():
        own = _read_side(candidate, "candidate", name, spec, columns)
        other_spec = choice.baseline.prediction_sets.get(name, spec)
        try:
            is_same = other_spec == spec and _has_same_file(baseline, candidate, name)
            other = own if is_same else _read_baseline(baseline, name, other_spec, columns)
        except PredictionsError as error:
            if baseline is not None and baseline.info.source is Source.FILE:
                raise
            subjects[name] = Subject(name=name, candidate=own, baseline_problem=error.what)
            continue
        paired = None
        if other is not None:
            same_model = _is_same_model(baseline, candidate, name)
            paired = pair_predictions(other, own, stored=_count_stored(baseline, name), same_model=same_model)
        if paired is not None:
            pairing = paired.pairing.model_copy(update={"path": spec.path})
            paired = replace(paired, pairing=note_fresh_rows(pairing, fresh[name]) if name in fresh else pairing)
        subjects[name] = Subject(name=name, candidate=own, baseline=other, paired=paired)
    return Evidence(subjects=subjects, baseline=baseline, candidate=candidate)


def gather_anchor(anchor: Snapshot, candidate: Snapshot, choice: PolicyChoice, main: Evidence) -> Evidence:
    """Return the predictions of the frozen release and the candidate, paired on rows of the baseline's test set.

    ``main``: the comparison with the baseline. Only what this change does to the test set counts against it: rows that
    left the test set before, and labels that changed before, were accepted then.
    """
    columns = _formula_columns(choice)
    subjects = {}
    for name, subject in main.subjects.items():
        spec = choice.baseline.prediction_sets.get(name, subject.candidate.spec)
        try:
            released = _read_baseline(anchor, name, spec, columns)
            paired = None if released is None else _pair_released(released, subject)
        except PredictionsError as error:
            subjects[name] = Subject(name=name, candidate=subject.candidate, baseline_problem=error.what)
            continue
        subjects[name] = Subject(name=name, candidate=subject.candidate, baseline=released, paired=paired)
    return Evidence(subjects=subjects, baseline=anchor, candidate=candidate)


def _pair_released(released: Predictions, subject: Subject) -> PairedSet:
    reference = subject.baseline
    if reference is not None and reference.ids is not None and released.ids is not None:
        kept = np.flatnonzero(is_among(released.ids, [reference.ids]))
        released = released.take(kept) if 0 < len(kept) < released.rows else released
    paired = pair_predictions(released, subject.candidate)
    if subject.pairing is None or subject.pairing.label_differs or paired.new_label is None:
        return paired
    return replace(accept_labels(paired), new_label=None)


def _count_stored(baseline: Snapshot | None, name: str) -> int | None:
    """Return how many of the baseline's rows are its own, where its model was judged on others later."""
    parts = baseline.predictions.get(name) if baseline else None
    return int(parts[0].selected.sum()) if isinstance(parts, tuple) and len(parts) > 1 else None


def _formula_columns(choice: PolicyChoice) -> frozenset[str]:
    """Return the columns that formulas in gates and anchor read, of the judging and of the proposed policy."""
    names = {name for policy in (choice.judging, choice.proposed) if policy for name in policy.metric_names}
    columns = (
        parse_formula(name).columns if is_formula(name) else (name,) if is_success(name) else () for name in names
    )
    return frozenset(column for part in columns for column in part)


def _read_side(snapshot: Snapshot, side: str, name: str, spec: PredictionsSpec, columns: frozenset[str]) -> Predictions:
    found = snapshot.predictions.get(name)
    if found is None or isinstance(found, Unreadable):
        reason = found.reason if found else "the file was not delivered"
        raise PredictionsError(
            f"The predictions of the {side} cannot be read: {spec.path}: {reason}.",
            expected="the file that `predictions.path` names, as an output of the pipeline or a file in Git.",
            fix="Check the path in metricgate.yaml and that the pipeline writes the file.",
            topic="the-file-cannot-be-read",
        )
    if snapshot.info.source is Source.FILE:
        shown = snapshot.info.name
    else:
        shown = spec.path if snapshot.info.revision is None else f"{spec.path} ({side})"
    return read_predictions(found, spec, name=name, shown=shown, needed_columns=columns)


def _has_same_file(baseline: Snapshot | None, candidate: Snapshot, name: str) -> bool:
    """Return whether both sides' predictions are the same bytes, which need not be read twice."""
    before, after = baseline and baseline.predictions.get(name), candidate.predictions.get(name)
    if not (isinstance(before, Path) and isinstance(after, Path)):
        return False
    try:
        return filecmp.cmp(before, after, shallow=False)
    except OSError:
        return False  # reading it reports the error


def _is_same_model(baseline: Snapshot | None, candidate: Snapshot, name: str) -> bool:
    """Return whether both sides' predictions were written by one model: from the same inputs, or into one file."""
    if baseline is None:
        return False
    before, after = baseline.predictions.get(name), candidate.predictions.get(name)
    if isinstance(before, Path) and isinstance(after, Path) and before.samefile(after):
        return True
    return bool(baseline.inputs) and baseline.inputs == candidate.inputs


def _read_baseline(
    baseline: Snapshot | None, name: str, spec: PredictionsSpec, columns: frozenset[str]
) -> Predictions | None:
    """Return the baseline's predictions; None where it never had any, so that relative gates are skipped visibly."""
    if baseline is None:
        return None
    found = baseline.predictions.get(name)
    if found is None or (isinstance(found, Unreadable) and found.missing):
        return None
    return _read_side(baseline, "baseline", name, spec, columns)
