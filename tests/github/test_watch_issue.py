"""One issue for a watched model: opened by an alarm, silent while nothing is new, closed after two clean runs."""

from datetime import timedelta
from typing import Any

import pytest

from metricgate.errors import CancelledError, PredictionsError
from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import GateRow
from metricgate.models.watch import Watch, WatchedFeature
from metricgate.monitoring.unjudged import mark_unjudged, report_stale
from metricgate.publish.publication import Published
from metricgate.report.failure import report_failure
from metricgate.report.headline import headline
from metricgate.report.value import Report
from tests.github.fake import FakeGitHub
from tests.github.job import PUSH, Job, make_report
from tests.github.state import Issue


def watch(*drifted: tuple[str, float], model: str = "a" * 40, issue: bool = True) -> Report:
    """Return a report in which these features lie this many margins out."""
    gates = tuple(
        GateRow(
            rule=f"{name}: ks_distance at most 0.05",
            metric="ks_distance",
            feature=name,
            source="drift",
            role=Role.GUARDRAIL,
            kind="max_shift",
            direction=Direction.LOWER,
            bound=0.05,
            outcome=Outcome.FAILED,
            reason="r",
            reason_code="drifted",
            difference=0.05 * margins,
            low=0.05 * margins - 0.01,
            high=0.05 * margins + 0.01,
            simultaneous_low=0.05 * margins - 0.02,
            simultaneous_high=0.05 * margins + 0.02,
        )
        for name, margins in drifted
    )
    features = tuple(WatchedFeature(name=name, kind="number", owner="pricing") for name, _ in drifted)
    facts = Watch(reference_rows=9, current_rows=9, features=features, issue=issue, model=model)
    return make_report(Verdict.FAILED if drifted else Verdict.PASSED, gates=gates, watch=facts)


def stale(*, issue: bool = True) -> Report:
    return mark_unjudged(
        report_stale(timedelta(days=40), timedelta(days=20), id_="default"), issue=issue, model="a" * 40
    )


def broken(what: str = "data/fresh.csv is empty.") -> Report:
    error = PredictionsError(what, expected="rows.", fix="look at the query.")
    return mark_unjudged(report_failure(error), issue=True)


def tell(job: Job, report: Report, **changes: Any) -> Published:
    return job.publish(report, kind_of_run="drift", **{**PUSH, **changes})


def only_issue(fake: FakeGitHub) -> Issue:
    (issue,) = fake.issues.values()
    return issue


def test_alarm_opens_one_issue_that_names_the_owner_and_the_line_that_accepts_it(
    fake_github: FakeGitHub, job: Job
) -> None:
    tell(job, watch(("tenure", 3)))

    issue = only_issue(fake_github)
    assert "1 of 1 feature moved by more than is allowed: tenure (15 points of rows moved, 5 allowed)" in issue.title
    assert "owner: pricing" in issue.body
    assert "to accept it: `features: {tenure: {moved: 0.17}}`" in issue.body
    assert issue.comments == []


def test_same_alarm_is_told_once(fake_github: FakeGitHub, job: Job) -> None:
    for margins in (3, 3.4, 2.5):
        tell(job, watch(("tenure", margins)))

    assert only_issue(fake_github).comments == []
    assert "12.5 points" in only_issue(fake_github).title


@pytest.mark.parametrize(
    "second",
    [
        watch(("tenure", 3), ("charges", 2)),
        watch(("tenure", 4.2)),
        watch(("tenure", 3), model="b" * 40),
    ],
    ids=["another feature", "a margin more", "another model"],
)
def test_news_are_one_comment(fake_github: FakeGitHub, job: Job, second: Report) -> None:
    for report in (watch(("tenure", 3)), second, second):
        tell(job, report)

    (comment,) = only_issue(fake_github).comments
    assert "tenure" in comment.body


def test_two_clean_runs_close_it_and_one_does_not(fake_github: FakeGitHub, job: Job) -> None:
    tell(job, watch(("tenure", 3)))
    tell(job, watch())
    after_one = only_issue(fake_github).state
    tell(job, watch())

    assert after_one == "open"
    assert only_issue(fake_github).state == "closed"
    assert len(only_issue(fake_github).comments) == 1


def test_undecided_runs_do_not_close_it(fake_github: FakeGitHub, job: Job) -> None:
    tell(job, watch(("tenure", 3)))

    for _ in range(3):
        tell(job, watch().model_copy(update={"verdict": Verdict.INCONCLUSIVE}))

    assert only_issue(fake_github).state == "open"


def test_alarm_between_clean_runs_starts_the_count_anew(fake_github: FakeGitHub, job: Job) -> None:
    for report in (watch(("tenure", 3)), watch(), watch(("tenure", 3)), watch()):
        tell(job, report)

    assert only_issue(fake_github).state == "open"
    assert only_issue(fake_github).comments == []


def test_persons_closing_is_respected_until_it_was_clean(fake_github: FakeGitHub, job: Job) -> None:
    tell(job, watch(("tenure", 3)))
    only_issue(fake_github).state = "closed"
    tell(job, watch(("tenure", 3), ("charges", 9)))

    assert only_issue(fake_github).state == "closed"
    assert only_issue(fake_github).comments == []
    for report in (watch(), watch(), watch(("tenure", 3))):
        tell(job, report)
    assert len(fake_github.issues) == 2


def test_run_that_judged_nothing_says_nothing(fake_github: FakeGitHub, job: Job) -> None:
    tell(job, watch(("tenure", 3)))
    before = only_issue(fake_github).body
    tell(job, make_report(Verdict.SKIPPED))
    tell(job, make_report(Verdict.ERROR))

    assert only_issue(fake_github).body == before


def test_no_issue_unless_asked_and_only_about_the_default_branch(fake_github: FakeGitHub, job: Job) -> None:
    tell(job, watch(("tenure", 3), issue=False))
    tell(job, watch(("tenure", 3)), ref="refs/heads/topic")

    assert fake_github.issues == {}


@pytest.mark.parametrize(
    ("report", "title", "said"),
    [
        (stale(), "Stale: no data since: the newest row is 40 days old, 20 are allowed", "40 days old"),
        (broken(), "Could not judge: data/fresh.csv is empty", "look at the query"),
    ],
    ids=["stale", "error"],
)
def test_what_could_not_be_judged_opens_the_issue_and_two_healthy_runs_close_it(
    fake_github: FakeGitHub, job: Job, report: Report, title: str, said: str
) -> None:
    for _ in range(2):
        tell(job, report)
    issue = only_issue(fake_github)
    assert title in issue.title
    assert said in issue.body
    assert issue.comments == []

    tell(job, watch())
    after_one = only_issue(fake_github).state
    tell(job, watch())

    assert (after_one, only_issue(fake_github).state) == ("open", "closed")


@pytest.mark.parametrize("report", [stale(), broken()], ids=["stale", "error"])
def test_what_could_not_be_judged_is_one_comment_and_the_drift_is_not_told_again(
    fake_github: FakeGitHub, job: Job, report: Report
) -> None:
    for one in (watch(("tenure", 3)), watch(), report, report, watch(), watch(("tenure", 3))):
        tell(job, one)

    issue = only_issue(fake_github)
    (comment,) = issue.comments
    assert headline(report) in comment.body
    assert issue.state == "open"
    assert "tenure" in issue.title


def test_neither_a_cancelled_run_nor_one_whose_policy_asks_for_none_opens_an_issue(
    fake_github: FakeGitHub, job: Job
) -> None:
    cancelled = report_failure(CancelledError("The run was cancelled.", expected="time.", fix="run it again."))
    tell(job, mark_unjudged(cancelled, issue=True))
    tell(job, stale(issue=False))

    assert fake_github.issues == {}
