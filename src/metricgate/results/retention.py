"""What is kept between runs, and how much of it."""

from datetime import UTC, datetime

from metricgate.models.snapshot import Snapshot
from metricgate.settings.policy import Policy
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


def is_too_old(made: datetime, policy: Policy, *, now: datetime | None = None) -> bool:
    """Return whether results made then must be made again, because the policy limits their age."""
    limit = policy.pipeline.max_age_days
    return limit is not None and ((now or datetime.now(UTC)) - made).total_seconds() > limit * 86_400
