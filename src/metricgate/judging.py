"""From two snapshots to a report: read the predictions, judge, measure, and lay everything out as one value."""

import filecmp
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from metricgate import __version__
from metricgate.comparison.changes import NO_COUNTS, list_changes
from metricgate.comparison.measurement import all_slices, measure
from metricgate.comparison.numbers import disagreeing_numbers, measure_numbers
from metricgate.comparison.subject import Subject
from metricgate.errors import MetricgateError, PredictionsError, TimeLimitError
from metricgate.gates.judge import Evidence, judge_policy, tail_of
from metricgate.gates.verdict import decide_verdict, exit_code_of
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import Change, ChartData, GateRow, Location, MetricRow, Pairing, Warning_
from metricgate.models.snapshot import FileCounts, RevisionInfo, Snapshot, Unreadable
from metricgate.predictions import (
    FreshRows,
    NoCommonRowsError,
    Predictions,
    note_fresh_rows,
    pair_predictions,
    read_predictions,
)
from metricgate.report.figures.dvc_plots import build_plots
from metricgate.report.figures.forest import build_forest
from metricgate.report.figures.task_charts import build_charts
from metricgate.report.value import Acceptance, Failure, Report
from metricgate.settings.policy import Policy, PredictionsSpec
from metricgate.settings.selection import PolicyChoice
from metricgate.stats.formula import is_formula, parse_formula
from metricgate.stats.registry import list_metrics, main_metrics

EXIT_CANCELLED = 130
NO_POLICY_REASON = "no policy: nothing was judged"
NO_FRESH_ROWS: Mapping[str, FreshRows] = MappingProxyType({})
NO_POLICY_HINT = "Run `metricgate init` to write a metricgate.yaml with predictions and gates."


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is to be judged, and by which policy. ``anchor`` is the snapshot of the policy's frozen release."""

    baseline: Snapshot | None
    candidate: Snapshot
    choice: PolicyChoice
    anchor: Snapshot | None = None
    fresh: Mapping[str, FreshRows] = field(default_factory=lambda: NO_FRESH_ROWS)  # by prediction set
    evaluation_lines: str = ""  # of metricgate.yaml: how this project would name its evaluation
    id: str = "default"
    warnings: tuple[Warning_, ...] = ()
    sources: tuple[Change, ...] = ()  # changed files of the pipeline
    file_counts: Mapping[str, FileCounts] = field(default_factory=lambda: NO_COUNTS)  # of changed folders, by path
    policy_path: str = ""  # the policy file, relative to the repository
    accepted: Acceptance | None = None
    reproduce: str = ""


def judge(case: Case) -> Report:
    """Judge the candidate and describe the outcome. An error of the predictions still reports the pipeline's numbers."""
    try:
        evidence = gather(case.baseline, case.candidate, case.choice, case.fresh)
        anchor = gather(case.anchor, case.candidate, case.choice) if case.anchor else None
        return _report(case, evidence, anchor)
    except NoCommonRowsError as error:
        return report_failure(error, case).model_copy(update={"missing_policy": case.evaluation_lines})
    except MetricgateError as error:
        return report_failure(error, case)


def report_failure(error: MetricgateError, case: Case | None = None, *, id_: str = "default") -> Report:
    """Describe a run that could not judge, with what is known of the two revisions nevertheless."""
    known = {} if case is None else _known(case)
    return Report(
        metricgate=__version__,
        verdict=Verdict.CANCELLED if error.exit_code == EXIT_CANCELLED else Verdict.ERROR,
        reason=error.what,
        exit_code=error.exit_code,
        failure=Failure(
            title=error.title,
            what=error.what,
            expected=error.expected,
            fix=error.fix,
            details=error.details,
            anchor=error.anchor,
            exit_code=error.exit_code,
            timed_out=isinstance(error, TimeLimitError),
        ),
        **{"id": id_, **known},
    )


def report_skip(reason: str, *, id_: str) -> Report:
    """Describe a run that was not to judge."""
    return Report(metricgate=__version__, id=id_, verdict=Verdict.SKIPPED, reason=reason, exit_code=0)


def _known(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "baseline": case.baseline.info if case.baseline else None,
        "candidate": case.candidate.info,
        "metrics": measure_numbers(case.baseline, case.candidate),
        "changes": (*list_changes(case.baseline, case.candidate, case.file_counts), *case.sources)
        if case.baseline
        else (),
        "baseline_stages": case.baseline.stages if case.baseline else (),
        "candidate_stages": case.candidate.stages,
        "policy_origin": case.choice.origin,
        "warnings": (*case.choice.warnings, *case.warnings),
        "reproduce": case.reproduce,
    }


def gather(
    baseline: Snapshot | None,
    candidate: Snapshot,
    choice: PolicyChoice,
    fresh: Mapping[str, FreshRows] = NO_FRESH_ROWS,
) -> Evidence:
    """Read and pair the predictions of both snapshots, set by set; ``fresh``: what the baseline was judged on later.

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
            # Not an error of the run: else the change that mends the baseline could never be merged.
            subjects[name] = Subject(name=name, candidate=own, baseline_problem=error.what)
            continue
        paired = None if other is None else pair_predictions(other, own)
        if paired is not None:
            pairing = paired.pairing.model_copy(update={"path": spec.path})
            paired = replace(paired, pairing=note_fresh_rows(pairing, fresh[name]) if name in fresh else pairing)
        subjects[name] = Subject(name=name, candidate=own, paired=paired)
    return Evidence(subjects=subjects, baseline=baseline, candidate=candidate)


def _formula_columns(choice: PolicyChoice) -> frozenset[str]:
    """Give the columns that formulas in gates and anchor read, of the judging and of the proposed policy."""
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
    """Tell whether both sides' predictions are the same bytes, which need not be read twice."""
    before, after = baseline and baseline.predictions.get(name), candidate.predictions.get(name)
    return isinstance(before, Path) and isinstance(after, Path) and filecmp.cmp(before, after, shallow=False)


def _read_baseline(
    baseline: Snapshot | None, name: str, spec: PredictionsSpec, columns: frozenset[str]
) -> Predictions | None:
    """Read the baseline's predictions; None where it never had any, which skips relative gates visibly."""
    if baseline is None:
        return None
    found = baseline.predictions.get(name)
    if found is None or (isinstance(found, Unreadable) and found.missing):
        return None
    return _read_side(baseline, "baseline", name, spec, columns)


def _report(case: Case, evidence: Evidence, anchor: Evidence | None) -> Report:
    policy = case.choice.judging
    nothing_to_judge = not policy.gates and not evidence.subjects
    locations = [Location(path=case.policy_path, line=line) for line in case.choice.gate_lines]
    gates = () if nothing_to_judge else judge_policy(policy, evidence, anchor=anchor, locations=locations)
    verdict = decide_verdict(gates)
    if case.choice.capped and verdict is Verdict.PASSED:
        verdict = Verdict.INCONCLUSIVE
    accepted = case.accepted if verdict is Verdict.FAILED else None
    exit_code = exit_code_of(verdict, gates, policy.on_inconclusive)
    if accepted:
        verdict, exit_code = Verdict.PASSED, 0
    rows = _measure(evidence, policy, gates)
    plots = build_plots(evidence.baseline, evidence.candidate)
    return Report.model_validate(
        {
            "metricgate": __version__,
            "verdict": verdict,
            "reason": NO_POLICY_REASON if nothing_to_judge else _reason(verdict, gates),
            "exit_code": exit_code,
            "confidence": policy.confidence,
            "pairings": tuple(s.pairing for s in evidence.subjects.values() if s.pairing),
            "gates": gates,
            "charts": (*_draw(evidence, gates), *plots.charts),
            "chart_notes": plots.notes,
            "candidate_policy": _say_proposed(case.choice, evidence),
            "power": next((gate.power for gate in gates if gate.power), ""),
            "hints": (NO_POLICY_HINT,) if nothing_to_judge or case.choice.is_default else (),
            "missing_policy": case.evaluation_lines if _has_unjudged_rows(evidence) else "",
            "accepted": accepted,
            **_known(case),
            **_count_rows(case, evidence),
            "warnings": (
                *case.choice.warnings,
                *case.warnings,
                *_warnings(evidence, rows),
                *_find_changed_content(case, evidence),
            ),
            "metrics": rows,
        }
    )


def _has_unjudged_rows(evidence: Evidence) -> bool:
    """Tell whether the candidate has test rows that the baseline's model was not judged on."""
    pairings = [subject.pairing for subject in evidence.subjects.values() if subject.pairing]
    return any(pairing.method == "id" and pairing.only_candidate > pairing.trained for pairing in pairings)


def _count_rows(case: Case, evidence: Evidence) -> dict[str, RevisionInfo]:
    """Give both sides' descriptions with the rows of the first prediction set."""
    subject = next(iter(evidence.subjects.values()), None)
    if subject is None:
        return {}
    candidate = case.candidate.info.model_copy(update={"rows": subject.candidate.rows})
    if case.baseline is None or subject.pairing is None:
        return {"candidate": candidate}
    rows = {"rows": subject.pairing.baseline_rows}
    return {"candidate": candidate, "baseline": case.baseline.info.model_copy(update=rows)}


def _measure(evidence: Evidence, policy: Policy, gates: Iterable[GateRow]) -> tuple[MetricRow, ...]:
    """Measure every metric that the columns allow; on slices, with a policy, those that it gates and the main ones."""
    tail = tail_of(policy)
    gated = {(gate.set, gate.metric) for gate in gates if gate.source == "predictions"}
    rows: list[MetricRow] = []
    for name, subject in evidence.subjects.items():
        available = list_metrics(subject.candidate.sample)
        names = {metric.name for metric in available}
        extra = tuple(subject.find(metric) for set_, metric in sorted(gated) if set_ == name and metric not in names)
        metrics = (*available, *extra)
        wanted = {metric for set_, metric in gated if set_ == name} | set(main_metrics(subject.candidate.task))
        on_slices = [metric for metric in metrics if not policy.gates or metric.name in wanted]
        rows += measure(subject, metrics, tail=tail)
        rows += measure(subject, on_slices, tail=tail, slices=all_slices(subject))
    return (*rows, *measure_numbers(evidence.baseline, evidence.candidate))


def _warnings(evidence: Evidence, rows: Iterable[MetricRow]) -> tuple[Warning_, ...]:
    test_set = [
        Warning_(code="test_set_changed", text=f"The test data changed: {note}")
        for subject in evidence.subjects.values()
        if subject.pairing and subject.pairing.test_set_changed
        for note in subject.pairing.notes[:1]
    ]
    problems = [
        Warning_(code="unreadable", text=f"{problem.what} of the {side} is unreadable: {problem.reason}")
        for side, snapshot in (("baseline", evidence.baseline), ("candidate", evidence.candidate))
        if snapshot
        for problem in snapshot.problems
    ]
    lost = [
        Warning_(code="no_baseline_predictions", text="The baseline has no predictions; only absolute gates judge.")
        for subject in evidence.subjects.values()
        if subject.paired is None and evidence.baseline is not None and not subject.baseline_problem
    ]
    broken = [
        Warning_(code="unreadable_baseline", text=f"The baseline cannot be compared with: {subject.baseline_problem}")
        for subject in evidence.subjects.values()
        if subject.baseline_problem
    ]
    # A file's numbers are those of all test rows: of fewer, they must differ.
    whole = {name for name, subject in evidence.subjects.items() if _is_whole(subject.pairing)}
    disagreeing = disagreeing_numbers([row for row in rows if row.source != "predictions" or row.set in whole])
    return (*test_set, *lost, *broken, *problems, *disagreeing)


def _find_changed_content(case: Case, evidence: Evidence) -> tuple[Warning_, ...]:
    """Warn where the test data that `evaluation` names is another one behind the same ids and labels."""
    specs = (case.choice.baseline.evaluation, case.choice.candidate.evaluation)
    pairings = [subject.pairing for subject in evidence.subjects.values() if subject.pairing]
    if case.baseline is None or None in specs or any(pairing.test_set_changed for pairing in pairings):
        return ()
    before, after = (
        next((entry.hash for entry in snapshot.data if spec and entry.path == spec.data), None)
        for spec, snapshot in zip(specs, (case.baseline, case.candidate), strict=True)
    )
    if before is None or after is None or before == after:
        return ()
    path = specs[1].data if specs[1] else ""
    text = (
        f"The content of {path} changed behind the same ids and labels: each model is judged on its own version of it."
    )
    return (Warning_(code="test_data_changed", text=text),)


def _is_whole(pairing: Pairing | None) -> bool:
    return pairing is None or pairing.rows == pairing.candidate_rows


def _draw(evidence: Evidence, gates: tuple[GateRow, ...]) -> tuple[ChartData, ...]:
    """Give the charts of what differs: two equal curves show nothing, and the commonest run of all has no others."""
    forest = build_forest([gate for gate in gates if gate.reason_code != "identical"])
    differing = {name: subject for name, subject in evidence.subjects.items() if not _is_identical(subject)}
    pairs = {name: subject.pair(None) for name, subject in differing.items()}
    charts = [chart for name, pair in pairs.items() if pair for chart in build_charts(pair, name=name)]
    return (*((forest,) if forest else ()), *charts)


def _is_identical(subject: Subject) -> bool:
    return subject.pairing is not None and subject.pairing.identical


def _say_proposed(choice: PolicyChoice, evidence: Evidence) -> str:
    """Say what the candidate's own gates would have said, where this change edits the policy."""
    if choice.proposed is None:
        return ""
    try:
        gates = judge_policy(choice.proposed, evidence)
    except MetricgateError as error:
        return f"By the gates that this change proposes, the run would end in an error: {error.what}"
    return f"By the gates that this change proposes, the verdict would be {decide_verdict(gates)}."


def _reason(verdict: Verdict, gates: tuple[GateRow, ...]) -> str:
    """Give the verdict's reason in one plain sentence: the first gate that led to it."""
    if verdict is Verdict.PASSED:
        count = sum(gate.outcome is Outcome.PASSED for gate in gates)
        if all(gate.reason_code == "identical" for gate in gates):
            return "no change: predictions are identical"
        return f"no loss beyond what is allowed ({count} of {len(gates)} gates judged)"
    deciding = [gate for gate in gates if gate.outcome.value == verdict.value]
    if not deciding:
        return NO_POLICY_REASON if not gates else "the baseline's policy is invalid: a passed run is capped"
    more = f", and {len(deciding) - 1} more" if len(deciding) > 1 else ""
    return f"{deciding[0].rule}: {deciding[0].reason}{more}"
