"""One issue about one topic: opened, updated in place, one comment for each change, closed on recovery.

It is found by its label and its hidden marker, and only if this token wrote it. Where a person closed it, MetricGate
stays silent until the recovery; the next problem then opens a new one. Without the label it is not found again.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from metricgate.publish.github.authorship import Authorship, normalise_body
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.report.escape import marker_id, shorten

LABEL = "metricgate"
MAX_TITLE = 250  # GitHub accepts 256 characters
_MEMORY = re.compile(r"^<!-- metricgate-told ([a-z]+) ([A-Za-z0-9+/=]{0,20000}) -->$", re.MULTILINE)
_RECOVERY = "recovery"


@dataclass(frozen=True, kw_only=True)
class IssueNews:
    """What a run has to say about a topic.

    Attributes
    ----------
    kind : a problem opens an issue, or keeps it open; doubt keeps an open one open; a recovery closes it
    state : plain text that changes only when people should hear of it
    title, body, comment : plain text and two Markdown texts; an empty body leaves what stands there
    memory : plain text for the next run's ``describe``
    """

    kind: Literal["problem", "doubt", "recovery"]
    state: str
    title: str = ""
    body: str = ""
    comment: str = ""
    memory: str = ""


@dataclass(frozen=True, kw_only=True)
class KeptIssue:
    """An issue of MetricGate's as GitHub has it. ``told`` is the kind of its last news."""

    number: int
    url: str
    title: str
    body: str
    is_open: bool
    told: str = ""
    memory: str = ""


def keep_issue(client: GitHubClient, topic: str, describe: Callable[[str], IssueNews | None]) -> str:
    """Bring the issue about ``topic`` up to date; return its address, or an empty text where there is none.

    ``describe`` gets the memory of the current issue (empty where there is none), and returns what there is to say.
    The same news twice leaves what it leaves once.
    """
    return _Issues(client, topic).keep(describe)


def find_issue(client: GitHubClient, topic: str) -> KeptIssue | None:
    """Return the newest issue about ``topic`` that MetricGate wrote; None where there is none."""
    return _Issues(client, topic).find_newest()


class _Issues:
    def __init__(self, client: GitHubClient, topic: str) -> None:
        self._client = client
        self._authorship = Authorship(client)
        self._path = client.path("issues")
        self._marker = f"<!-- metricgate-issue:{marker_id(topic)} -->"

    def find_newest(self) -> KeptIssue | None:
        return next(self._find(), None)

    def keep(self, describe: Callable[[str], IssueNews | None]) -> str:
        current = self.find_newest()
        if current and current.told == _RECOVERY and not current.is_open:
            current = None
        news = describe(current.memory if current else "")
        if news is None:
            return current.url if current and current.is_open else ""
        if current is None:
            return self._open(news) if news.kind == "problem" else ""
        if news.kind == current.told == _RECOVERY:  # a person opened it again
            return current.url
        if current.is_open:
            self._tell(current, news)
        self._write(current, news)
        return current.url

    def _find(self) -> Iterator[KeptIssue]:
        """Yield MetricGate's issues about the topic, the newest first."""
        listed = self._client.get_all(self._path, state="all", labels=LABEL, sort="created", direction="desc")
        for item in listed:
            body = normalise_body(str(item.get("body") or ""))
            if "pull_request" not in item and body.startswith(self._marker) and self._authorship.is_own(item):
                yield _read_issue(item, body)

    def _open(self, news: IssueNews) -> str:
        def find_created() -> Json | None:
            found = next((issue for issue in self._find() if issue.is_open), None)
            return {"html_url": found.url} if found else None

        body = self._compose(news, news.body)
        wanted = {"title": shorten(news.title, MAX_TITLE), "body": body, "labels": [LABEL]}
        created = self._client.create(self._path, wanted, find=find_created)
        # Two runs at once may both have opened one: both look again and keep the oldest.
        found = [issue for issue in self._find() if issue.is_open]
        for duplicate in found[:-1]:
            self._change(duplicate, {"state": "closed", "state_reason": "not_planned"})
        return found[-1].url if found else str(created.get("html_url", ""))

    def _tell(self, issue: KeptIssue, news: IssueNews) -> None:
        """Comment, unless the last comment says this already, or nothing changed since the issue was opened."""
        path = self._client.path("issues", issue.number, "comments")
        marker = f"<!-- metricgate-news:{_encode(news.state)} -->"

        def find() -> Json | None:
            own = [
                str(item.get("body", ""))
                for item in self._client.get_all(path)
                if str(item.get("body", "")).startswith("<!-- metricgate-news:") and self._authorship.is_own(item)
            ]
            last = own[-1] if own else f"<!-- metricgate-news:{_read_state(issue.body)} -->"
            return {"found": True} if last.startswith(marker) else None

        if find() is None:
            self._client.create(path, {"body": f"{marker}\n{news.comment}"}, find=find)

    def _write(self, issue: KeptIssue, news: IssueNews) -> None:
        opened = _read_state(issue.body)
        body = self._compose(news, news.body or _strip(issue.body), opened=opened)
        wanted = {"body": body}
        if issue.is_open and news.kind == _RECOVERY:
            wanted |= {"state": "closed", "state_reason": "completed"}
        elif issue.is_open and news.title:
            wanted |= {"title": shorten(news.title, MAX_TITLE)}
        unchanged = normalise_body(body) == issue.body and wanted.get("title", issue.title) == issue.title
        if not unchanged or "state" in wanted:
            self._change(issue, wanted)

    def _change(self, issue: KeptIssue, wanted: dict[str, str]) -> None:
        self._client.change(self._client.path("issues", issue.number), wanted)

    def _compose(self, news: IssueNews, text: str, *, opened: str = "") -> str:
        lines = (
            self._marker,
            f"<!-- metricgate-news:{opened or _encode(news.state)} -->",
            f"<!-- metricgate-told {news.kind} {_encode(news.memory)} -->",
            text,
        )
        return "\n".join(lines)


def _read_issue(item: Json, body: str) -> KeptIssue:
    found = _MEMORY.search(body)
    return KeptIssue(
        number=int(item["number"]),
        url=str(item["html_url"]),
        title=str(item.get("title", "")),
        body=body,
        is_open=item.get("state") == "open",
        told=found[1] if found else "",
        memory=_decode(found[2]) if found else "",
    )


def _read_state(body: str) -> str:
    """Return the encoded state that the issue was opened with."""
    found = re.search(r"^<!-- metricgate-news:([A-Za-z0-9+/=]*) -->$", body, re.MULTILINE)
    return found[1] if found else ""


def _strip(body: str) -> str:
    """Return a body without its hidden lines."""
    return "\n".join(line for line in body.split("\n") if not line.startswith("<!-- metricgate-"))


def _encode(text: str) -> str:
    # Encoded, none of the text can end the hidden line.
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
