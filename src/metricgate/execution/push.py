"""Whether and how what a run produced reaches the DVC remote."""

from pathlib import Path
from typing import Literal

from metricgate.errors import WorkspaceError
from metricgate.execution.messages import Request
from metricgate.execution.session import ask_worker
from metricgate.models.snapshot import Snapshot
from metricgate.processes.progress import Progress
from metricgate.revisions.checkout import Checkout
from metricgate.trigger.triggers import Trigger, TriggerKind


def should_push(mode: Literal["auto", "always", "never"], trigger: Trigger, head_sha: str, candidate: Snapshot) -> bool:
    """Tell whether a run may push: never from a fork; by itself only from CI, and only what was trained there.

    By hand, anything can be checked out: by itself only the commit that the run was started on is pushed.
    """
    if mode == "never" or trigger.is_fork:
        return False
    if mode == "always":
        return True
    if trigger.kind is TriggerKind.MANUAL and trigger.sha != head_sha:
        return False
    return trigger.kind != TriggerKind.LOCAL and any(stage.state == "ran" for stage in candidate.stages)


def push_cache(checkout: Checkout, scratch: Path, *, progress: Progress, logs: Path) -> str:
    """Push outputs and run cache of the checkout; return an empty text, or one sentence that says why not.

    A push that fails changes no verdict.
    """
    request = Request(action="push", directory=str(checkout.directory), files=str(scratch))
    with progress.step("Push to the DVC remote"):
        try:
            ask_worker(request, progress=progress, log=logs / "push.log", owner=checkout.owner)
        except WorkspaceError as error:
            return error.what
    return ""
