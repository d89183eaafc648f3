"""One comment, whatever happens."""

import pytest

from metricgate.publish.github.comment import CommentThread
from metricgate.report.formats.markdown import comment_marker
from tests.github.fake import FakeGitHub
from tests.github.faults import answer, html, reset
from tests.github.fixtures import MakeClient
from tests.github.state import BOT, Comment, Token

HEAD = "a" * 40
BODY = f"{comment_marker('default')}\n## Passed\n"


def test_it_is_created_then_updated_in_place(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(7, HEAD)
    thread = CommentThread(make_client()[0], 7, "default")

    first = thread.put(BODY)
    second = thread.put(BODY.replace("Passed", "Blocked"))

    assert first.url == second.url
    assert [comment.body for comment in fake_github.comments(7)] == [BODY.replace("Passed", "Blocked")]


def test_an_identical_body_costs_no_write(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(7, HEAD)
    thread = CommentThread(make_client()[0], 7, "default")
    thread.put(BODY)
    fake_github.writes.clear()

    thread.put(BODY)

    assert fake_github.writes == []


def test_it_is_found_behind_many_pages_of_other_comments(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    pull_request = fake_github.open_pull_request(7, HEAD)
    pull_request.add_comments(250)
    thread = CommentThread(make_client()[0], 7, "default")
    thread.put(BODY)

    thread.put(BODY + "new")

    assert [one.body for one in pull_request.comments if one.login == BOT] == [BODY + "new"]


def test_a_marker_written_by_somebody_else_is_left_alone(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    """With pull-requests: write the token could edit it, which would put our words under their name."""
    pull_request = fake_github.open_pull_request(7, HEAD)
    pull_request.comments.append(Comment(1, "mallory", BODY))

    CommentThread(make_client()[0], 7, "default").put(BODY + "ours")

    assert [(one.login, one.body) for one in pull_request.comments] == [("mallory", BODY), (BOT, BODY + "ours")]


def test_a_quoted_marker_is_not_ours(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    pull_request = fake_github.open_pull_request(7, HEAD)
    pull_request.comments.append(Comment(1, "other[bot]", "> " + BODY))

    CommentThread(make_client()[0], 7, "default").put(BODY)

    assert [one.login for one in pull_request.comments] == ["other[bot]", BOT]


def test_a_personal_token_finds_its_own_comment(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(7, HEAD)
    fake_github.tokens["ghp_ann"] = Token(login="ann")
    thread = CommentThread(make_client(token="ghp_ann")[0], 7, "default")
    thread.put(BODY)

    CommentThread(make_client(token="ghp_ann")[0], 7, "default").put(BODY + "new")

    assert [(one.login, one.body) for one in fake_github.comments(7)] == [("ann", BODY + "new")]


def test_two_set_ups_have_a_comment_each(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.open_pull_request(7, HEAD)
    client, _ = make_client()

    CommentThread(client, 7, "a").put(comment_marker("a") + "\nA")
    CommentThread(client, 7, "ab").put(comment_marker("ab") + "\nAB")

    assert [one.body[-2:] for one in fake_github.comments(7)] == ["\nA", "AB"]


def test_duplicates_are_healed_into_the_oldest(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    pull_request = fake_github.open_pull_request(7, HEAD)
    pull_request.comments += [Comment(number, BOT, BODY + str(number)) for number in (3, 1, 2)]

    CommentThread(make_client()[0], 7, "default").put(BODY + "now")

    assert [(one.number, one.body) for one in pull_request.comments] == [(1, BODY + "now")]


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("fault", ["500", "502", "503", "reset", "html"])
def test_no_fault_posts_twice(
    fake_github: FakeGitHub, make_client: MakeClient, fault: str, times: int, *, written: bool
) -> None:
    """Whether GitHub had done it or not, one comment stands in the end."""
    fake_github.open_pull_request(7, HEAD)
    faults = {"reset": reset(written=written), "html": html(written=written)}
    one = faults.get(fault) or answer(int(fault), written=written)
    plan = fake_github.fail(r"^POST .*/comments$", *[one] * times)
    client, clock = make_client()

    CommentThread(client, 7, "default").put(BODY)

    assert [comment.body for comment in fake_github.comments(7)] == [BODY]
    assert fake_github.writes.count("POST /repos/acme/churn/issues/7/comments") == 1
    assert plan.met == (1 if written else times)
    assert sum(clock.sleeps) < 120
