"""What is kept between runs, and how much of it."""

from metricgate.models.snapshot import Snapshot
from metricgate.trigger.triggers import Trigger

MAX_STORED_RUNS = 50  # in Git
MAX_STORED_BYTES = 20_000_000  # of each run's files in Git; the rest is left to the DVC remote
MAX_WORKSPACE_RUNS = 20  # of each side
MAX_JSON_BYTES = 5_000_000


def is_on_default_branch(trigger: Trigger, head_sha: str) -> bool:
    """Return whether a run judges what is on the default branch, so that its results may become a baseline's.

    A run started by hand on that branch may have checked out something else, such as a pull request.
    """
    return trigger.is_about_default_branch and trigger.sha == head_sha


def should_store(trigger: Trigger, head_sha: str, candidate: Snapshot) -> bool:
    """Return whether a run's results may become a baseline's: it ran on the default branch and produced something."""
    return is_on_default_branch(trigger, head_sha) and not trigger.is_fork and was_produced(candidate)


def was_produced(snapshot: Snapshot) -> bool:
    """Return whether a pipeline produced these results in this run, rather than that they were there before."""
    return any(stage.state in ("ran", "cached", "restored") for stage in snapshot.stages)
