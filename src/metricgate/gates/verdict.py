"""From the outcomes of the gates to the verdict, its exit code and its sentence."""

from collections.abc import Iterable, Sequence
from typing import Literal

from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow

OnInconclusive = Literal["warn", "fail", "pass"]

PRECEDENCE = (Outcome.ERROR, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED)
EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.INCONCLUSIVE: 0, Verdict.SKIPPED: 0, Verdict.CANCELLED: 130}
EXIT_INCONCLUSIVE = 6
ERROR_EXIT_CODES = {"configuration": 2, "predictions": 3, "metrics_file": 4}


def decide_verdict(gates: Iterable[GateRow]) -> Verdict:
    """Give the verdict of the gates: error, failed, inconclusive, passed, skipped, whichever comes first.

    Gates that are skipped beside passed ones do not count; a run whose gates are all skipped is skipped.
    """
    outcomes = {gate.outcome for gate in gates}
    for outcome in PRECEDENCE:
        if outcome in outcomes:
            return Verdict(outcome.value)
    return Verdict.SKIPPED


def exit_code_of(verdict: Verdict, gates: Sequence[GateRow], on_inconclusive: OnInconclusive) -> int:
    """Give the exit code of a verdict that gates led to; 1 means failed and nothing else."""
    if verdict is Verdict.ERROR:
        return min(error_exit_code(gate) for gate in gates if gate.outcome is Outcome.ERROR)
    if verdict is Verdict.INCONCLUSIVE and on_inconclusive == "fail":
        return EXIT_INCONCLUSIVE
    return EXIT_CODES[verdict]


def error_exit_code(gate: GateRow) -> int:
    """Give the exit code of a gate in error, by what its number was read from."""
    if gate.reason_code == "baseline_not_positive":
        return ERROR_EXIT_CODES["configuration"]
    return ERROR_EXIT_CODES["predictions" if gate.source == "predictions" else "metrics_file"]
