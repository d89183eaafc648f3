"""The baseline's stored model, evaluated on rows that only the candidate has and neither model was trained on."""

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
from metricgate.models.snapshot import FilePart, Snapshot, Unreadable
from metricgate.predictions import ChangedTestSet, ComparableRows, FreshRows, count_rows
from metricgate.settings.policy import EvaluationSpec, Policy


@dataclass(frozen=True, kw_only=True)
class CompletedBaseline:
    """The baseline's snapshot with answers on fresh rows, counts of new rows by prediction set, and warnings."""

    snapshot: Snapshot
    fresh: Mapping[str, FreshRows] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Warning_, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Both snapshots, each with the policy of its own revision."""

    baseline: Snapshot
    candidate: Snapshot
    baseline_policy: Policy
    candidate_policy: Policy
    without_absent: bool = False  # the candidate's rows are the reference: the baseline's older ones are not judged


def complete_baseline(context: RunContext, sides: Sides) -> CompletedBaseline:
    """Evaluate the baseline's stored model on the candidate's new rows, if ``evaluation`` in the policy says how.

    Rows in either model's training data are left out of the comparison. If a step fails, the baseline keeps its own
    rows and a warning says why: fewer rows are compared, and the verdict stays valid.
    """
    kept = CompletedBaseline(snapshot=sides.baseline)
    own, other = sides.baseline_policy.evaluation, sides.candidate_policy.evaluation
    if own is None or not own.train:
        return kept
    tests = _find_changed_tests(sides)
    if not tests:
        return kept
    rows = count_rows(sum(test.new_rows for test in tests.values()), "is")
    try:
        if other is None or not other.train:
            raise WorkspaceError(
                "The candidate's metricgate.yaml no longer names its training data.",
                expected="`evaluation:` with `train:`, as in the baseline's.",
                fix="keep `evaluation` in metricgate.yaml.",
                topic="new-rows-cannot-be-judged",
            )
        work = _Work(context, sides, own, other)
        return work.complete(tests)
    except CancelledError:
        raise
    except MetricgateError as error:
        text = (
            f"{rows} new in the candidate's test data, and the baseline's model could not be evaluated on them: "
            f"{error.what.rstrip('.')}. Only rows of both test sets are compared. "
            f"{error.fix[:1].upper()}{error.fix[1:]}"
        )
        return replace(kept, warnings=(Warning_(code="evaluation_failed", text=text),))


def _find_changed_tests(sides: Sides) -> dict[str, ChangedTestSet]:
    """Return the prediction sets with ids, by name, in which the candidate has rows that the baseline lacks."""
    found = {}
    for name, spec in sides.candidate_policy.prediction_sets.items():
        before = sides.baseline_policy.prediction_sets.get(name, spec)
        stored, own = sides.baseline.predictions.get(name), sides.candidate.predictions.get(name)
        if not (spec.id and before.id and isinstance(stored, Path) and isinstance(own, Path)):
            continue
        try:
            test = ChangedTestSet.read(stored, before, own, spec)
        except PredictionsError:
            continue  # judging reads the files again, and reports the error
        if test.new_rows:
            found[name] = test
    return found


@dataclass(frozen=True)
class _Work:
    """What the steps share."""

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

    def complete(self, tests: Mapping[str, ChangedTestSet]) -> CompletedBaseline:
        with self.context.progress.step("Rows that only the candidate has"):
            training = (
                self._fetch_training("baseline", self.baseline, self.own),
                self._fetch_training("candidate", self.candidate, self.other),
            )
            trains = (self.own.train, self.other.train)
            named = [dict(zip(names, files, strict=True)) for names, files in zip(trains, training, strict=True)]
            rows = {name: test.sort_out(*named) for name, test in tests.items()}
        answers = self._evaluate() if any(one.counts.fresh for one in rows.values()) else {}
        if self.sides.without_absent:
            rows = {name: tests[name].drop_absent(one) for name, one in rows.items()}
        joined = {name: _join_answers(test, rows[name], answers.get(name)) for name, test in tests.items()}
        predictions = MappingProxyType({**self.sides.baseline.predictions, **joined})
        return CompletedBaseline(
            snapshot=replace(self.sides.baseline, predictions=predictions),
            fresh={name: one.counts for name, one in rows.items()},
            warnings=self._name_other_training_data(),
        )

    def _name_other_training_data(self) -> tuple[Warning_, ...]:
        """Return a warning if the change itself edits which rows count as trained on."""
        if self.own.train == self.other.train:
            return ()
        before, after = (", ".join(spec.train) for spec in (self.own, self.other))
        text = (
            f"This change edits the training data that `evaluation` names: {after} instead of {before}. "
            "Rows in neither count as fresh for both models."
        )
        return (Warning_(code="evaluation_changed", text=text),)

    def _fetch_training(self, side: str, origin: FileOrigin, spec: EvaluationSpec) -> tuple[Path, ...]:
        tree = WorkTree(
            context=self.context,
            directory=self.context.checkout.directory,
            files=self.context.scratch / f"training-{side}",
            name=f"{side}-training",
        )
        return fetch_files(tree, origin, spec.train)

    def _evaluate(self) -> Mapping[str, Path | Unreadable]:
        case = EvaluationCase(model=self.baseline, data=self.candidate, data_path=self.other.data)
        return evaluate_model(self.context, case, self.sides.baseline_policy)


def _join_answers(
    test: ChangedTestSet, rows: ComparableRows, answers: Path | Unreadable | None
) -> tuple[FilePart, ...] | Unreadable:
    """Return the baseline's predictions on all rows that may be compared."""
    if not rows.comparable:
        reason = "every row of the candidate's test data is in the training data of one of the models"
        return Unreadable(what=test.spec.path, reason=reason)
    if not rows.counts.fresh:
        return test.join(rows)
    if not isinstance(answers, Path):
        raise WorkspaceError(
            f"The evaluation command did not write {test.spec.path}.",
            expected="a command that writes the predictions to `predictions.path`.",
            fix="correct `evaluation` in metricgate.yaml.",
            topic="new-rows-cannot-be-judged",
        )
    _refuse_another_model(test, answers)
    fresh = test.find_fresh(rows, answers)
    missing = rows.counts.fresh - int(fresh.selected.sum())
    if missing > 0:
        raise WorkspaceError(
            f"The evaluation command wrote no prediction for {count_rows(missing)}.",
            expected="a prediction for each row of the candidate's test data.",
            fix="check `evaluation.data` in metricgate.yaml.",
            topic="new-rows-cannot-be-judged",
        )
    return test.join(rows, fresh)


def _refuse_another_model(test: ChangedTestSet, answers: Path) -> None:
    """Raise WorkspaceError if ``answers`` differ from the stored predictions on rows that both have."""
    differing, common = test.check_model(answers)
    if differing:
        raise WorkspaceError(
            f"On {differing:,} of {count_rows(common)} in both files, its answers differ from its stored predictions.",
            expected="the model that made the baseline's predictions, with the code around it.",
            fix="check `evaluation` in metricgate.yaml: command, model, and that the data of old rows did not change.",
            topic="new-rows-cannot-be-judged",
        )
