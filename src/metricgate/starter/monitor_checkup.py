"""What is watched: `monitor:` against the workflows that run it, their rights and their schedule."""

from collections.abc import Iterator

from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy
from metricgate.starter.checkup_finding import Finding, broken, fine, notice
from metricgate.starter.workflow_checkup import WorkflowStep, list_steps

MODE = "monitor"


def examine_monitoring(checkout: Checkout, policy: Policy) -> Iterator[Finding]:
    """Check the section and the steps of `mode: monitor`; nothing is said where there are neither."""
    steps = [step for step in list_steps(checkout) if step.inputs.get("mode") == MODE]
    if policy.monitor is None:
        for step in steps:
            yield broken(
                f"{step.workflow} runs `mode: monitor`, and the policy has no section `monitor:`.",
                "Add `monitor: {current: data/fresh.parquet}`; docs/monitoring.md has the keys.",
            )
        return
    if policy.monitor.reference is None and policy.evaluation is None:
        yield broken(
            "`monitor:` names no reference, and the policy has no `evaluation.data` that could be it.",
            "Add `reference: PATH` under `monitor:`.",
        )
    if not steps:
        yield notice(
            "The policy has `monitor:`, and no workflow runs `mode: monitor`.",
            "Copy examples/workflows/monitor.yml to .github/workflows.",
        )
    for step in steps:
        yield from _examine_step(step, asks_for_issue=policy.monitor.issue)


def _examine_step(step: WorkflowStep, *, asks_for_issue: bool) -> Iterator[Finding]:
    wanted = {
        "contents": "earlier runs are not remembered",
        **({"issues": "no issue is kept"} if asks_for_issue else {}),
    }
    missing = [(right, effect) for right, effect in wanted.items() if not step.grants(right)]
    for right, effect in missing:
        yield notice(f"{step.workflow} does not grant `{right}: write`: {effect}.", f"Add `{right}: write` to the job.")
    if not missing:
        yield fine(
            f"{step.workflow} watches the released model. In a public repository, GitHub ends schedules after 60 days "
            "without a commit."
        )
