"""Each side's stored model, evaluated on rows that only the other has and neither model was trained on."""

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
class CompletedSides:
    """Both snapshots, each with answers on rows of the other; counts of these by prediction set, and warnings."""

    baseline: Snapshot
    candidate: Snapshot
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


def complete_sides(context: RunContext, sides: Sides) -> CompletedSides:
    """Evaluate each side's model on rows that only the other side has, if ``evaluation`` in the policy says how.

    Rows in either model's training data are left out of the comparison; of rows that the candidate lacks, only those
    of a split that moved. If a step fails, a side keeps its own rows and a warning says why: fewer rows are compared,
    or the candidate's worst answers are assumed, and the verdict stays valid.
    """
    kept = CompletedSides(baseline=sides.baseline, candidate=sides.candidate)
    own, other = sides.baseline_policy.evaluation, sides.candidate_policy.evaluation
    if own is None or not own.train:
        return kept
    tests = _find_changed_tests(sides)
    if not tests:
        return kept
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
        return replace(kept, warnings=(_warn_failed(error, tests),))


def _warn_failed(error: MetricgateError, tests: Mapping[str, ChangedTestSet]) -> Warning_:
    counts = (
        (sum(test.new_rows for test in tests.values()), "new in the candidate's test data"),
        (sum(test.absent_rows for test in tests.values()), "missing from it"),
    )
    rows = " and ".join(f"{count_rows(count, 'is')} {what}" for count, what in counts if count)
    return Warning_(
        code="evaluation_failed",
        text=f"{rows}, and no model could be evaluated on them: {error.what.rstrip('.')}. "
        f"Only rows of both test sets are compared. {error.fix[:1].upper()}{error.fix[1:]}",
    )


def _find_changed_tests(sides: Sides) -> dict[str, ChangedTestSet]:
    """Return the prediction sets with ids, by name, in which one side has rows that the other lacks."""
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
        if test.new_rows or (test.absent_rows and not sides.without_absent):
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

    def complete(self, tests: Mapping[str, ChangedTestSet]) -> CompletedSides:
        with self.context.progress.step("Rows that only one side has"):
            training = (
                self._fetch_training("baseline", self.baseline, self.own),
                self._fetch_training("candidate", self.candidate, self.other),
            )
            trains = (self.own.train, self.other.train)
            named = [dict(zip(names, files, strict=True)) for names, files in zip(trains, training, strict=True)]
            rows = {name: test.sort_out(*named) for name, test in tests.items()}
            settle = ChangedTestSet.drop_absent if self.sides.without_absent else ChangedTestSet.leave_moved_out
            rows = {name: settle(tests[name], one) for name, one in rows.items()}
        answers = self._evaluate_baseline() if any(one.counts.fresh for one in rows.values()) else {}
        joined = {name: _join_answers(test, rows[name], answers.get(name)) for name, test in tests.items()}
        candidate, rows, warnings = self._answer_absent(tests, rows)
        predictions = MappingProxyType({**self.sides.baseline.predictions, **joined})
        return CompletedSides(
            baseline=replace(self.sides.baseline, predictions=predictions),
            candidate=candidate,
            fresh={name: one.counts for name, one in rows.items()},
            warnings=(*self._name_other_training_data(), *warnings),
        )

    def _answer_absent(
        self, tests: Mapping[str, ChangedTestSet], rows: Mapping[str, ComparableRows]
    ) -> tuple[Snapshot, dict[str, ComparableRows], tuple[Warning_, ...]]:
        """Return the candidate with its model's answers on rows that it lacks; a failure leaves it as it is."""
        own, counted = self.sides.candidate, dict(rows)
        absent = {} if self.sides.without_absent else {name: tests[name] for name in tests if rows[name].absent.any()}
        if not absent:
            return own, counted, ()
        try:
            answers = self._evaluate_candidate()
            parts = {name: _join_absent(test, rows[name], answers.get(name)) for name, test in absent.items()}
        except CancelledError:
            raise
        except MetricgateError as error:
            count = count_rows(sum(int(rows[name].absent.sum()) for name in absent), "is")
            text = (
                f"{count} missing from the candidate's test data, and its model could not be evaluated on them: "
                f"{error.what.rstrip('.')}. Its worst answers are assumed there. {error.fix[:1].upper()}{error.fix[1:]}"
            )
            return own, counted, (Warning_(code="evaluation_failed", text=text),)
        for name in absent:
            one = counted[name]
            counted[name] = replace(one, counts=replace(one.counts, answered=int(one.absent.sum())))
        return replace(own, predictions=MappingProxyType({**own.predictions, **parts})), counted, ()

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

    def _evaluate_baseline(self) -> Mapping[str, Path | Unreadable]:
        case = EvaluationCase(model=self.baseline, data=self.candidate, data_path=self.other.data)
        return evaluate_model(self.context, case, self.sides.baseline_policy)

    def _evaluate_candidate(self) -> Mapping[str, Path | Unreadable]:
        case = EvaluationCase(model=self.candidate, data=self.baseline, data_path=self.own.data)
        return evaluate_model(self.context, case, self.sides.candidate_policy)


def _join_answers(
    test: ChangedTestSet, rows: ComparableRows, answers: Path | Unreadable | None
) -> tuple[FilePart, ...] | Unreadable:
    """Return the baseline's predictions on all rows that may be compared."""
    if not rows.comparable:
        reason = "every row of the candidate's test data is in the training data of one of the models"
        return Unreadable(what=test.spec.path, reason=reason)
    if not rows.counts.fresh:
        return test.join(rows)
    written = _require_answers(answers, test.spec.path)
    _refuse_another_model("baseline", *test.check_model(written))
    fresh = test.find_fresh(rows, written)
    _require_complete(rows.counts.fresh, fresh, "candidate")
    return test.join(rows, fresh)


def _join_absent(test: ChangedTestSet, rows: ComparableRows, answers: Path | Unreadable | None) -> tuple[FilePart, ...]:
    """Return the candidate's predictions, and its model's answers on rows that only the baseline has."""
    written = _require_answers(answers, test.own_spec.path)
    _refuse_another_model("candidate", *test.check_candidate(written))
    absent = test.find_absent(rows, written)
    _require_complete(int(rows.absent.sum()), absent, "baseline")
    return test.join_candidate(absent)


def _require_answers(answers: Path | Unreadable | None, path: str) -> Path:
    if not isinstance(answers, Path):
        raise WorkspaceError(
            f"The evaluation command did not write {path}.",
            expected="a command that writes the predictions to `predictions.path`.",
            fix="correct `evaluation` in metricgate.yaml.",
            topic="new-rows-cannot-be-judged",
        )
    return answers


def _require_complete(wanted: int, found: FilePart, owner: str) -> None:
    missing = wanted - int(found.selected.sum())
    if missing > 0:
        raise WorkspaceError(
            f"The evaluation command wrote no prediction for {count_rows(missing)}.",
            expected=f"a prediction for each row of the {owner}'s test data.",
            fix="check `evaluation.data` in metricgate.yaml.",
            topic="new-rows-cannot-be-judged",
        )


def _refuse_another_model(side: str, differing: int, common: int) -> None:
    """Raise WorkspaceError if a model's answers differ from the stored predictions on rows that both have."""
    if differing:
        raise WorkspaceError(
            f"On {differing:,} of {count_rows(common)} in both files, its answers differ from its stored predictions.",
            expected=f"the model that made the {side}'s predictions, with the code around it.",
            fix="check `evaluation` in metricgate.yaml: command, model, and that the data of old rows did not change.",
            topic="new-rows-cannot-be-judged",
        )
