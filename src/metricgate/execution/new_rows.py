"""The baseline's results completed: its stored model judged on rows that only the candidate has, if no model saw them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from metricgate.context import RunContext
from metricgate.errors import CancelledError, MetricgateError, PredictionsError, WorkspaceError
from metricgate.execution.evaluation import EvaluationCase, evaluate_model
from metricgate.execution.file_copies import FileOrigin, fetch_files
from metricgate.execution.work_tree import WorkTree
from metricgate.models.result import Warning_
from metricgate.models.snapshot import Snapshot, Unreadable
from metricgate.predictions import read_predictions
from metricgate.predictions.fresh import (
    FreshRows,
    SortedRows,
    compare_answers,
    count_new_rows,
    is_among,
    read_ids,
    sort_rows_out,
)
from metricgate.predictions.keys import RowKeys
from metricgate.predictions.merging import merge_rows
from metricgate.predictions.wording import count_rows
from metricgate.settings.policy import EvaluationSpec, Policy, PredictionsSpec


@dataclass(frozen=True, kw_only=True)
class CompletedBaseline:
    """The baseline's snapshot, what became of the new rows of each prediction set, and what must be said."""

    snapshot: Snapshot
    fresh: Mapping[str, FreshRows] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Warning_, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Test:
    """One prediction set of both sides: files and ids."""

    name: str
    stored: Path
    spec: PredictionsSpec  # the baseline's own
    baseline: RowKeys
    candidate: RowKeys
    candidate_id: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Both snapshots, each with its own revision's policy."""

    baseline: Snapshot
    candidate: Snapshot
    baseline_policy: Policy
    candidate_policy: Policy


def complete_baseline(context: RunContext, sides: Sides) -> CompletedBaseline:
    """Let the baseline's stored model answer to the candidate's new rows, where ``evaluation`` says how.

    A row that is in either model's training data is never judged in this way, and left out of the comparison. What
    fails leaves the rows that both sides have as they are, and says so: fewer rows, and no verdict that is not earned.
    """
    kept = CompletedBaseline(snapshot=sides.baseline)
    own, other = sides.baseline_policy.evaluation, sides.candidate_policy.evaluation
    if own is None or not own.train:
        return kept
    tests = _find_changed_tests(sides)
    if not tests:
        return kept
    rows = count_rows(sum(count_new_rows(test.baseline, test.candidate) for test in tests), "is")
    try:
        if other is None or not other.train:
            raise WorkspaceError(
                "The candidate's metricgate.yaml no longer names its training data.",
                expected="`evaluation:` with `train:`, as at the baseline.",
                fix="keep `evaluation` in metricgate.yaml.",
            )
        work = _Work(context, sides, own, other)
        return work.complete(tests)
    except CancelledError:
        raise
    except MetricgateError as error:
        text = (
            f"{rows} new in the candidate's test data, and the baseline's model could not be judged on them: "
            f"{error.what.rstrip('.')}. Only rows of both test sets are compared. {error.fix[:1].upper()}{error.fix[1:]}"
        )
        return replace(kept, warnings=(Warning_(code="evaluation_failed", text=text),))


def _find_changed_tests(sides: Sides) -> list[_Test]:
    """Return the prediction sets with ids in which the candidate has rows that the baseline was not judged on."""
    found = []
    for name, spec in sides.candidate_policy.prediction_sets.items():
        before = sides.baseline_policy.prediction_sets.get(name, spec)
        stored, own = sides.baseline.predictions.get(name), sides.candidate.predictions.get(name)
        if not (spec.id and before.id and isinstance(stored, Path) and isinstance(own, Path)):
            continue
        try:
            ids = (read_ids(stored, before.id, shown=before.path), read_ids(own, spec.id, shown=spec.path))
        except PredictionsError:
            continue  # whoever judges reads them again, and says what is wrong with them
        if count_new_rows(*ids):
            found.append(
                _Test(name=name, stored=stored, spec=before, baseline=ids[0], candidate=ids[1], candidate_id=spec.id)
            )
    return found


@dataclass(frozen=True)
class _Work:
    """What the steps of a completion share."""

    context: RunContext
    sides: Sides
    own: EvaluationSpec
    other: EvaluationSpec

    @cached_property
    def baseline(self) -> FileOrigin:
        return FileOrigin.of_baseline(self.sides.baseline)

    @cached_property
    def candidate(self) -> FileOrigin:
        return FileOrigin.of_candidate(
            self.context.checkout, self.sides.candidate, self.sides.candidate_policy.pipeline
        )

    def complete(self, tests: list[_Test]) -> CompletedBaseline:
        with self.context.progress.step("Rows that only the candidate has"):
            training = (
                self._fetch_training("baseline", self.baseline, self.own),
                self._fetch_training("candidate", self.candidate, self.other),
            )
            rows = {test.name: self._sort_out(test, *training) for test in tests}
        answers = self._evaluate() if any(one.counts.fresh for one in rows.values()) else {}
        files = {test.name: self._merge(test, rows[test.name], answers.get(test.name)) for test in tests}
        predictions = MappingProxyType({**self.sides.baseline.predictions, **files})
        return CompletedBaseline(
            snapshot=replace(self.sides.baseline, predictions=predictions),
            fresh={name: one.counts for name, one in rows.items()},
            warnings=self._name_other_training_data(),
        )

    def _name_other_training_data(self) -> tuple[Warning_, ...]:
        """Say that the change chose itself which rows its model counts as trained on."""
        if self.own.train == self.other.train:
            return ()
        before, after = (", ".join(spec.train) for spec in (self.own, self.other))
        text = f"This change edits the training data that `evaluation` names: {after} instead of {before}. Rows that neither names count as fresh for both models."
        return (Warning_(code="evaluation_changed", text=text),)

    def _fetch_training(self, side: str, origin: FileOrigin, spec: EvaluationSpec) -> tuple[Path, ...]:
        tree = WorkTree(
            context=self.context,
            directory=self.context.checkout.directory,
            files=self.context.scratch / f"training-{side}",
            name=f"{side}-training",
        )
        return fetch_files(tree, origin, spec.train)

    def _sort_out(self, test: _Test, baseline: tuple[Path, ...], candidate: tuple[Path, ...]) -> SortedRows:
        seen = [read_ids(path, test.spec.id, shown=name) for path, name in zip(baseline, self.own.train, strict=True)]
        other = [
            read_ids(path, test.candidate_id, shown=name)
            for path, name in zip(candidate, self.other.train, strict=True)
        ]
        return sort_rows_out(test.baseline, test.candidate, seen, other)

    def _evaluate(self) -> Mapping[str, Path | Unreadable]:
        case = EvaluationCase(model=self.baseline, data=self.candidate, data_path=self.other.data)
        return evaluate_model(self.context, case, self.sides.baseline_policy)

    def _merge(self, test: _Test, rows: SortedRows, answers: Path | Unreadable | None) -> Path | Unreadable:
        """Write the baseline's predictions on all rows that may be compared."""
        if not rows.comparable:
            return Unreadable(
                what=test.spec.path, reason="one of the models was trained on every row of the candidate's"
            )
        parts = [(test.stored, rows.stored)]
        if rows.counts.fresh:
            if not isinstance(answers, Path):
                raise WorkspaceError(
                    f"The evaluation command did not write {test.spec.path}.",
                    expected="a command that writes the predictions where `predictions.path` says.",
                    fix="correct `evaluation` in metricgate.yaml.",
                )
            self._refuse_another_model(test, answers)
            ids = read_ids(answers, test.spec.id, shown=test.spec.path)
            fresh = is_among(ids, [rows.fresh])
            if int(fresh.sum()) < rows.counts.fresh:
                raise WorkspaceError(
                    f"The evaluation command gave no prediction for {count_rows(rows.counts.fresh - int(fresh.sum()))}.",
                    expected="a prediction for each row of the candidate's test data.",
                    fix="check `evaluation.data` in metricgate.yaml.",
                )
            parts.append((answers, fresh))
        target = self.context.scratch / "completed" / (test.name or "predictions") / "predictions.parquet"
        merge_rows(parts, target, shown=test.spec.path)
        return target

    def _refuse_another_model(self, test: _Test, answers: Path) -> None:
        """Refuse answers of what is not the model that gave the stored ones, seen on the rows that have both."""
        shown = test.spec.path
        stored, again = (read_predictions(path, test.spec, shown=shown) for path in (test.stored, answers))
        differing, checked = compare_answers(stored, again)
        if differing:
            raise WorkspaceError(
                f"On {differing:,} of {count_rows(checked)} that have both, it answers otherwise than its stored predictions.",
                expected="the model, and the code around it, that made the baseline's predictions.",
                fix="check `evaluation` in metricgate.yaml: command, model, and that the data of old rows did not change.",
            )
