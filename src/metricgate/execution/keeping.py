"""Keeps what a run produced: outputs in the DVC remote and, from the default branch, stored results."""

from functools import partial
from typing import Literal

from metricgate.context import RunContext
from metricgate.errors import WorkspaceError
from metricgate.execution.environment import fingerprint_environment
from metricgate.execution.file_copies import open_stored_results
from metricgate.execution.messages import Push
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Snapshot
from metricgate.results.retention import should_store
from metricgate.settings.policy import Policy
from metricgate.trigger.triggers import Trigger, TriggerKind

PushMode = Literal["auto", "always", "never"]


def keep_results(
    context: RunContext, trigger: Trigger, candidate: Snapshot, policy: Policy, mode: PushMode
) -> tuple[str, ...]:
    """Push and store what a run produced, where it may; return a sentence for each part that failed.

    ``policy`` is the candidate's own, ``mode`` the input push-cache. Results of pull requests are never stored: they
    must not become a baseline.
    """
    notes, checkout = [], context.checkout
    tree = WorkTree(context=context, directory=checkout.directory, files=context.scratch / "keep", name="keep")
    if should_push(mode, trigger, checkout.head_sha, candidate):
        problem = push_cache(tree)
        notes.append(f"The DVC remote did not get what was produced: {problem}" if problem else "")
    if should_store(trigger, checkout.head_sha, candidate):
        environment = fingerprint_environment(policy.pipeline, partial(checkout.read_text, checkout.head_sha))
        problem = open_stored_results(tree).keep(candidate, environment, policy)
        notes.append(f"Results were not stored for later pull requests: {problem}." if problem else "")
    return tuple(filter(None, notes))


def should_push(mode: PushMode, trigger: Trigger, head_sha: str, candidate: Snapshot) -> bool:
    """Return whether a run may push: never from a fork; by default only from CI, and only what was trained there.

    A run started by hand may have checked out anything: by default, only the commit that it was started on is pushed.
    """
    if mode == "never" or trigger.is_fork:
        return False
    if mode == "always":
        return True
    if trigger.kind is TriggerKind.MANUAL and trigger.sha != head_sha:
        return False
    return trigger.kind != TriggerKind.LOCAL and any(stage.state == "ran" for stage in candidate.stages)


def push_cache(tree: WorkTree) -> str:
    """Push outputs and run cache of the checkout; return why that failed, in one sentence, or an empty text.

    A push that fails changes no verdict.
    """
    with tree.context.progress.step("Push to the DVC remote"):
        try:
            ask_worker(tree.context, Push(directory=tree.directory, files=tree.files), log="push.log")
        except WorkspaceError as error:
            return error.what
    return ""
