"""What the fake GitHub remembers, in the words a test asks about."""

from dataclasses import dataclass, field
from typing import Any

BOT = "github-actions[bot]"
ALL = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "pull-requests": "write",
    "statuses": "write",
}


@dataclass
class Token:
    """Who a token acts as, and what it may do; reading a repository is always allowed."""

    login: str = BOT
    permissions: dict[str, str] = field(default_factory=lambda: dict(ALL))
    expires_after: int | None = None  # requests

    @property
    def is_bot(self) -> bool:
        return self.login.endswith("[bot]")

    def may(self, permission: str, level: str) -> bool:
        granted = self.permissions.get(permission, "none")
        return granted in (level, "write")


@dataclass
class Comment:
    number: int
    login: str
    body: str
    edits: int = 0
    at: str = "2026-01-01T00:00:00Z"


@dataclass
class LabelEvent:
    event: str  # labeled or unlabeled
    label: str
    login: str
    at: str


@dataclass
class PullRequest:
    """A pull request as it looks now."""

    number: int
    head_sha: str
    head_ref: str = "topic"
    head_repository: str = "acme/churn"
    base_ref: str = "main"
    base_sha: str = "b" * 40
    state: str = "open"
    body: str = ""
    title: str = "A change"
    merged_at: str | None = None
    locked: bool = False
    login: str = BOT
    edits: int = 0
    follows_branch: bool = False  # opened through the API: its head is the branch's
    comments: list[Comment] = field(default_factory=list)
    label_events: list[LabelEvent] = field(default_factory=list)

    def add_comments(self, count: int) -> None:
        """Add people's comments, which are older than MetricGate's."""
        self.comments += [Comment(number, "ann", "so what?") for number in range(1, count + 1)]

    @property
    def labels(self) -> list[str]:
        now: dict[str, bool] = {}
        for event in self.label_events:
            now[event.label] = event.event == "labeled"
        return [label for label, is_set in now.items() if is_set]


@dataclass
class Issue:
    """An issue as it looks now."""

    number: int
    title: str
    body: str
    login: str = BOT
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    reason: str | None = None
    editor: str | None = None
    locked: bool = False
    comments: list[Comment] = field(default_factory=list)
    edits: int = 0


@dataclass
class CheckRun:
    number: int
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str = ""
    title: str = ""
    summary: str = ""
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Status:
    number: int
    state: str
    context: str
    description: str
    target_url: str | None


@dataclass
class Artifact:
    number: int
    name: str
    run_id: int
    data: bytes
    expired: bool = False
    size: int | None = None  # what GitHub claims; the true size unless a test lies
