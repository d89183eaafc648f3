"""What was measured, judged and laid out as a report."""

from dataclasses import dataclass

from metricgate import __version__
from metricgate.gates.drift_gates import MIN_ROWS, SOURCE, DriftRule, judge_drift
from metricgate.gates.verdict import EXIT_CODES, EXIT_INCONCLUSIVE, OnInconclusive, error_exit_code
from metricgate.models.outcome import Outcome, Role, Verdict
from metricgate.models.result import GateRow, Warning_
from metricgate.models.snapshot import RevisionInfo
from metricgate.models.watch import JOINT, PastFinding, Watch
from metricgate.monitoring.column_measurement import MeasuredColumn
from metricgate.monitoring.detector import DetectorFinding
from metricgate.report.figures.drift_charts import draw_watch
from metricgate.report.value import Report
from metricgate.report.watch_words import describe_watch
from metricgate.settings.monitor import ShownSpec

CONFIDENCE = 0.95
ALL_FAIL = ShownSpec(features="fail", predictions="fail", performance="fail")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Everything that a watching run found out, and how it is to be judged."""

    reference: RevisionInfo
    current: RevisionInfo
    columns: tuple[MeasuredColumn, ...]
    rules: tuple[DriftRule, ...]
    performance: tuple[GateRow, ...] = ()
    detector: DetectorFinding | None = None
    labelled_rows: int | None = None
    extra: tuple[str, ...] = ()  # columns that only the current rows have
    warnings: tuple[Warning_, ...] = ()
    hints: tuple[str, ...] = ()
    shown: ShownSpec = ALL_FAIL
    confidence: float = CONFIDENCE
    on_inconclusive: OnInconclusive = "warn"
    group: str = ""
    issue: bool = False
    model: str = ""
    past: tuple[PastFinding, ...] = ()
    id: str = "default"
    origin: str = "no policy: default margins"


def lay_out_watch(watched: Watched) -> Report:
    """Return the report of a watching run."""
    features = tuple(rule for rule in watched.rules if rule.role is Role.GUARDRAIL)
    answers = tuple(rule for rule in watched.rules if rule.role is Role.REQUIRED)
    drift = [row for family in (answers, features) for row in judge_drift(family, confidence=watched.confidence)]
    gates = (*watched.performance, *(watched.detector.gates if watched.detector else ()), *drift)
    shown = [column.feature for column in watched.columns] + ([watched.detector.feature] if watched.detector else [])
    verdict = decide_watch(gates, watched.shown)
    report = Report(
        metricgate=__version__,
        id=watched.id,
        verdict=verdict,
        reason="",
        exit_code=_exit_code(verdict, gates, watched.on_inconclusive),
        confidence=watched.confidence,
        baseline=watched.reference,
        candidate=watched.current,
        gates=gates,
        warnings=(*watched.warnings, *_warn_of_extra(watched.extra)),
        hints=watched.hints,
        watch=Watch(
            reference_rows=watched.reference.rows or 0,
            current_rows=watched.current.rows or 0,
            features=tuple(shown),
            warns=tuple(
                family
                for family in ("features", "predictions", "performance")
                if getattr(watched.shown, family) == "warn"
            ),
            group=watched.group,
            issue=watched.issue,
            model=watched.model,
            labelled_rows=watched.labelled_rows,
            past=watched.past,
        ),
        policy_origin=watched.origin,
    )
    histograms = {column.feature.name: column.histogram for column in watched.columns if column.histogram}
    return report.model_copy(update={"reason": describe_watch(report), "charts": draw_watch(report, histograms)})


def decide_watch(gates: tuple[GateRow, ...], shown: ShownSpec) -> Verdict:
    """Return the verdict.

    What only warns does not fail. An undecided feature leaves the verdict open only where no feature could be decided.
    """
    if any(gate.outcome is Outcome.ERROR for gate in gates):
        return Verdict.ERROR
    if any(gate.outcome is Outcome.FAILED and getattr(shown, family_of(gate)) == "fail" for gate in gates):
        return Verdict.FAILED
    judged = [gate for gate in gates if gate.outcome is not Outcome.SKIPPED]
    if not judged:
        return Verdict.SKIPPED
    undecided = [gate for gate in judged if gate.outcome is Outcome.INCONCLUSIVE]
    few = all(gate.source == SOURCE and (gate.rows or 0) < MIN_ROWS for gate in judged)
    required = any(gate.role is Role.REQUIRED and getattr(shown, family_of(gate)) == "fail" for gate in undecided)
    open_features = {gate.feature for gate in undecided if family_of(gate) == "features"}
    settled = {gate.feature for gate in judged if family_of(gate) == "features"} - open_features - {JOINT}
    return Verdict.INCONCLUSIVE if required or few or (open_features and not settled) else Verdict.PASSED


def family_of(gate: GateRow) -> str:
    """Return what a gate is about: ``features``, ``predictions`` or ``performance``."""
    if gate.source != SOURCE:
        return "performance"
    return "features" if gate.role is Role.GUARDRAIL else "predictions"


def _exit_code(verdict: Verdict, gates: tuple[GateRow, ...], on_inconclusive: OnInconclusive) -> int:
    if verdict is Verdict.ERROR:
        return min(error_exit_code(gate) for gate in gates if gate.outcome is Outcome.ERROR)
    undecided = [gate for gate in gates if gate.outcome is Outcome.INCONCLUSIVE]
    asks = on_inconclusive == "ask" and any(gate.beyond for gate in undecided)
    if verdict is Verdict.INCONCLUSIVE and (on_inconclusive == "fail" or asks):
        return EXIT_INCONCLUSIVE
    return EXIT_CODES[verdict]


def _warn_of_extra(names: tuple[str, ...]) -> tuple[Warning_, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    text = f"Only the current rows have {shown}, so nothing was compared there."
    return (Warning_(code="extra_columns", text=text),)
