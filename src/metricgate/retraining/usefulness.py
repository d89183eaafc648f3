"""By which gates a retrained model is judged, and whether it is any help."""

from metricgate.gates.verdict import EXIT_CODES
from metricgate.models.outcome import Verdict
from metricgate.models.retraining import Retraining
from metricgate.report.value import Report
from metricgate.settings.policy import GateSpec, Policy
from metricgate.settings.retrain import RetrainSpec


def list_gates(policy: Policy, spec: RetrainSpec, plan: Retraining) -> tuple[GateSpec, ...]:
    """Return the policy's gates and, where performance is the reason, that a gain must be shown."""
    if not _needs_gain(plan):
        return policy.gates
    gains = tuple(GateSpec(metric=name, min_gain=margin) for name, margin in spec.min_gain.items())
    return (*policy.gates, *gains)


def _needs_gain(plan: Retraining) -> bool:
    return any(reason.kind == "performance" for reason in plan.reasons)


def has_helped(report: Report, plan: Retraining) -> bool:
    """Return whether the retrained model may be offered: as a person's change might be merged.

    Where performance was the reason, a gain has to be shown: "cannot tell" is then no help, nor is the same answer.
    """
    if report.exit_code != 0 or report.verdict not in (Verdict.PASSED, Verdict.INCONCLUSIVE):
        return False
    is_same = any(pairing.identical for pairing in report.pairings)
    return not _needs_gain(plan) or (report.verdict is Verdict.PASSED and not is_same)


def explain_no_help(report: Report, *, has_changed: bool) -> Report:
    """Return the report of a training that is no help as a failed one, which says why."""
    if report.verdict not in (Verdict.PASSED, Verdict.INCONCLUSIVE):
        return report
    if not has_changed:
        reason = "the training changed no file of the project"
    elif any(pairing.identical for pairing in report.pairings):
        reason = "the retrained model gives the same answers as the released one"
    else:
        reason = "the gain that lost performance asks for is not shown"
    return report.model_copy(
        update={"verdict": Verdict.FAILED, "reason": reason, "exit_code": EXIT_CODES[Verdict.FAILED] * report.enforced}
    )
