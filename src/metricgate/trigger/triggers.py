"""What can trigger a run, and what is known about it."""

from dataclasses import dataclass
from enum import StrEnum


class TriggerKind(StrEnum):
    """What set the run off."""

    PULL_REQUEST = "pull_request"
    MERGE_GROUP = "merge_group"
    PUSH = "push"
    SCHEDULE = "schedule"
    MANUAL = "workflow_dispatch"
    WORKFLOW_RUN = "workflow_run"
    ISSUE = "issues"
    LOCAL = "local"


_ON_A_BRANCH = (TriggerKind.PUSH, TriggerKind.SCHEDULE, TriggerKind.MANUAL, TriggerKind.ISSUE)


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """The pull request under judgement, from the event or from GitHub's API; never from an artifact."""

    number: int
    head_sha: str
    head_ref: str
    head_repository: str  # OWNER/NAME; a fork's differs from the base's
    base_sha: str
    base_ref: str
    draft: bool = False
    body: str = ""
    labels: tuple[str, ...] = ()
    head_seen_at: str = ""  # an ISO time in UTC at which GitHub knew this head to be the head
    label_just_set: str = ""  # the label whose setting is this event


@dataclass(frozen=True, kw_only=True)
class WorkflowRun:
    """The finished run that a publishing job answers for, from GitHub's event."""

    run_id: int
    event: str
    head_sha: str
    head_branch: str
    head_repository: str  # OWNER/NAME
    conclusion: str = ""
    created_at: str = ""  # an ISO time in UTC, not before the push of its head


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Why MetricGate runs, and on which commit.

    ``sha`` is GITHUB_SHA (the merge commit for a pull request), ``report_sha`` the commit that checks belong to (the
    head of the pull request, the group of a merge queue). A local run has neither repository nor URLs.
    """

    kind: TriggerKind
    sha: str | None = None
    report_sha: str | None = None
    ref: str = ""
    repository: str = ""  # OWNER/NAME
    default_branch: str = ""
    before: str | None = None  # push: the commit that the branch pointed to; None for forty zeros
    merge_group_base: str | None = None
    pull_request: PullRequest | None = None
    workflow_run: WorkflowRun | None = None
    issue: int | None = None  # the number of the issue that was edited
    actor: str = ""  # the login of whoever caused the event
    is_fork: bool = False
    run_id: int | None = None
    run_url: str = ""
    server_url: str = "https://github.com"
    api_url: str = "https://api.github.com"

    @property
    def is_about_default_branch(self) -> bool:
        """Whether the run, or the finished run that it answers for, judges the default branch."""
        if not self.default_branch or self.is_fork:
            return False
        if self.workflow_run:
            return self.workflow_run.event in _ON_A_BRANCH and self.workflow_run.head_branch == self.default_branch
        return self.kind in _ON_A_BRANCH and self.ref == f"refs/heads/{self.default_branch}"
