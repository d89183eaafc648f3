"""What gates are judged on: the predictions of both snapshots, read and paired set by set."""

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from metricgate.comparison.subject import Subject
from metricgate.errors import PredictionsError
from metricgate.models.result import Pairing
from metricgate.models.snapshot import Snapshot, Unreadable
from metricgate.predictions import FreshRows, Predictions, note_fresh_rows, pair_predictions, read_predictions
from metricgate.settings.policy import PredictionsSpec
from metricgate.settings.selection import PolicyChoice
from metricgate.stats.formula import is_formula, parse_formula

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
        If the candidate's predictions are missing, or a side's cannot be read or paired.
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
            # Not an error of the run: the change that repairs the baseline could never be merged.
            subjects[name] = Subject(name=name, candidate=own, baseline_problem=error.what)
            continue
        paired = None if other is None else pair_predictions(other, own)
        if paired is not None:
            pairing = paired.pairing.model_copy(update={"path": spec.path})
            paired = replace(paired, pairing=note_fresh_rows(pairing, fresh[name]) if name in fresh else pairing)
        subjects[name] = Subject(name=name, candidate=own, paired=paired)
    return Evidence(subjects=subjects, baseline=baseline, candidate=candidate)


def _formula_columns(choice: PolicyChoice) -> frozenset[str]:
    """Return the columns that formulas in gates and anchor read, of the judging and of the proposed policy."""
    return frozenset(
        column
        for policy in (choice.judging, choice.proposed)
        if policy
        for name in policy.metric_names
        if is_formula(name)
        for column in parse_formula(name).columns
    )


def _read_side(snapshot: Snapshot, side: str, name: str, spec: PredictionsSpec, columns: frozenset[str]) -> Predictions:
    found = snapshot.predictions.get(name)
    if found is None or isinstance(found, Unreadable):
        reason = found.reason if found else "the file was not delivered"
        raise PredictionsError(
            f"The predictions of the {side} cannot be read: {spec.path}: {reason}.",
            expected="the file that `predictions.path` names, as an output of the pipeline or a file in Git.",
            fix="Check the path in metricgate.yaml and that the pipeline writes the file.",
        )
    shown = spec.path if snapshot.info.revision is None else f"{spec.path} ({side})"
    return read_predictions(found, spec, name=name, shown=shown, needed_columns=columns)


def _has_same_file(baseline: Snapshot | None, candidate: Snapshot, name: str) -> bool:
    """Return whether both sides' predictions are the same bytes, which need not be read twice."""
    before, after = baseline and baseline.predictions.get(name), candidate.predictions.get(name)
    return isinstance(before, Path) and isinstance(after, Path) and filecmp.cmp(before, after, shallow=False)


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
