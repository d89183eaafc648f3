"""Why the model was retrained, or was not, and when it will be."""

from metricgate.models.retraining import Retraining
from metricgate.report.escape import escape_prose
from metricgate.report.value import Report


def list_facts(plan: Retraining) -> tuple[tuple[str, str], ...]:
    """Return what is to be said, each with its name, as plain text."""
    facts = [("Reason", reason.text[:1].upper() + reason.text[1:] + ".") for reason in plan.reasons]
    if plan.is_due:
        facts += [("Not a reason", text) for text in plan.looked]
        facts += [("Not trained", plan.why_not)] if plan.obstacle else []
    if plan.helped is not None:
        facts.append(("Compared with", f"the released model, {plan.released}."))
    if plan.next:
        facts.append(("Next", f"{plan.next[:1].upper()}{plan.next[1:]}."))
    return tuple(facts)


def draw_retraining(report: Report) -> str:
    """Return the facts as a list; empty for a run that is not about retraining."""
    if report.retraining is None:
        return ""
    return "\n".join(f"- **{name}:** {escape_prose(text)}" for name, text in list_facts(report.retraining))
