"""A comment on a watched model's issue: who may quieten it, what for, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.github.watch_snooze import Snooze, apply_snoozes, read_snooze
from metricgate.report.headline import headline
from metricgate.report.value import Report
from tests.github.fake import FakeGitHub
from tests.github.job import PUSH, Job
from tests.github.state import Comment
from tests.github.test_watch_issue import only_issue, tell, watch

NOW = datetime(2026, 7, 10, tzinfo=UTC)
AT = NOW - timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "names", "days", "why"),
    [
        ("metricgate: snooze 14d", (), 14, ""),
        ("metricgate: snooze 2w new price list", (), 14, "new price list"),
        (
            "Known.\n\nMetricGate: acknowledge tenure, `charges` until 2026-07-31: campaign",
            ("tenure", "charges"),
            25,
            "campaign",
        ),
        ("metricgate: acknowledge tenure for 30d", ("tenure",), 30, ""),
    ],
)
def test_comment_says_what_until_when_and_why(text: str, names: tuple[str, ...], days: int, why: str) -> None:
    found = read_snooze(text, by="ann", at=AT)

    assert found == Snooze(by="ann", until=AT + timedelta(days=days), names=names, reason=why)


@pytest.mark.parametrize(
    "text",
    [
        "please snooze 14d",
        "metricgate: snooze",
        "metricgate: snooze for ever",
        "metricgate: snooze 0d",
        "metricgate: snooze 900d",
        "metricgate: snooze until 2026-02-31",
        "metricgate: acknowledge 14d",
        "metricgate: snooze until 2036-01-01",
    ],
)
def test_comment_without_an_end_or_a_name_asks_for_nothing(text: str) -> None:
    assert read_snooze(text, by="ann", at=AT) is None


def alarm(fake: FakeGitHub, job: Job, text: str, *, login: str = "ann", at: datetime = AT) -> Report:
    """Return a second run's report, after a comment on the issue that the first one opened."""
    fake.collaborators = {"ann": "write", "eve": "read"}
    tell(job, watch(("tenure", 3)))
    only_issue(fake).comments.append(Comment(7, login, text, at=at.isoformat()))
    publication = job.open(kind_of_run="drift", **PUSH)
    return publication.acknowledge(watch(("tenure", 5)), NOW)


def test_snoozed_alarm_passes_and_is_not_told(fake_github: FakeGitHub, job: Job) -> None:
    report = alarm(fake_github, job, "metricgate: snooze 14d new prices")
    tell(job, report)

    assert (report.verdict, report.exit_code) == (Verdict.PASSED, 0)
    assert headline(report).startswith("Acknowledged by ann: 1 of 1 feature moved")
    assert report.accepted is not None
    assert report.accepted.reason == "until 2026-07-20: new prices"
    assert [comment.login for comment in only_issue(fake_github).comments] == ["ann"]
    assert only_issue(fake_github).state == "open"


@pytest.mark.parametrize(
    ("text", "login", "at"),
    [
        ("metricgate: snooze 14d", "eve", AT),
        ("metricgate: snooze 2d", "ann", AT),
        ("metricgate: acknowledge charges 14d", "ann", AT),
    ],
    ids=["may not", "over", "another feature"],
)
def test_alarm_stands_otherwise(fake_github: FakeGitHub, job: Job, text: str, login: str, at: datetime) -> None:
    report = alarm(fake_github, job, text, login=login, at=at)

    assert (report.verdict, report.exit_code, report.accepted) == (Verdict.FAILED, 1, None)


def test_two_people_may_each_speak_of_their_own_feature() -> None:
    report = watch(("tenure", 3), ("charges", 3))
    ann = Snooze(by="ann", until=NOW + timedelta(days=9), names=("tenure",))
    tim = replace(ann, by="tim", names=("charges",), until=NOW + timedelta(days=2))

    assert apply_snoozes(report, (ann,)).verdict is Verdict.FAILED
    both = apply_snoozes(report, (ann, tim))
    assert both.verdict is Verdict.PASSED
    assert both.accepted is not None
    assert (both.accepted.by, both.accepted.reason) == ("ann, tim", "until 2026-07-11")
