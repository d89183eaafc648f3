"""What is kept of a run for later ones: outputs in the DVC remote, and, from the default branch, stored results."""

from pathlib import Path
from typing import Literal

from metricgate.execution.push import push_cache, should_push
from metricgate.models.snapshot import Snapshot
from metricgate.processes.progress import Progress
from metricgate.results.folder import was_produced
from metricgate.results.git_refs import store_results
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy
from metricgate.trigger.triggers import Trigger, TriggerKind

_ON_A_BRANCH = (TriggerKind.PUSH, TriggerKind.SCHEDULE, TriggerKind.MANUAL)


def keep_results(
    checkout: Checkout,
    trigger: Trigger,
    candidate: Snapshot,
    policy: Policy,
    *,
    mode: Literal["auto", "always", "never"],
    scratch: Path,
    progress: Progress,
    logs: Path,
) -> tuple[str, ...]:
    """Push and store what a run produced, where it may; return a sentence for each part that should be and is not.

    ``policy`` is the candidate's own, ``mode`` the input push-cache. Results of pull requests are never stored: they
    must not become a baseline.
    """
    notes = []
    if should_push(mode, trigger, checkout.head_sha, candidate):
        problem = push_cache(checkout, scratch, progress=progress, logs=logs)
        notes.append(f"The DVC remote did not get what was produced: {problem}" if problem else "")
    if should_store(trigger, checkout.head_sha, candidate):
        problem = store_results(checkout, candidate, policy)
        notes.append(f"Results were not stored for later pull requests: {problem}." if problem else "")
    return tuple(filter(None, notes))


def is_on_default_branch(trigger: Trigger, head_sha: str) -> bool:
    """Tell whether a run judges what is on the default branch, so that its results may become a baseline's.

    A run started by hand on that branch may have checked out something else: a pull request, say.
    """
    on_default = trigger.ref == f"refs/heads/{trigger.default_branch}" and bool(trigger.default_branch)
    return trigger.kind in _ON_A_BRANCH and on_default and trigger.sha == head_sha


def should_store(trigger: Trigger, head_sha: str, candidate: Snapshot) -> bool:
    """Tell whether a run's results may become a baseline's: it ran on the default branch, and what it ran is news."""
    return is_on_default_branch(trigger, head_sha) and not trigger.is_fork and was_produced(candidate)
