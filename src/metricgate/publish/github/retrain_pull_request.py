"""The one pull request with a retrained model: found by its branch and its hidden line, kept up to date, closed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from metricgate.publish.github.acceptance import may_write
from metricgate.publish.github.authorship import Authorship, normalise_body
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.response import GitHubError, Trouble
from metricgate.report.escape import marker_id

TAKE_BACK = "metricgate: take back"
MAX_LISTED = 30
_LINE = re.compile(r"<!-- metricgate-retrain:(\S+) key=([0-9a-f]{64}) head=([0-9a-f]{40,64}) -->")


@dataclass(frozen=True, kw_only=True)
class RetrainPullRequest:
    """A pull request of the branch as GitHub has it; ``key`` is of the training that it offers."""

    number: int
    url: str
    title: str
    body: str
    head: str
    is_open: bool
    is_merged: bool
    labels: tuple[str, ...] = ()
    key: str = ""


def mark_body(id_: str, key: str, head: str) -> str:
    """Return the hidden first line of the body."""
    return f"<!-- metricgate-retrain:{marker_id(id_)} key={key} head={head} -->"


@dataclass(frozen=True)
class RetrainPullRequests:
    """The pull requests of one branch of this repository."""

    client: GitHubClient
    branch: str

    def list_all(self) -> tuple[RetrainPullRequest, ...]:
        """Return them, the newest first."""
        owner = self.client.repository.split("/", 1)[0]
        found = self.client.get(
            self.client.path("pulls"),
            head=f"{owner}:{self.branch}",
            state="all",
            sort="created",
            direction="desc",
            per_page=MAX_LISTED,
        )
        return tuple(_read(item) for item in found)

    def create(self, *, title: str, body: str, base: str) -> RetrainPullRequest:
        """Open one; raises GitHubError if that is not allowed."""

        def find() -> Json | None:
            return next(({"number": one.number} for one in self.list_all() if one.is_open), None)

        wanted = {"title": title, "head": self.branch, "base": base, "body": body}
        try:
            created = self.client.create(self.client.path("pulls"), wanted, find=find)
        except GitHubError as error:
            # Another run may have opened it in the meantime.
            if error.trouble is not Trouble.REFUSED or (found := find()) is None:
                raise
            created = found
        return _read(self.client.get(self.client.path("pulls", int(created["number"]))))

    def update(self, one: RetrainPullRequest, *, title: str, body: str) -> None:
        """Write title and body, if they differ."""
        if (one.title, normalise_body(one.body)) != (title, normalise_body(body)):
            self.client.change(self.client.path("pulls", one.number), {"title": title, "body": body})

    def add_labels(self, one: RetrainPullRequest, labels: Sequence[str]) -> None:
        missing = [label for label in labels if label not in one.labels]
        if missing:
            path = self.client.path("issues", one.number, "labels")
            # Adding a label twice adds it once, and GitHub creates a label that does not exist.
            self.client.create_list(path, {"labels": missing})

    def remove_label(self, one: RetrainPullRequest, label: str) -> None:
        self.client.delete(self.client.path("issues", one.number, "labels", label))

    def close(self, one: RetrainPullRequest, why: str) -> None:
        """Comment and close; what was said is not said again."""
        self.comment_once(one, why, about=f"closed-{one.head}")
        self.client.change(self.client.path("pulls", one.number), {"state": "closed"})

    def comment_once(self, one: RetrainPullRequest, text: str, *, about: str) -> None:
        """Comment, unless this token's comment about the same thing is there."""
        marker = f"<!-- metricgate-retrain-said:{about} -->"
        path = self.client.path("issues", one.number, "comments")
        authorship = Authorship(self.client)

        def find() -> Json | None:
            said = (item for item in self.client.get_all(path) if str(item.get("body", "")).startswith(marker))
            return {"found": True} if any(map(authorship.is_own, said)) else None

        if find() is None:
            self.client.create(path, {"body": f"{marker}\n{text}"}, find=find)

    def is_given_back(self, one: RetrainPullRequest) -> bool:
        """Return whether a person who may write set the label that gives the branch back."""
        if TAKE_BACK not in one.labels:
            return False
        login = ""
        for event in self.client.get_all(self.client.path("issues", one.number, "timeline")):
            if event.get("event") == "labeled" and (event.get("label") or {}).get("name") == TAKE_BACK:
                login = str((event.get("actor") or {}).get("login", ""))
        return may_write(self.client, login)


def _read(item: Json) -> RetrainPullRequest:
    body = str(item.get("body") or "")
    line = _LINE.search(body)
    return RetrainPullRequest(
        number=int(item["number"]),
        url=str(item["html_url"]),
        title=str(item.get("title", "")),
        body=body,
        head=str(item["head"]["sha"]),
        is_open=item.get("state") == "open",
        is_merged=bool(item.get("merged_at")),
        labels=tuple(str(label["name"]) for label in item.get("labels") or ()),
        key=line[2] if line else "",
    )
