"""What was measured, judged and laid out as a report."""

from dataclasses import dataclass

from metricgate import __version__
from metricgate.gates.drift_gates import MIN_ROWS, DriftRule, judge_drift
from metricgate.gates.verdict import EXIT_CODES
from metricgate.models.outcome import Outcome, Role, Verdict
from metricgate.models.result import GateRow, Warning_
from metricgate.models.snapshot import RevisionInfo
from metricgate.models.watch import Watch
from metricgate.monitoring.column_measurement import MeasuredColumn
from metricgate.report.value import Report
from metricgate.report.watch_words import describe_watch

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Everything that a watching run found out."""

    reference: RevisionInfo
    current: RevisionInfo
    columns: tuple[MeasuredColumn, ...]
    rules: tuple[DriftRule, ...]
    extra: tuple[str, ...] = ()  # columns that only the current rows have


def lay_out_watch(watched: Watched) -> Report:
    """Return the report of a watching run."""
    gates = judge_drift(watched.rules, confidence=CONFIDENCE)
    verdict = decide_watch(gates)
    watch = Watch(
        reference_rows=watched.reference.rows or 0,
        current_rows=watched.current.rows or 0,
        features=tuple(column.feature for column in watched.columns),
    )
    report = Report(
        metricgate=__version__,
        verdict=verdict,
        reason="",
        exit_code=EXIT_CODES[verdict],
        confidence=CONFIDENCE,
        baseline=watched.reference,
        candidate=watched.current,
        gates=gates,
        warnings=_warn_of_extra(watched.extra),
        watch=watch,
        policy_origin="no policy: default margins",
    )
    return report.model_copy(update={"reason": describe_watch(report)})


def decide_watch(gates: tuple[GateRow, ...]) -> Verdict:
    """Return the verdict: what a guardrail cannot tell leaves it open only where no guardrail could tell anything."""
    if not gates:
        return Verdict.SKIPPED
    if any(gate.outcome is Outcome.FAILED for gate in gates):
        return Verdict.FAILED
    undecided = [gate for gate in gates if gate.outcome is Outcome.INCONCLUSIVE]
    few = any(gate.reason_code == "too_few_rows" for gate in undecided) and all(
        (gate.rows or 0) < MIN_ROWS for gate in gates
    )
    required = any(gate.role is Role.REQUIRED for gate in undecided)
    settled = {gate.feature for gate in gates} - {gate.feature for gate in undecided}
    return Verdict.INCONCLUSIVE if required or few or not settled else Verdict.PASSED


def _warn_of_extra(names: tuple[str, ...]) -> tuple[Warning_, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    text = f"Only the current rows have {shown}, so nothing was compared there."
    return (Warning_(code="extra_columns", text=text),)
