"""Two snapshots and a policy in, a report out: gather the evidence, judge and measure it, and lay out one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from metricgate import __version__
from metricgate.comparison.caveats import list_caveats
from metricgate.comparison.evidence import NO_FRESH_ROWS, Evidence, gather, gather_anchor
from metricgate.comparison.file_numbers import measure_numbers
from metricgate.comparison.flipped_questions import list_flips
from metricgate.comparison.measurement import measure_evidence
from metricgate.comparison.noise_floor import show_noise, warn_of_noise
from metricgate.comparison.snapshot_changes import NO_COUNTS, list_changes
from metricgate.errors import ConfigurationError, MetricgateError
from metricgate.gates.decidable_rules import UndecidingRuleError
from metricgate.gates.judge import judge_policy, tail_of
from metricgate.gates.policy_check import check_policy, warn_never_found
from metricgate.gates.verdict import NO_POLICY_REASON, decide_verdict, exit_code_of, explain_verdict, is_acceptable
from metricgate.models.model_test import ModelTestReport
from metricgate.models.noise import NoiseResult
from metricgate.models.outcome import Verdict
from metricgate.models.proof import JudgedModel
from metricgate.models.result import Change, ChartData, Flips, GateRow, Location, MetricRow, Warning_
from metricgate.models.serving import ServingReport
from metricgate.models.snapshot import FileCounts, RevisionInfo, Snapshot
from metricgate.predictions import FreshRows, NoCommonRowsError
from metricgate.report.failure import describe_failure, verdict_of
from metricgate.report.figures.dvc_plots import build_plots
from metricgate.report.figures.forest import build_forest
from metricgate.report.figures.task_charts import build_charts
from metricgate.report.value import Acceptance, Failure, Report
from metricgate.settings.policy import Policy
from metricgate.settings.selection import PolicyChoice, replace_unusable

MAX_PARAMETERS, MAX_DATA = 1000, 200
NO_POLICY_HINT = "Run `metricgate init` to write a metricgate.yaml with predictions and gates."


@dataclass(frozen=True, kw_only=True)
class Case:
    """What to judge, and by which policy. ``anchor`` is the snapshot of the policy's frozen release."""

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
    noise: NoiseResult | None = None  # of the recipe, where it was measured
    other_gates: tuple[GateRow, ...] = ()  # judged already, from other evidence than snapshots
    model_tests: ModelTestReport | None = None
    serving: ServingReport | None = None
    model: JudgedModel | None = None


@dataclass(frozen=True, kw_only=True)
class _Findings:
    """What judging finds out about a case: the fields of a report that the case itself does not know."""

    verdict: Verdict
    reason: str
    exit_code: int
    metrics: tuple[MetricRow, ...]
    confidence: float = 0.95
    evidence: Evidence | None = None
    gates: tuple[GateRow, ...] = ()
    flips: tuple[Flips, ...] = ()
    caveats: tuple[Warning_, ...] = ()
    charts: tuple[ChartData, ...] = ()
    chart_notes: tuple[str, ...] = ()
    candidate_policy: str = ""
    hints: tuple[str, ...] = ()
    missing_policy: str = ""
    accepted: Acceptance | None = None
    failure: Failure | None = None


def judge(case: Case) -> Report:
    """Judge the candidate and return the report. An error of the predictions still reports the pipeline's numbers."""
    try:
        case, evidence = _gather_usable(case)
        anchor = gather_anchor(case.anchor, case.candidate, case.choice, evidence) if case.anchor else None
        findings = _judge(case, evidence, anchor)
    except MetricgateError as error:
        findings = _Findings(
            verdict=verdict_of(error),
            reason=error.what,
            exit_code=error.exit_code,
            metrics=measure_numbers(case.baseline, case.candidate),
            missing_policy=case.evaluation_lines if isinstance(error, NoCommonRowsError) else "",
            failure=describe_failure(error),
        )
    return apply_enforcement(_lay_out(case, findings), case.choice.judging)


def apply_enforcement(report: Report, policy: Policy) -> Report:
    """Return the report of a run whose policy may say that no verdict blocks."""
    if policy.enforce or report.verdict is Verdict.CANCELLED:
        return report
    return report.model_copy(update={"enforced": False, "exit_code": 0})


def _gather_usable(case: Case) -> tuple[Case, Evidence]:
    """Return the evidence, and the case with a policy that can be judged: if need be, the candidate's.

    Raises
    ------
    ConfigurationError
        If the candidate makes the policy impossible, or proposes one that is impossible.
    """
    try:
        evidence = gather(case.baseline, case.candidate, case.choice, case.fresh)
        check_policy(case.choice.judging, evidence)
    except ConfigurationError as error:
        if not _is_unusable(case, error):
            raise
        case = replace(case, choice=replace_unusable(case.choice, what=error.what))
        evidence = gather(case.baseline, case.candidate, case.choice, case.fresh)
        check_policy(case.choice.judging, evidence)
    if case.choice.proposed is not None:
        _check_proposed(case.choice.proposed, evidence)
    return case, evidence


def _is_unusable(case: Case, error: ConfigurationError) -> bool:
    """Return whether the baseline's policy cannot be used on the baseline's own predictions, or on any, either."""
    policy = case.choice.baseline
    if case.baseline is None or case.choice.judging != policy or case.choice.candidate == policy:
        return False
    if isinstance(error, UndecidingRuleError):
        return True
    own = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin=case.choice.origin)
    try:
        check_policy(policy, gather(None, case.baseline, own))
    except MetricgateError:
        return True
    return False


def _check_proposed(policy: Policy, evidence: Evidence) -> None:
    try:
        check_policy(policy, evidence)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"The gates that this change proposes cannot be used. {error.what}",
            expected=error.expected,
            fix=error.fix,
            topic="the-gates-of-a-change-cannot-be-used",
        ) from error


def _judge(case: Case, evidence: Evidence, anchor: Evidence | None) -> _Findings:
    choice, policy = case.choice, case.choice.judging
    nothing_to_compare = not policy.gates and not evidence.subjects
    locations = [Location(path=case.policy_path, line=line) for line in choice.gate_lines]
    gates = () if nothing_to_compare else judge_policy(policy, evidence, anchor=anchor, locations=locations)
    gates = (*show_noise(gates, case.noise), *case.other_gates)
    nothing_to_judge = not gates and nothing_to_compare
    verdict = decide_verdict(gates)
    if choice.capped and verdict is Verdict.PASSED:
        verdict = Verdict.INCONCLUSIVE
    exit_code = exit_code_of(verdict, gates, policy.on_inconclusive)
    accepted = None
    if case.accepted and is_acceptable(verdict, gates):
        accepted = case.accepted.model_copy(update={"exit_code": exit_code})
        verdict, exit_code = Verdict.PASSED, 0
    gated = frozenset((gate.set, gate.metric) for gate in gates if gate.source == "predictions")
    rows = measure_evidence(evidence, gated, tail=tail_of(policy), all_on_slices=not policy.gates)
    proposed = judge_policy(choice.proposed, evidence) if choice.proposed else ()
    drawn = _draw(evidence, gates)
    plots = build_plots(evidence.baseline, evidence.candidate, drawn)
    return _Findings(
        verdict=verdict,
        reason=NO_POLICY_REASON if nothing_to_judge else explain_verdict(verdict, gates),
        exit_code=exit_code,
        metrics=rows,
        confidence=policy.confidence,
        evidence=evidence,
        gates=gates,
        flips=list_flips(evidence, gates),
        caveats=(
            *warn_never_found((*gates, *proposed), evidence),
            *list_caveats(evidence, rows, choice),
            *warn_of_noise(gates, case.noise),
        ),
        charts=(*drawn, *plots.charts),
        chart_notes=plots.notes,
        candidate_policy=_word_proposed(choice, proposed),
        hints=(NO_POLICY_HINT,) if nothing_to_judge or choice.is_default else (),
        missing_policy=case.evaluation_lines if _has_unjudged_rows(evidence) else "",
        accepted=accepted,
    )


def _lay_out(case: Case, findings: _Findings) -> Report:
    evidence = findings.evidence
    baseline, candidate = _count_rows(case, evidence)
    changes = list_changes(case.baseline, case.candidate, case.file_counts) if case.baseline else ()
    return Report(
        metricgate=__version__,
        id=case.id,
        verdict=findings.verdict,
        reason=findings.reason,
        exit_code=findings.exit_code,
        confidence=findings.confidence,
        baseline=baseline,
        candidate=candidate,
        pairings=evidence.pairings if evidence else (),
        metrics=findings.metrics,
        gates=findings.gates,
        flips=findings.flips,
        changes=(*changes, *case.sources) if case.baseline else (),
        baseline_stages=case.baseline.stages if case.baseline else (),
        candidate_stages=case.candidate.stages,
        parameters=case.candidate.parameters[:MAX_PARAMETERS],
        data=case.candidate.data[:MAX_DATA],
        not_reproduced=tuple(entry for entry in case.candidate.believed if entry.origin == "commit"),
        warnings=(*case.choice.warnings, *case.warnings, *findings.caveats),
        charts=findings.charts,
        chart_notes=findings.chart_notes,
        policy_origin=case.choice.origin,
        candidate_policy=findings.candidate_policy,
        power=next((gate.power for gate in findings.gates if gate.power), ""),
        hints=findings.hints,
        missing_policy=findings.missing_policy,
        reproduce=case.reproduce,
        model_tests=case.model_tests,
        serving=case.serving,
        model=case.model,
        accepted=findings.accepted,
        failure=findings.failure,
    )


def _count_rows(case: Case, evidence: Evidence | None) -> tuple[RevisionInfo | None, RevisionInfo]:
    """Return both sides' descriptions with the number of rows in the first prediction set."""
    baseline, candidate = case.baseline.info if case.baseline else None, case.candidate.info
    subject = next(iter(evidence.subjects.values()), None) if evidence else None
    if subject is None:
        return baseline, candidate
    if baseline and subject.pairing:
        baseline = baseline.model_copy(update={"rows": subject.pairing.baseline_rows})
    return baseline, candidate.model_copy(update={"rows": subject.candidate.rows})


def _has_unjudged_rows(evidence: Evidence) -> bool:
    """Return whether the candidate has test rows that the baseline's model was not judged on."""
    return any(pairing.method == "id" and pairing.only_candidate > pairing.trained for pairing in evidence.pairings)


def _draw(evidence: Evidence, gates: tuple[GateRow, ...]) -> tuple[ChartData, ...]:
    """Return the charts of what differs: two equal curves show nothing, and in most runs the models are equal."""
    forest = build_forest([gate for gate in gates if gate.reason_code != "identical"])
    differing = {
        name: subject
        for name, subject in evidence.subjects.items()
        if not (subject.pairing and subject.pairing.identical)
    }
    pairs = {name: subject.pair(None) for name, subject in differing.items()}
    charts = [chart for name, pair in pairs.items() if pair for chart in build_charts(pair, name=name)]
    return (*((forest,) if forest else ()), *charts)


def _word_proposed(choice: PolicyChoice, gates: tuple[GateRow, ...]) -> str:
    """Return the verdict by the candidate's own gates in a sentence, where this change edits the policy."""
    if choice.proposed is None:
        return ""
    return f"By the gates that this change proposes, the verdict would be {decide_verdict(gates)}."
