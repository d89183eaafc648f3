"""From the outcomes of the gates to the verdict, its exit code and its reason."""

from collections.abc import Iterable, Sequence
from typing import Literal

from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow

OnInconclusive = Literal["warn", "ask", "fail", "pass"]

PRECEDENCE = (Outcome.ERROR, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED)
EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.INCONCLUSIVE: 0, Verdict.SKIPPED: 0, Verdict.CANCELLED: 130}
EXIT_INCONCLUSIVE = 6
ACCEPTABLE = frozenset({Verdict.FAILED, Verdict.INCONCLUSIVE})  # by a person, with the label
ACCEPTABLE_ERRORS = frozenset({"test_removed", "test_skipped"})
NO_POLICY_REASON = "no policy: nothing was judged"
ERROR_EXIT_CODES = {"configuration": 2, "predictions": 3, "metrics_file": 4}


def decide_verdict(gates: Iterable[GateRow]) -> Verdict:
    """Return the verdict of the gates: error, failed, inconclusive, passed or skipped, whichever comes first.

    Skipped gates do not count unless all gates are skipped.
    """
    outcomes = {gate.outcome for gate in gates}
    for outcome in PRECEDENCE:
        if outcome in outcomes:
            return Verdict(outcome.value)
    return Verdict.SKIPPED


def exit_code_of(verdict: Verdict, gates: Sequence[GateRow], on_inconclusive: OnInconclusive) -> int:
    """Return the exit code of a verdict that gates led to; 1 means failed and nothing else."""
    if verdict is Verdict.ERROR:
        return min(error_exit_code(gate) for gate in gates if gate.outcome is Outcome.ERROR)
    if verdict is Verdict.INCONCLUSIVE and (on_inconclusive == "fail" or (on_inconclusive == "ask" and _asks(gates))):
        return EXIT_INCONCLUSIVE
    return EXIT_CODES[verdict]


def _asks(gates: Iterable[GateRow]) -> bool:
    """Return whether an undecided gate would have failed had its best estimate decided."""
    return any(gate.outcome is Outcome.INCONCLUSIVE and gate.beyond for gate in gates)


def is_acceptable(verdict: Verdict, gates: Iterable[GateRow]) -> bool:
    """Return whether a person can accept a verdict: a loss, a doubt, or tests that are gone on purpose."""
    errors = [gate for gate in gates if gate.outcome is Outcome.ERROR]
    return verdict in ACCEPTABLE or bool(errors and all(gate.reason_code in ACCEPTABLE_ERRORS for gate in errors))


def error_exit_code(gate: GateRow) -> int:
    """Return the exit code of a gate in error, by where its number was read from."""
    if gate.reason_code == "baseline_not_positive":
        return ERROR_EXIT_CODES["configuration"]
    return ERROR_EXIT_CODES["predictions" if gate.source == "predictions" else "metrics_file"]


def explain_verdict(verdict: Verdict, gates: Sequence[GateRow]) -> str:
    """Return the verdict's reason in one plain sentence: the first gate that led to it."""
    if verdict is Verdict.PASSED:
        count = sum(gate.outcome is Outcome.PASSED for gate in gates)
        if all(gate.reason_code == "identical" for gate in gates):
            return "no change: predictions are identical"
        return f"no loss beyond what is allowed ({count} of {len(gates)} gates judged)"
    deciding = [gate for gate in gates if gate.outcome.value == verdict.value]
    if not deciding:
        return "the baseline's policy is invalid, so a pass counts as undecided" if gates else NO_POLICY_REASON
    more = f", and {len(deciding) - 1} more" if len(deciding) > 1 else ""
    return f"{deciding[0].rule}: {deciding[0].reason}{more}"
