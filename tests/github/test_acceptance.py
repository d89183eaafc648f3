"""A known regression is accepted by the label, if the right person set it at the right time."""

from typing import Any

import pytest

from metricgate.publish.github.acceptance import LABEL, find_acceptance
from metricgate.publish.interface import Notices
from metricgate.report.value import Acceptance
from metricgate.trigger import PullRequest
from tests.github.fake import REPOSITORY, FakeGitHub
from tests.github.fixtures import MakeClient
from tests.github.job import HEAD
from tests.github.state import Comment, LabelEvent

PUSH, BEFORE, AFTER = "2026-11-01T12:00:00Z", "2026-11-01T11:00:00Z", "2026-11-01T13:00:00Z"


def set_label(fake: FakeGitHub, *, by: str = "ann", at: str = AFTER, event: str = "labeled") -> None:
    fake.pull_request(7).label_events.append(LabelEvent(event, LABEL, by, at))


def ask(make_client: MakeClient, **changes: Any) -> tuple[Acceptance | None, tuple[str, ...]]:
    fields: dict[str, Any] = {
        "number": 7,
        "head_sha": HEAD,
        "head_ref": "topic",
        "head_repository": REPOSITORY,
        "base_sha": "b" * 40,
        "base_ref": "main",
        "head_seen_at": PUSH,
    }
    notices = Notices()
    found = find_acceptance(make_client()[0], PullRequest(**{**fields, **changes}), notices)
    return found, tuple(notice.text for notice in notices.all())


@pytest.fixture(autouse=True)
def pull_request(fake_github: FakeGitHub) -> None:
    fake_github.open_pull_request(7, HEAD, body="A leak is fixed, so AUC falls.")
    fake_github.collaborators = {"ann": "write", "root": "admin", "tim": "read"}


@pytest.mark.parametrize("person", ["ann", "root"])
def test_a_label_set_after_the_push_by_a_writer_counts(
    fake_github: FakeGitHub, make_client: MakeClient, person: str
) -> None:
    set_label(fake_github, by=person)

    assert ask(make_client) == (Acceptance(by=person, reason="A leak is fixed, so AUC falls."), ())


def test_without_the_label_nothing_is_accepted_and_nothing_is_said(make_client: MakeClient) -> None:
    assert ask(make_client) == (None, ())


@pytest.mark.parametrize("at", [BEFORE, PUSH])
def test_a_label_from_before_the_last_push_does_not_count(
    fake_github: FakeGitHub, make_client: MakeClient, at: str
) -> None:
    set_label(fake_github, at=at)

    found, notices = ask(make_client)

    assert found is None
    assert "before the last push" in notices[0]


def test_a_push_since_the_event_takes_the_label_back(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    set_label(fake_github)
    fake_github.pull_request(7).head_sha = "d" * 40

    found, notices = ask(make_client)

    assert found is None
    assert "before the last push" in notices[0]


@pytest.mark.parametrize("person", ["tim", "stranger", "github-actions[bot]"])
def test_a_label_by_someone_without_write_permission_does_not_count(
    fake_github: FakeGitHub, make_client: MakeClient, person: str
) -> None:
    set_label(fake_github, by=person)

    found, notices = ask(make_client)

    assert found is None
    assert "without write permission" in notices[0]


def test_a_label_that_was_removed_again_does_not_count(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    set_label(fake_github)
    set_label(fake_github, event="unlabeled")

    assert ask(make_client) == (None, ())


def test_the_person_who_set_it_last_is_the_one_who_counts(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    set_label(fake_github, by="ann", at=BEFORE)
    set_label(fake_github, by="ann", event="unlabeled")
    set_label(fake_github, by="tim")

    found, notices = ask(make_client)

    assert found is None
    assert "without write permission" in notices[0]


def test_the_event_of_setting_it_names_the_head_that_was_seen(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    """Its time is that of the label, so that comparing times would refuse it."""
    set_label(fake_github, at=AFTER)

    found, _ = ask(make_client, head_seen_at=AFTER, label_just_set=LABEL)

    assert found is not None


def test_the_event_of_setting_another_label_does_not(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    set_label(fake_github, at=BEFORE)

    assert ask(make_client, label_just_set="bug")[0] is None


def test_without_a_time_of_the_push_nothing_is_accepted(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    set_label(fake_github)

    assert ask(make_client, head_seen_at="")[0] is None


def test_the_reason_is_that_persons_comment(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    set_label(fake_github)
    fake_github.comments(7).extend(
        [
            Comment(1, "ann", f"{LABEL}: the target leaked into the features"),
            Comment(2, "mallory", f"{LABEL}: because I say so"),
            Comment(3, "ann", "thanks"),
        ]
    )

    assert ask(make_client)[0] == Acceptance(by="ann", reason="the target leaked into the features")
