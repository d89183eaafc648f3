"""The one comment of a set-up on a pull request: found by its hidden marker, updated in place, never posted twice."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from metricgate.models.outcome import Verdict
from metricgate.publish.github.authorship import Authorship, normalise_body
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.response import GitHubError, GitHubResponse, Trouble, explain
from metricgate.publish.interface import Event, Notices
from metricgate.report.escape import escape_sentence
from metricgate.report.formats.markdown import comment_marker, render_comment
from metricgate.report.headline import headline, is_untouched
from metricgate.report.sections.earlier_runs import remember_run
from metricgate.report.value import Report
from metricgate.report.view_context import PastRun, ViewContext
from metricgate.settings.inputs import Inputs
from metricgate.trigger.triggers import PullRequest

MAX_RUNS = 10
MAX_HEADLINE = 100
MAX_BODY = 65_400  # GitHub documents 65,536 characters for a comment

_QUIET = (Verdict.PASSED, Verdict.SKIPPED)
_LINE = re.compile(r"^<!-- metricgate-runs ([A-Za-z0-9+/=]{1,20000}) -->$", re.MULTILINE)
_RUNS = TypeAdapter(tuple[PastRun, ...])


def put_comment(
    client: GitHubClient, pull_request: PullRequest, event: Event, *, inputs: Inputs, notices: Notices
) -> Event:
    """Update the set-up's comment, if there is to be one; return the event with its address and earlier verdicts."""
    report, head = event.report, pull_request.head_sha
    current = str(client.get(client.path("pulls", pull_request.number))["head"]["sha"])
    if current != head:
        notices.add(f"The pull request now has the head {current[:7]}, whose run updates the comment.")
        return event
    thread = CommentThread(client, pull_request.number, inputs.id)
    found = thread.find()
    unneeded = {"auto": is_untouched(report), "on-failure": report.verdict in _QUIET}
    if not found and unneeded.get(inputs.comment):
        return event
    remembered = read_memory(found[0].body) if found else ()
    history = tuple(run for run in remembered if run.revision != head)
    body = render_comment(report, replace(event.view_context, history=history))
    try:
        comment = thread.put(add_memory(body, (*history, remember_run(report, head))))
    except GitHubError as error:
        if error.trouble is not Trouble.TOO_LONG:
            raise
        notices.add("The comment was too long for GitHub, so it has only the headline.")
        comment = thread.put(_shorten(report, event.view_context))
    return replace(event, comment_url=comment.url, earlier=tuple(run.verdict for run in reversed(remembered)))


@dataclass(frozen=True, kw_only=True)
class PostedComment:
    """One of MetricGate's comments as GitHub has it."""

    number: int
    url: str
    body: str


class CommentThread:
    """MetricGate's comments on one pull request, for one set-up."""

    def __init__(self, client: GitHubClient, pull_request: int, set_up: str) -> None:
        self._client = client
        self._list_path = client.path("issues", pull_request, "comments")
        self._marker = comment_marker(set_up)
        self._authorship = Authorship(client)

    def find(self) -> tuple[PostedComment, ...]:
        """Return MetricGate's own comments from all pages, oldest first; a marker in somebody else's does not count."""
        own = [
            PostedComment(
                number=int(item["id"]), url=str(item["html_url"]), body=normalise_body(str(item.get("body", "")))
            )
            for item in self._client.get_all(self._list_path)
            if str(item.get("body", "")).startswith(self._marker) and self._authorship.is_own(item)
        ]
        return tuple(sorted(own, key=lambda comment: comment.number))

    def put(self, body: str) -> PostedComment:
        """Leave exactly one comment, with this body; an identical one is not written again.

        Two runs that publish at once may both create one. Both then look again and keep the oldest, so that one is
        left once both have ended.
        """
        if not body.startswith(self._marker):
            raise AssertionError("a comment without its marker would not be found again")
        try:
            return self._put(body)
        except GitHubError as error:
            if error.trouble is not Trouble.MISSING:
                raise
            # Somebody deleted it in between; a pull request that is gone fails again.
            return self._put(body)

    def _put(self, body: str) -> PostedComment:
        found = self.find()
        if not found:
            self._create(body)
            found = self.find()
        if not found:
            raise explain(GitHubResponse(404, "the comment was deleted at once"), f"GET {self._list_path}")
        keeper, *duplicates = found
        if keeper.body != normalise_body(body):
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


def read_memory(body: str) -> tuple[PastRun, ...]:
    """Return the runs a comment remembers, oldest first; none where people or other versions changed the line."""
    found = _LINE.search(body)
    if not found:
        return ()
    try:
        return _RUNS.validate_json(base64.b64decode(found[1], validate=True))[-MAX_RUNS:]
    except (binascii.Error, ValidationError):
        return ()


def add_memory(body: str, runs: Sequence[PastRun]) -> str:
    """Return the body with the runs in a hidden line below its marker, if the comment has room for them.

    They are encoded, so that none of their text can end the hidden line.
    """
    kept = [run.model_copy(update={"headline": run.headline[:MAX_HEADLINE]}) for run in runs[-MAX_RUNS:]]
    line = f"<!-- metricgate-runs {base64.b64encode(_RUNS.dump_json(tuple(kept))).decode()} -->"
    if len(body) + len(line) + 1 > MAX_BODY:
        return body
    marker, _, rest = body.partition("\n")
    return f"{marker}\n{line}\n{rest}"


def _shorten(report: Report, view_context: ViewContext) -> str:
    where = f"[the job summary]({view_context.report_url})" if view_context.report_url else "the job summary"
    return f"{comment_marker(report.id)}\n## {escape_sentence(headline(report))}\n\nThe whole report is in {where}.\n"
