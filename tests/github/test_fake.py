"""The judge itself: the fake refuses what GitHub refuses, and notices what GitHub would never be sent."""

from typing import Any

import pytest
import requests

from tests.github.contract import Reply
from tests.github.fake import TOKEN, FakeGitHub
from tests.github.job import HEAD
from tests.github.state import Token


def send(fake: FakeGitHub, method: str, path: str, body: dict[str, Any] | None = None, token: str = TOKEN) -> Any:
    return requests.request(
        method,
        f"{fake.url}/repos/acme/churn/{path}",
        json=body,
        headers={"Authorization": f"token {token}"},
        timeout=10,
    )


@pytest.fixture(autouse=True)
def pull_request(fake_github: FakeGitHub) -> None:
    fake_github.open_pull_request(7, HEAD)


CHECK = {"name": "x", "head_sha": HEAD}
ANNOTATION = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("issues/7/comments", {"body": "ü" * 131_072}, 201),
        ("issues/7/comments", {"body": "ü" * 131_072 + "x"}, 422),
        ("issues/7/comments", {"body": " "}, 422),
        ("check-runs", {**CHECK, "output": {"title": "t", "summary": "x" * 65_535}}, 201),
        ("check-runs", {**CHECK, "output": {"title": "t", "summary": "ü" * 32_768}}, 422),
        (f"statuses/{HEAD}", {"state": "success", "description": "x" * 140}, 201),
        (f"statuses/{HEAD}", {"state": "success", "description": "x" * 141}, 422),
        ("git/refs", {"ref": "refs/metricgate", "sha": HEAD}, 422),
    ],
)
def test_limits_are_those_of_github(fake_github: FakeGitHub, path: str, body: dict[str, Any], status: int) -> None:
    assert send(fake_github, "POST", path, body).status_code == status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("issues/7/comments", {"text": "no body"}),
        ("check-runs", {**CHECK, "status": "finished"}),
        ("check-runs", {**CHECK, "output": {"title": "t", "summary": "s", "annotations": [ANNOTATION] * 51}}),
        (f"statuses/{HEAD}", {"state": "neutral"}),
    ],
)
def test_a_request_that_githubs_description_forbids_is_refused_and_noted(
    fake_github: FakeGitHub, path: str, body: dict[str, Any]
) -> None:
    assert send(fake_github, "POST", path, body).status_code == 422
    assert len(fake_github.violations) == 1
    fake_github.violations.clear()


def test_a_response_that_github_would_never_give_is_noted(fake_github: FakeGitHub) -> None:
    reply = Reply(b'{"id": "one"}', 200, {})

    problem = fake_github.contract.check_response("GET", "/repos/acme/churn/issues/comments/1", "", b"", reply)

    assert "InvalidData" in problem


@pytest.mark.parametrize(
    ("permissions", "path", "body", "status"),
    [
        ({"contents": "write"}, "issues/7/comments", {"body": "x"}, 403),
        ({"pull-requests": "read"}, "issues/7/comments", {"body": "x"}, 403),
        ({"pull-requests": "write"}, "issues/7/comments", {"body": "x"}, 201),
        ({"pull-requests": "write"}, "check-runs", CHECK, 403),
        ({"checks": "write"}, "check-runs", CHECK, 201),
        ({"contents": "read"}, "git/blobs", {"content": "", "encoding": "base64"}, 403),
    ],
)
def test_a_token_may_do_what_it_was_given(
    fake_github: FakeGitHub, permissions: dict[str, str], path: str, body: dict[str, Any], status: int
) -> None:
    fake_github.tokens[TOKEN] = Token(permissions=permissions)

    assert send(fake_github, "POST", path, body).status_code == status


def test_a_personal_token_creates_no_check_run(fake_github: FakeGitHub) -> None:
    fake_github.tokens["ghp_ann"] = Token(login="ann")

    assert send(fake_github, "POST", "check-runs", CHECK, token="ghp_ann").status_code == 403


@pytest.mark.parametrize(("path", "token", "status"), [("pulls/7", "other", 401), ("pulls/8", TOKEN, 404)])
def test_an_unknown_token_and_an_unknown_thing(fake_github: FakeGitHub, path: str, token: str, status: int) -> None:
    assert send(fake_github, "GET", path, token=token).status_code == status


def test_lists_come_in_pages_of_thirty_with_links(fake_github: FakeGitHub) -> None:
    fake_github.pull_request(7).add_comments(31)

    first = send(fake_github, "GET", "issues/7/comments")

    assert len(first.json()) == 30
    assert len(requests.get(first.links["next"]["url"], headers=first.request.headers, timeout=10).json()) == 1
