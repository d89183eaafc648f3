"""A person's acceptance of a known regression: a label set after the last push, by someone with write permission."""

from dataclasses import dataclass
from datetime import datetime

from metricgate.publish.github.client import GitHubClient, Json
from metricgate.publish.github.response import GitHubError, Trouble
from metricgate.publish.interface import Notices
from metricgate.report.value import Acceptance
from metricgate.trigger.triggers import PullRequest

LABEL = "metricgate: accept"
MAX_REASON = 500
_MAY_ACCEPT = ("admin", "write")


@dataclass(frozen=True)
class _Labelling:
    by: str
    at: datetime


def find_acceptance(client: GitHubClient, pull_request: PullRequest, notices: Notices) -> Acceptance | None:
    """Return who accepted the regression and why, or None; a label that does not count is a notice.

    GitHub's API does not say when the head was pushed, and an author can set a commit's dates. The time of the event
    that started this run is GitHub's and not before the push, and a labelling event names the head that the person saw.
    """
    current = client.get(client.path("pulls", pull_request.number))
    if LABEL not in [label["name"] for label in current["labels"]]:
        return None
    labelling = _find_labelling(client, pull_request.number)
    if labelling is None:
        return None
    if current["head"]["sha"] != pull_request.head_sha or not _is_after_push(labelling, pull_request):
        notices.add(
            f"The label `{LABEL}` was set before the last push, so it does not count: remove it, set it again, "
            "and re-run this job."
        )
        return None
    if not may_write(client, labelling.by):
        notices.add(f"The label `{LABEL}` does not count: it was set by someone without write permission.")
        return None
    return Acceptance(by=labelling.by, reason=_find_reason(client, pull_request.number, labelling.by, current))


def _find_labelling(client: GitHubClient, number: int) -> _Labelling | None:
    """Return who set the present label: the last person to set it."""
    latest = None
    for event in client.get_all(client.path("issues", number, "timeline")):
        if event.get("event") == "labeled" and (event.get("label") or {}).get("name") == LABEL:
            actor = event.get("actor") or {}
            latest = _Labelling(str(actor.get("login", "")), _read_time(str(event["created_at"])))
    return latest


def _is_after_push(labelling: _Labelling, pull_request: PullRequest) -> bool:
    if pull_request.label_just_set == LABEL:
        return True
    # Times are whole seconds: a push in the same second as the label may have come after it.
    return bool(pull_request.head_seen_at) and labelling.at > _read_time(pull_request.head_seen_at)


def may_write(client: GitHubClient, login: str) -> bool:
    """Return whether a person may write to the repository, as GitHub has it."""
    if not login:
        return False
    try:
        granted = client.get(client.path("collaborators", login, "permission"))["permission"]
    except GitHubError as error:
        if error.trouble is Trouble.MISSING:
            return False
        raise
    return granted in _MAY_ACCEPT


def _find_reason(client: GitHubClient, number: int, login: str, pull_request: Json) -> str:
    """Return what that person wrote after the label's name in a comment, else the pull request's description."""
    reason = str(pull_request.get("body") or "")
    for comment in client.get_all(client.path("issues", number, "comments")):
        body = str(comment.get("body") or "").strip()
        if (comment.get("user") or {}).get("login") == login and body.startswith(LABEL):
            reason = body.removeprefix(LABEL).lstrip(" :\n")
    return reason.strip()[:MAX_REASON]


def _read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
