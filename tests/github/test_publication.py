"""From a report to what a pull request shows."""

from typing import Any

import pytest

from metricgate.models.outcome import Verdict
from metricgate.models.result import Change, Warning_
from metricgate.models.snapshot import RevisionInfo, Source, Stage
from metricgate.publish.publication import Published
from metricgate.report.value import Failure, Report
from metricgate.trigger import PullRequest, TriggerKind
from tests.github.fake import TOKEN, FakeGitHub
from tests.github.faults import answer
from tests.github.job import HEAD, MERGE, Job, make_candidate, make_chart, make_gate, make_report, make_trigger
from tests.github.state import ALL, Token

URL = "https://github.example/acme/churn/pull/7#issuecomment-"


def test_a_pull_request_gets_one_comment_one_completed_check_and_the_outputs(fake_github: FakeGitHub, job: Job) -> None:
    published = job.publish(make_report(Verdict.FAILED))

    [comment], [check] = fake_github.comments(7), fake_github.checks(HEAD)
    assert comment.body.startswith("<!-- metricgate:default -->\n")
    assert "Blocked" in comment.body
    assert (check.name, check.status, check.conclusion) == ("MetricGate", "completed", "failure")
    assert check.details_url.endswith("/actions/runs/42")
    assert published == Published(
        comment_url=f"{URL}{comment.number}", check_url=f"https://github.example/acme/churn/runs/{check.number}"
    )
    assert job.outputs() == {
        "verdict": "failed",
        "report": "metricgate-report",
        "comment-url": published.comment_url,
        "check-url": published.check_url,
        "baseline-sha": "",
    }
    assert "Blocked" in job.read("GITHUB_STEP_SUMMARY")
    assert job.log == ["::error title=MetricGate::Blocked: because"]


@pytest.mark.parametrize(
    ("verdict", "exit_code", "conclusion", "state"),
    [
        (Verdict.PASSED, 0, "success", "success"),
        (Verdict.FAILED, 1, "failure", "failure"),
        (Verdict.INCONCLUSIVE, 0, "neutral", "success"),
        (Verdict.INCONCLUSIVE, 6, "failure", "failure"),
        (Verdict.SKIPPED, 0, "neutral", "success"),
        (Verdict.ERROR, 4, "failure", "error"),
        (Verdict.CANCELLED, 130, "cancelled", "error"),
    ],
)
def test_check_and_status_say_the_verdict(
    fake_github: FakeGitHub, job: Job, *, verdict: Verdict, exit_code: int, conclusion: str, state: str
) -> None:
    report = make_report(verdict).model_copy(update={"exit_code": exit_code})

    job.publish(report, inputs={"check": "both"})

    assert [check.conclusion for check in fake_github.checks(HEAD)] == [conclusion]
    assert [status.state for status in fake_github.statuses(HEAD)] == [state, "pending"]


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERROR])
def test_a_verdict_that_is_not_enforced_is_neutral_and_never_an_error_of_the_job(
    fake_github: FakeGitHub, job: Job, verdict: Verdict
) -> None:
    report = make_report(verdict).model_copy(update={"enforced": False, "exit_code": 0})

    job.publish(report, inputs={"check": "both"})

    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["neutral"]
    assert [status.state for status in fake_github.statuses(HEAD)] == ["success", "pending"]
    assert [line.partition(" ")[0] for line in job.log] == ["::warning"]


def make_untouched() -> Report:
    """Return the report of a change to a README."""
    baseline = RevisionInfo(revision="b" * 40, name="main", source=Source.DVC_CACHE)
    return make_report().model_copy(update={"baseline": baseline, "candidate": make_candidate(HEAD)})


@pytest.mark.parametrize(
    ("change", "comments"),
    [
        ({}, 0),
        ({"changes": (Change(kind="source", name="src/train.py"),)}, 1),
        ({"warnings": (Warning_(code="x", text="x"),)}, 1),
        ({"candidate_policy": "The verdict would be failed."}, 1),
        ({"candidate_stages": (Stage(name="train", state="ran"),)}, 1),
        ({"baseline": None}, 1),
        ({"verdict": Verdict.FAILED, "exit_code": 1}, 1),
    ],
)
def test_a_change_to_nothing_the_pipeline_depends_on_gets_a_check_and_no_comment(
    fake_github: FakeGitHub, job: Job, change: dict[str, Any], comments: int
) -> None:
    job.publish(make_untouched().model_copy(update=change))

    assert len(fake_github.comments(7)) == comments
    assert len(fake_github.checks(HEAD)) == 1


def test_a_comment_that_stands_is_updated_and_always_means_always(fake_github: FakeGitHub, job: Job) -> None:
    job.publish(make_report(Verdict.FAILED))
    job.publish(make_untouched())
    [comment] = fake_github.comments(7)
    assert "Blocked" not in comment.body.partition("Earlier runs")[0]

    fake_github.pull_request(7).comments.clear()
    job.publish(make_untouched(), inputs={"comment": "always"})
    assert len(fake_github.comments(7)) == 1


def test_a_time_limit_is_timed_out(fake_github: FakeGitHub, job: Job) -> None:
    failure = Failure(
        title="Time limit", what="w", expected="e", fix="f", anchor="time-limit", exit_code=4, timed_out=True
    )

    job.publish(make_report(Verdict.ERROR, failure=failure))

    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["timed_out"]


def test_a_second_push_updates_the_comment_and_remembers_the_first(fake_github: FakeGitHub, job: Job) -> None:
    job.publish(make_report(Verdict.FAILED))
    second = "d" * 40
    fake_github.pull_request(7).head_sha = second
    pull_request = make_trigger("").pull_request
    assert pull_request is not None

    moved = PullRequest(**{**vars(pull_request), "head_sha": second})
    job.publish(make_report(), pull_request=moved, report_sha=second)

    [comment] = fake_github.comments(7)
    assert f"| `{HEAD[:7]}` | ❌ Blocked: because |" in comment.body


def test_the_same_report_again_costs_the_comment_no_write(fake_github: FakeGitHub, job: Job) -> None:
    job.publish(make_report())

    job.publish(make_report())

    assert [comment.edits for comment in fake_github.comments(7)] == [0]


def test_a_run_for_an_outdated_head_leaves_the_newer_comment_alone(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.pull_request(7).head_sha = "d" * 40

    published = job.publish(make_report())

    assert fake_github.comments(7) == []
    assert published.notices == ("The pull request now has the head ddddddd, whose run updates the comment.",)
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["success"]


def test_without_permissions_it_still_ends_well_and_says_which_are_missing(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.tokens[TOKEN].permissions = {"contents": "read"}

    published = job.publish(make_report(), inputs={"check": "both"})

    assert fake_github.writes == []
    assert not published.failed
    [notice] = published.notices
    assert notice.endswith(
        "```yaml\npermissions:\n  contents: read\n  checks: write\n  statuses: write\n  pull-requests: write\n```"
    )
    assert "> checks: write".replace("> ", ">   ") in job.read("GITHUB_STEP_SUMMARY")


@pytest.mark.parametrize(
    ("permission", "comments", "checks"), [("pull-requests", 1, 0), ("checks", 0, 1), ("statuses", 0, 0)]
)
def test_each_permission_brings_what_it_is_for(
    fake_github: FakeGitHub, job: Job, permission: str, comments: int, checks: int
) -> None:
    fake_github.tokens[TOKEN].permissions = {permission: ALL[permission]}

    published = job.publish(make_report())

    assert (len(fake_github.comments(7)), len(fake_github.checks(HEAD))) == (comments, checks)
    assert not published.failed


def test_on_a_fork_the_second_workflow_is_named_instead_of_permissions(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.tokens[TOKEN].permissions = {"contents": "read"}

    published = job.publish(make_report(), is_fork=True)

    assert "mode: publish" in published.notices[0]
    assert "permissions:" not in published.notices[0]


@pytest.mark.parametrize(
    ("when", "verdict", "comments"),
    [
        ("always", Verdict.PASSED, 1),
        ("on-failure", Verdict.PASSED, 0),
        ("on-failure", Verdict.FAILED, 1),
        ("never", Verdict.FAILED, 0),
    ],
)
def test_the_comment_can_be_quiet(
    fake_github: FakeGitHub, job: Job, when: str, verdict: Verdict, comments: int
) -> None:
    job.publish(make_report(verdict), inputs={"comment": when})

    assert len(fake_github.comments(7)) == comments


def test_a_failure_that_is_mended_updates_the_quiet_comment(fake_github: FakeGitHub, job: Job) -> None:
    job.publish(make_report(Verdict.FAILED), inputs={"comment": "on-failure"})

    job.publish(make_report(Verdict.PASSED), inputs={"comment": "on-failure"})

    assert "Blocked" not in fake_github.comments(7)[0].body


def test_a_check_that_could_not_start_is_completed_all_the_same(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.fail("^POST .*/check-runs$", *[answer(503)] * 6)

    job.publish(make_report())

    assert [(check.status, check.conclusion) for check in fake_github.checks(HEAD)] == [("completed", "success")]


def test_a_push_gets_a_check_and_no_comment(fake_github: FakeGitHub, job: Job) -> None:
    published = job.publish(make_report(), kind=TriggerKind.PUSH, pull_request=None, report_sha=MERGE)

    assert [check.conclusion for check in fake_github.checks(MERGE)] == ["success"]
    assert published.comment_url == ""


def test_without_a_token_the_summary_and_the_outputs_are_written(fake_github: FakeGitHub, job: Job) -> None:
    published = job.publish(make_report(), token="")

    assert fake_github.requests == []
    assert job.outputs()["verdict"] == "passed"
    assert "no `github-token`" in published.notices[0]


def test_a_cancelled_run_spends_no_more_than_seconds_on_a_github_that_fails(fake_github: FakeGitHub, job: Job) -> None:
    """The runner waits 7.5 s after SIGINT, and 2.5 s after SIGTERM."""
    fake_github.fail("^(POST|PATCH) .*(comments|check-runs/)", *[answer(502)] * 99)

    published = job.publish(make_report(Verdict.CANCELLED))

    assert sum(job.clock.sleeps) <= 2
    assert published.failed
    assert job.outputs()["verdict"] == "cancelled"


def test_a_cancelled_run_completes_its_check_before_anything_else(fake_github: FakeGitHub, job: Job) -> None:
    job.publish(make_report(Verdict.CANCELLED, charts=(make_chart(),)))

    writes = [request.split("/churn/")[1] for request in fake_github.writes]
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["cancelled"]
    assert [write.split("/")[0] for write in writes] == ["check-runs", "check-runs", "issues"]


def test_a_personal_token_is_told_what_it_cannot_do(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.tokens["ghp_ann"] = Token(login="ann")

    published = job.publish(make_report(), token="ghp_ann")

    assert published.notices == (
        "A personal token cannot create a check run: use the job's token, or `check: status`.",
    )
    assert [comment.login for comment in fake_github.comments(7)] == ["ann"]


def test_thousands_of_gates_with_long_names_stay_within_every_limit(fake_github: FakeGitHub, job: Job) -> None:
    gates = tuple(make_gate("ü漢<b>|`@a`" * 50 + str(number)) for number in range(2000))

    published = job.publish(make_report(Verdict.FAILED, gates=gates), inputs={"check": "both"})

    assert published.notices == ()
    [comment] = fake_github.comments(7)
    assert len(comment.body) <= 65_536
    assert len(comment.body.encode()) <= 262_144
    assert len(fake_github.checks(HEAD)[0].summary.encode()) <= 65_535
    assert len(job.read("GITHUB_STEP_SUMMARY").encode()) <= 1024 * 1024


def test_what_a_proxy_says_is_only_text_in_the_summary(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.fail("^POST .*/comments$", answer(422, "<img src=x> @acme/owners ::error::x"))

    published = job.publish(make_report())

    summary = job.read("GITHUB_STEP_SUMMARY")
    assert "422" in published.notices[0]
    assert "422" in summary
    assert "<img src=x" not in summary
    assert "@acme/owners" not in summary
    assert "::error::" not in published.notices[0]


def test_a_report_that_no_view_can_show_still_ends_the_check_with_its_verdict(
    fake_github: FakeGitHub, job: Job
) -> None:
    """What a bug in MetricGate would do: every view stumbles over a value that is not what its type says."""
    broken = make_report(Verdict.FAILED).model_copy(update={"gates": ("not a gate",)})
    publication = job.open()
    publication.github.start()

    published = publication.finish(broken, job.directory)

    [check] = fake_github.checks(HEAD)
    assert (check.conclusion, check.title) == ("failure", "MetricGate: failed")
    assert job.outputs()["verdict"] == "failed"
    assert published.failed
    assert any("because of a bug in MetricGate" in notice for notice in published.notices)
