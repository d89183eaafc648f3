"""One issue for a default branch that fails: opened, one comment a change, closed on recovery."""

from dataclasses import replace
from typing import Any

import pytest

from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import GateRow, Slice
from metricgate.publish.github.issue import LABEL, IssueNews, keep_issue
from metricgate.publish.publication import Published
from metricgate.report.value import Failure, Report
from metricgate.trigger import TriggerKind
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.faults import answer, reset
from tests.github.fixtures import MakeClient
from tests.github.job import ASKED, PUSH, Job, ask, make_report
from tests.github.state import ALL, BOT, Comment, Issue
from tests.report.reports import make_large_report


def push(job: Job, report: Report, **changes: Any) -> Published:
    return job.publish(report, **{**PUSH, **changes})


def make_loss(candidate: float, *, outcome: Outcome = Outcome.FAILED, baseline: float = 0.845) -> GateRow:
    return GateRow(
        rule="roc_auc may drop by 0.010",
        metric="roc_auc",
        role=Role.REQUIRED,
        kind="max_drop",
        direction=Direction.HIGHER,
        bound=0.01,
        outcome=outcome,
        reason="r",
        reason_code="c",
        baseline=baseline,
        candidate=candidate,
        difference=candidate - baseline,
        low=candidate - baseline - 0.01,
        high=candidate - baseline + 0.01,
    )


def fail(candidate: float = 0.824) -> Report:
    return make_report(Verdict.FAILED, gates=(make_loss(candidate),))


def broken() -> Report:
    failure = Failure(title="Git", what="The remote is gone.", expected="e", fix="f", anchor="workspace", exit_code=4)
    return make_report(Verdict.ERROR, failure=failure)


def only_issue(fake: FakeGitHub) -> Issue:
    (issue,) = fake.issues.values()
    return issue


def said(issue: Issue) -> list[str]:
    return [comment.body.split("\n")[1].strip() for comment in issue.comments]


def test_a_failing_default_branch_opens_one_issue_with_the_report_and_its_owners(
    fake_github: FakeGitHub, job: Job
) -> None:
    ask(fake_github)

    published = push(job, fail())

    issue = only_issue(fake_github)
    assert issue.title == "MetricGate on main: Blocked: ROC AUC is 0.021 lower (0.011 to 0.031); 0.010 is allowed"
    assert "## ❌ Blocked: ROC AUC is 0.021 lower" in issue.body
    assert "| ❌ | " in issue.body
    assert "@ann @acme/ml" in issue.body
    assert (issue.labels, issue.comments, published.notices) == ([LABEL], [], ())


def test_the_same_failure_again_is_silent_and_another_is_one_comment(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    push(job, fail())
    push(job, fail(0.820))
    push(job, broken())
    push(job, broken())
    push(job, fail(0.820))

    issue = only_issue(fake_github)
    assert said(issue) == [
        "**🛑 Could not judge: the remote is gone**",
        "**❌ Blocked: ROC AUC is 0.025 lower (0.015 to 0.035); 0.010 is allowed**",
    ]
    assert "0.025 lower" in issue.body
    assert issue.state == "open"


def test_recovery_is_one_comment_and_closes(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    push(job, broken())

    push(job, make_report())
    push(job, make_report())

    issue = only_issue(fake_github)
    assert (issue.state, issue.reason) == ("closed", "completed")
    assert said(issue) == ["**✅ No loss beyond what is allowed (0 gates)**"]


def test_the_next_failure_after_a_recovery_opens_a_new_issue(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    for report in (broken(), make_report(), broken()):
        push(job, report)

    assert [issue.state for issue in fake_github.issues.values()] == ["closed", "open"]


def test_passing_against_the_model_that_lost_is_no_recovery(fake_github: FakeGitHub, job: Job) -> None:
    """Each push is compared with the one before: the next one that changes nothing passes."""
    ask(fake_github)
    push(job, fail(0.824))

    unchanged = make_report(gates=(make_loss(0.824, outcome=Outcome.PASSED, baseline=0.824),))
    push(job, unchanged)
    push(job, unchanged)
    issue = only_issue(fake_github)
    assert issue.state == "open"
    assert len(issue.comments) == 1
    assert "- ROC AUC is 0.824; 0.835 would make up for the loss" in issue.comments[0].body

    push(job, make_report(gates=(make_loss(0.836, outcome=Outcome.PASSED, baseline=0.824),)))
    assert issue.state == "closed"


def test_two_losses_in_a_row_must_both_be_made_up_for(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    push(job, fail(0.824))
    push(job, make_report(Verdict.FAILED, gates=(make_loss(0.800, baseline=0.824),)))

    push(job, make_report(gates=(make_loss(0.815, outcome=Outcome.PASSED, baseline=0.800),)))

    assert only_issue(fake_github).state == "open"


def test_a_person_who_closed_it_hears_nothing_until_it_recovered_and_failed_again(
    fake_github: FakeGitHub, job: Job
) -> None:
    ask(fake_github)
    push(job, broken())
    closed = only_issue(fake_github)
    closed.state, closed.reason = "closed", "not_planned"

    for report in (broken(), fail(), make_report(gates=(make_loss(0.9, outcome=Outcome.PASSED),))):
        push(job, report)
    assert len(fake_github.issues) == 1
    assert (closed.comments, closed.state, closed.reason) == ([], "closed", "not_planned")

    push(job, fail())
    assert [issue.state for issue in fake_github.issues.values()] == ["closed", "open"]


def test_a_recovered_issue_that_a_person_opened_again_is_left_open(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    for report in (broken(), make_report()):
        push(job, report)
    issue = only_issue(fake_github)
    issue.state = "open"

    push(job, make_report())

    assert issue.state == "open"
    assert len(issue.comments) == 1


def test_doubt_and_a_run_that_judged_nothing_open_no_issue(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)

    for verdict in (Verdict.INCONCLUSIVE, Verdict.SKIPPED, Verdict.CANCELLED, Verdict.PASSED):
        push(job, make_report(verdict))

    assert fake_github.issues == {}


def test_doubt_keeps_an_open_issue_open_and_says_so(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    push(job, broken())

    push(job, make_report(Verdict.INCONCLUSIVE))

    issue = only_issue(fake_github)
    assert issue.state == "open"
    assert [line.startswith("**⚠️ ") for line in said(issue)] == [True]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": TriggerKind.PUSH, "ref": "refs/heads/topic"},
        {"is_fork": True},
        {"default_branch": ""},
        {"kind": TriggerKind.MERGE_GROUP, "ref": "refs/heads/gh-readonly-queue/main/pr-1"},
    ],
)
def test_only_the_default_branch_has_an_issue(fake_github: FakeGitHub, job: Job, changes: dict[str, Any]) -> None:
    ask(fake_github)

    push(job, fail(), **changes)

    assert fake_github.issues == {}
    assert not any("/contents/" in request for request in fake_github.requests)


def test_nobody_who_does_not_ask_gets_an_issue(fake_github: FakeGitHub, job: Job) -> None:
    published = push(job, fail())
    ask(fake_github, "gates: [{metric: 'metrics.json:x', min: 1}]")
    push(job, fail())

    assert fake_github.issues == {}
    assert published.notices == ()


def test_a_mistake_in_notify_is_a_notice_and_another_key_is_not_looked_at(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github, "notify: [{to: slak}]")
    published = push(job, fail())
    [notice] = published.notices
    assert "metricgate.yaml at bbbbbbbbbbbb:1: notify" in notice

    ask(fake_github, "gates: nonsense\n" + ASKED)
    push(job, fail())
    assert len(fake_github.issues) == 1


def test_without_the_permission_a_notice_names_it(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    fake_github.tokens[TOKEN].permissions = {**ALL, "issues": "none"}

    published = push(job, fail())

    assert not published.failed
    [notice] = published.notices
    assert "issues: write" in notice


def test_a_forged_marker_and_a_pull_request_are_not_it(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    push(job, fail())
    ours = only_issue(fake_github)
    fake_github.issues[5000] = replace(ours, number=5000, login="mallory", comments=[])

    push(job, broken())

    assert fake_github.issues[5000].comments == []
    assert len(ours.comments) == 1


def test_the_largest_report_fits_with_all_that_the_issue_remembers(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    where = Slice(column="c" * 300, value="v" * 300)
    lost = tuple(
        make_loss(0.8).model_copy(update={"metric": f"{number}{'m' * 300}", "slice": where}) for number in range(99)
    )
    large = make_large_report(metrics=700, slices=100, parameters=50, files=100)

    published = push(job, large.model_copy(update={"gates": (*large.gates, *lost), "verdict": Verdict.FAILED}))

    issue = only_issue(fake_github)
    assert published.notices == ()
    assert 40_000 < len(issue.body) <= 65_536


def test_another_set_up_has_another_issue(fake_github: FakeGitHub, job: Job) -> None:
    ask(fake_github)
    push(job, fail())

    push(job, fail(), inputs={"id": "eu"})

    assert sorted(issue.title.partition(" on ")[0] for issue in fake_github.issues.values()) == [
        "MetricGate",
        "MetricGate (eu)",
    ]


def news(kind: Any = "problem", state: str = "a") -> IssueNews:
    return IssueNews(kind=kind, state=state, title="t", body="b", comment=f"comment {state}")


@pytest.mark.parametrize("fault", [reset(written=True), reset(written=False), answer(502, written=True), answer(502)])
@pytest.mark.parametrize("request_", ["POST .*/issues$", "POST .*/comments$", "PATCH .*/issues/"])
def test_a_fault_at_any_request_leaves_one_issue_and_one_comment(
    fake_github: FakeGitHub, make_client: MakeClient, fault: Any, request_: str
) -> None:
    client, _ = make_client()
    fake_github.fail(request_, fault)

    for state in ("a", "b", "b"):
        keep_issue(client, "default", lambda _, state=state: news(state=state))  # type: ignore[misc]

    issue = only_issue(fake_github)
    assert [comment.body.split("\n")[1] for comment in issue.comments] == ["comment b"]


def test_of_two_that_were_opened_at_once_the_oldest_is_kept(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    client, _ = make_client()

    def open_another() -> None:
        other = Issue(1, "t", "<!-- metricgate-issue:default -->\n", labels=[LABEL])
        fake_github.issues[other.number] = other

    fake_github.call_before("POST .*/issues$", open_another)

    url = keep_issue(client, "default", lambda _: news())

    assert url == f"https://github.example/{REPOSITORY}/issues/1"
    assert [issue.state for issue in fake_github.issues.values()] == ["open", "closed"]


def test_a_person_may_comment_in_between(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    client, _ = make_client()
    keep_issue(client, "default", lambda _: news())
    only_issue(fake_github).comments.append(Comment(9, "ann", "I am looking into it"))

    keep_issue(client, "default", lambda _: news())
    keep_issue(client, "default", lambda _: news("recovery", "c"))

    assert [comment.login for comment in only_issue(fake_github).comments] == ["ann", BOT]


def test_what_describe_remembers_comes_back(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    client, _ = make_client()
    seen: list[str] = []

    def describe(memory: str) -> IssueNews:
        seen.append(memory)
        return replace(news(), memory="a --> b\n🎲")

    keep_issue(client, "default", describe)
    only_issue(fake_github).body = only_issue(fake_github).body.replace("\n", "\r\n")
    keep_issue(client, "default", describe)

    assert seen == ["", "a --> b\n🎲"]
    assert only_issue(fake_github).edits == 0
