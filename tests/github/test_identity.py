"""Only GitHub decides which pull request a report belongs to."""

from typing import Any

import pytest

from metricgate.errors import PublishError
from metricgate.publish.github.finished_run import find_pull_request
from metricgate.trigger import WorkflowRun
from tests.github.fake import FakeGitHub
from tests.github.fixtures import MakeClient
from tests.github.job import HEAD

FORK = "mallory/churn"


def make_run(**changes: Any) -> WorkflowRun:
    fields = {
        "run_id": 41,
        "event": "pull_request",
        "head_sha": HEAD,
        "head_branch": "topic",
        "head_repository": FORK,
        "created_at": "2026-11-01T12:00:00Z",
    }
    return WorkflowRun(**{**fields, **changes})


def test_the_open_pull_request_with_that_head_is_found(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(6, "e" * 40, head_repository=FORK, head_ref="other")
    fake_github.open_pull_request(7, HEAD, head_repository=FORK, body="words")
    fake_github.open_pull_request(8, HEAD, head_repository="acme/churn")

    found = find_pull_request(make_client()[0], make_run())

    assert (found.number, found.head_sha, found.head_repository) == (7, HEAD, FORK)
    assert (found.body, found.head_seen_at) == ("words", "2026-11-01T12:00:00Z")


@pytest.mark.parametrize(
    "changes",
    [
        {"head_sha": "d" * 40},
        {"head_branch": "another"},
        {"head_repository": "mallory/other"},
        {"head_repository": "acme/churn"},
    ],
    ids=str,
)
def test_a_head_that_differs_in_anything_is_refused(
    fake_github: FakeGitHub, make_client: MakeClient, changes: dict[str, str]
) -> None:
    fake_github.open_pull_request(7, HEAD, head_repository=FORK)

    with pytest.raises(PublishError, match="No open pull requests have the head"):
        find_pull_request(make_client()[0], make_run(**changes))


def test_a_closed_pull_request_is_refused(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(7, HEAD, head_repository=FORK, state="closed")

    with pytest.raises(PublishError, match="No open pull requests"):
        find_pull_request(make_client()[0], make_run())


def test_several_are_refused(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(7, HEAD, head_repository=FORK)
    fake_github.open_pull_request(8, HEAD, head_repository=FORK, base_ref="release")

    with pytest.raises(PublishError, match="2 open pull requests"):
        find_pull_request(make_client()[0], make_run())
