"""What a first run trips over, checked beforehand, each finding with its cure."""

from collections.abc import Iterator

from metricgate.errors import MetricgateError
from metricgate.revisions.baseline_revision import resolve_baseline
from metricgate.revisions.checkout import Checkout
from metricgate.starter.finding import Finding, fine, from_error, notice
from metricgate.starter.policy_checkup import examine_policy
from metricgate.starter.remote_checkup import examine_pipeline
from metricgate.starter.workflow_checkup import examine_workflows
from metricgate.trigger import Trigger, TriggerKind


def examine(checkout: Checkout) -> Iterator[Finding]:
    """Check Git, the pipeline and its remote, the policy against the files that exist, and the workflows."""
    yield from _examine_git(checkout)
    yield from examine_pipeline(checkout)
    yield from examine_policy(checkout)
    yield from examine_workflows(checkout)


def _examine_git(checkout: Checkout) -> Iterator[Finding]:
    try:
        baseline = resolve_baseline(checkout, Trigger(kind=TriggerKind.LOCAL))
    except MetricgateError as error:
        yield from_error(error)
        return
    if baseline is None:
        yield notice(
            "There is no commit before this one: nothing to compare with yet.", "Commit, then change something."
        )
    else:
        yield fine(f"Git: the baseline is {baseline.name} ({baseline.sha[:9]}), {baseline.reason}.")
