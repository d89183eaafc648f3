"""The one comment of a set-up on a pull request: found again by its hidden marker, updated in place, never twice."""

from collections.abc import Callable
from dataclasses import dataclass

from metricgate.publish.github.answer import Answer, GitHubError, Trouble, explain
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.report.formats.markdown import comment_marker


@dataclass(frozen=True, kw_only=True)
class PostedComment:
    """One of our comments as GitHub has it."""

    number: int
    url: str
    body: str


class CommentThread:
    """Our comments under one pull request, for one set-up."""

    def __init__(self, client: GitHubClient, pull_request: int, set_up: str) -> None:
        self._client = client
        self._list_path = client.path("issues", pull_request, "comments")
        self._marker = comment_marker(set_up)
        self._login: str | None = None

    def find(self) -> tuple[PostedComment, ...]:
        """Yield our comments on all pages, oldest first; what others wrote is not ours, whatever it looks like."""
        ours = [
            PostedComment(number=int(item["id"]), url=str(item["html_url"]), body=_normalise(str(item.get("body", ""))))
            for item in self._client.get_all(self._list_path)
            if str(item.get("body", "")).startswith(self._marker) and self._is_own(item)
        ]
        return tuple(sorted(ours, key=lambda comment: comment.number))

    def put(self, body: str) -> PostedComment:
        """Leave exactly one comment of ours, with this body; an identical one is not written again.

        Two runs that publish at once may both see none and both create one. Both then look again and both keep the
        oldest, so that one is left once both have ended.
        """
        if not body.startswith(self._marker):
            raise AssertionError("a comment without our marker would not be found again")
        try:
            return self._put(body)
        except GitHubError as error:
            if error.trouble is not Trouble.MISSING:
                raise
            # Somebody deleted it between our looking and our writing; a pull request that is gone fails again.
            return self._put(body)

    def _put(self, body: str) -> PostedComment:
        found = self.find()
        if not found:
            self._create(body)
            found = self.find()
        if not found:
            raise explain(Answer(404, "the comment was deleted at once"), f"GET {self._list_path}")
        keeper, *duplicates = found
        if keeper.body != _normalise(body):
            self._client.change(self._comment_path(keeper.number), {"body": body})
        for duplicate in duplicates:
            self._client.delete(self._comment_path(duplicate.number))
        return PostedComment(number=keeper.number, url=keeper.url, body=body)

    def _create(self, body: str) -> None:
        def find_created() -> Json | None:
            return {"found": True} if self.find() else None

        self._client.create(self._list_path, {"body": body}, find=find_created)

    def _comment_path(self, number: int) -> str:
        return self._client.path("issues/comments", number)

    def _is_own(self, item: Json) -> bool:
        """Tell ours by its author: a job's token acts as a bot and may not ask who it is; a person's token may."""
        user = item.get("user") or {}
        if user.get("type") == "Bot":
            return True
        if self._login is None:
            self._login = _ask_login(self._client.get)
        return bool(self._login) and user.get("login") == self._login


def _ask_login(get: Callable[[str], Json]) -> str:
    try:
        return str(get("/user").get("login", ""))
    except GitHubError as error:
        if error.trouble in (Trouble.FORBIDDEN, Trouble.UNAUTHORIZED, Trouble.MISSING):
            return ""
        raise


def _normalise(body: str) -> str:
    # GitHub stores what a web form would send: CRLF line ends are possible, and outer white space is not kept.
    return body.replace("\r\n", "\n").strip()
