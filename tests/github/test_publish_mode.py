"""Mode publish: a trusted job speaks for a pull request whose own job may not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.gfm import gfm_plugin

from metricgate.cli.action import run_action
from metricgate.errors import ConfigurationError, PublishError
from metricgate.models.outcome import Verdict
from metricgate.publish.github.acceptance import LABEL
from metricgate.report.value import Acceptance, Report
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.job import HEAD, Job, ask, make_chart, make_environ, make_gate, make_report
from tests.github.state import Artifact, LabelEvent, PullRequest
from tests.github.test_artifact import FORGED, zip_entries
from tests.services.awkward_replies import answer
from tests.services.awkward_server import serve

FORK = "mallory/churn"
PUSHED, LABELLED = "2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z"
RUN = {
    "id": 41,
    "event": "pull_request",
    "head_sha": HEAD,
    "head_branch": "topic",
    "head_repository": {"full_name": FORK},
    "conclusion": "failure",
    "created_at": PUSHED,
}


class PublishingJob(Job):
    """A job on workflow_run, of the default branch, with its own token."""

    def run(self, run: dict[str, Any] | None = None, *, token: str = TOKEN, **inputs: str) -> int:
        event = self._folder / "event.json"
        event.write_text(json.dumps({"workflow_run": run or RUN, "repository": {"default_branch": "main"}}))
        given = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
        environ = {
            "GITHUB_EVENT_NAME": "workflow_run",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": "f" * 40,
            "GITHUB_RUN_ID": "42",
            "GITHUB_API_URL": self._fake.url,
            "INPUT_GITHUB-TOKEN": token,
            "INPUT_MODE": "publish",
            **self.environ,
            **given,
        }
        return run_action(environ)


def upload(fake: FakeGitHub, report: Report | None = None, data: bytes = b"") -> None:
    text = (report or make_report(Verdict.FAILED)).model_dump_json().encode()
    data = data or zip_entries({"report.json": text, "report.md": b"<!-- metricgate:default -->\n# FORGED"})
    fake.artifacts.append(Artifact(fake.next_number(), "metricgate-report", 41, data))


@pytest.fixture
def fork(fake_github: FakeGitHub) -> PullRequest:
    return fake_github.open_pull_request(7, HEAD, head_repository=FORK)


@pytest.fixture
def job(fake_github: FakeGitHub, fork: PullRequest, tmp_path: Path) -> PublishingJob:
    assert fork.head_repository == FORK
    return PublishingJob(fake_github, tmp_path)


def test_a_fork_gets_its_comment_and_its_check_rendered_afresh(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github, make_report(Verdict.FAILED, charts=(make_chart(),)))

    exit_code = job.run()

    [comment], [check] = fake_github.comments(7), fake_github.checks(HEAD)
    assert exit_code == 1
    assert "Blocked" in comment.body
    assert "FORGED" not in comment.body
    assert "forest.png?raw=true" in comment.body
    assert (check.status, check.conclusion) == ("completed", "failure")
    assert job.outputs()["verdict"] == "failed"


def test_another_pull_requests_number_cannot_be_claimed(fake_github: FakeGitHub, job: PublishingJob) -> None:
    """No number in the artifact is ever read: the report has none, and an unknown field is refused."""
    fake_github.open_pull_request(6, "e" * 40)
    forged = {**json.loads(make_report().model_dump_json()), "pull_request": 6}
    upload(fake_github, data=zip_entries({"report.json": json.dumps(forged).encode(), "pr_number": b"6"}))

    exit_code = job.run()

    assert exit_code == PublishError.exit_code
    assert fake_github.comments(6) == []
    assert "is refused" in fake_github.comments(7)[0].body


@pytest.mark.parametrize("what", ["a zip bomb", "a path upwards", "no JSON", "a verdict with another exit code"])
def test_a_forged_artifact_ends_in_an_error_and_never_in_passed(
    fake_github: FakeGitHub, job: PublishingJob, what: str
) -> None:
    upload(fake_github, data=FORGED[what]())

    exit_code = job.run()

    assert exit_code == PublishError.exit_code
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["failure"]
    assert "Could not judge" in fake_github.comments(7)[0].body


def test_html_and_mentions_in_names_are_harmless(fake_github: FakeGitHub, job: PublishingJob) -> None:
    evil = "<script>alert(1)</script> @acme/owners closes #1 <!-- metricgate:default -->"
    upload(fake_github, make_report(Verdict.FAILED, gates=(make_gate(evil),)))

    job.run()

    body = fake_github.comments(7)[0].body
    shown = MarkdownIt("commonmark", {"html": True}).use(gfm_plugin).render(body)
    assert "<script" not in shown
    assert "@acme" not in re.sub(r"<code>.*?</code>", "", shown)
    assert shown.count("<!-- metricgate:default -->") == 1


def test_the_set_up_is_the_workflows_and_not_the_artifacts(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github, make_report(id="another"))

    job.run(id="mine")

    assert fake_github.comments(7)[0].body.startswith("<!-- metricgate:mine -->")
    assert [check.name for check in fake_github.checks(HEAD)] == ["MetricGate (mine)"]


def test_no_artifact_is_an_answer_too(fake_github: FakeGitHub, job: PublishingJob) -> None:
    exit_code = job.run()

    assert exit_code == PublishError.exit_code
    assert "has no artifact" in fake_github.comments(7)[0].body


@pytest.mark.parametrize("conclusion", ["skipped", "action_required"])
def test_a_run_that_never_ran_says_nothing(fake_github: FakeGitHub, job: PublishingJob, conclusion: str) -> None:
    assert job.run({**RUN, "conclusion": conclusion}) == 0
    assert fake_github.requests == []


def test_a_pull_request_that_was_pushed_to_again_is_left_to_the_next_run(
    fake_github: FakeGitHub, fork: PullRequest, job: PublishingJob
) -> None:
    fork.head_sha = "d" * 40
    upload(fake_github)

    with pytest.raises(PublishError, match="No open pull requests have the head"):
        job.run()

    assert fake_github.writes == []


def test_a_run_of_a_fork_that_is_of_no_pull_request_is_refused(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github)

    with pytest.raises(PublishError, match="was started by 'push'"):
        job.run({**RUN, "event": "push"})

    assert fake_github.writes == []


def test_a_passed_report_that_cannot_be_published_exits_5(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github, make_report())
    fake_github.pull_request(7).locked = True

    assert job.run() == PublishError.exit_code


def test_a_no_outranks_a_failure_to_publish(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github)
    fake_github.pull_request(7).locked = True

    assert job.run() == 1


def test_an_acceptance_that_the_artifact_only_claims_is_taken_back(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github, make_report(Verdict.PASSED, accepted=Acceptance(by="ann")))

    assert job.run() == 1
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["failure"]
    assert "ann" not in fake_github.comments(7)[0].body


def test_an_acceptance_of_an_undecided_verdict_that_the_artifact_only_claims_leaves_it_undecided(
    fake_github: FakeGitHub, job: PublishingJob
) -> None:
    upload(fake_github, make_report(Verdict.PASSED, accepted=Acceptance(by="ann", exit_code=6)))

    assert job.run() == 6
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["failure"]


@pytest.mark.parametrize("report", [make_report(Verdict.FAILED), make_report(Verdict.INCONCLUSIVE)])
def test_an_acceptance_that_github_knows_of_counts(
    fake_github: FakeGitHub, fork: PullRequest, job: PublishingJob, report: Report
) -> None:
    fake_github.collaborators["ann"] = "write"
    fork.label_events.append(LabelEvent("labeled", LABEL, "ann", LABELLED))
    upload(fake_github, report)

    assert job.run() == 0
    assert "Accepted by" in fake_github.comments(7)[0].body


def test_a_run_of_a_push_gets_its_check(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github)

    exit_code = job.run({**RUN, "event": "push", "head_repository": {"full_name": REPOSITORY}})

    assert exit_code == 1
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["failure"]
    assert fake_github.comments(7) == []


def test_without_a_token_there_is_nothing_to_publish_with(job: PublishingJob) -> None:
    with pytest.raises(ConfigurationError, match="no `github-token`"):
        job.run(token="")


def test_a_second_job_of_the_same_workflow_publishes_the_first_ones_report(
    fake_github: FakeGitHub, job: PublishingJob
) -> None:
    text = make_report(Verdict.FAILED).model_dump_json().encode()
    fake_github.artifacts.append(Artifact(1, "metricgate-report", 42, zip_entries({"report.json": text})))

    exit_code = run_action(make_environ(fake_github, job, INPUT_MODE="publish"))

    assert exit_code == 1
    assert "Blocked" in fake_github.comments(7)[0].body
    assert [check.conclusion for check in fake_github.checks(HEAD)] == ["failure"]


def test_a_report_folder_that_cannot_be_written_costs_only_itself(fake_github: FakeGitHub, job: PublishingJob) -> None:
    upload(fake_github)
    job.directory.write_text("a file where the folder should be", encoding="utf-8")

    assert job.run() == 1
    assert "Blocked" in fake_github.comments(7)[0].body


def test_the_publishing_job_tells_slack_about_a_fork_and_reads_no_address_or_owner_from_the_artifact(
    fake_github: FakeGitHub, job: PublishingJob
) -> None:
    ask(fake_github, "notify: [{to: slack, mention: [U024BE7LH]}]")
    upload(fake_github)

    with serve(answer(200)) as slack:
        code = job.run(RUN, **{"slack-webhook": slack.url})

    (request,) = slack.requests
    assert code == 1
    assert b"#7 topic" in request
    assert b"<@U024BE7LH>" in request


def test_a_service_that_is_down_is_no_failure_to_publish(fake_github: FakeGitHub, job: PublishingJob) -> None:
    ask(fake_github, "notify: [{to: slack, on: [inconclusive]}]")
    upload(fake_github, make_report(Verdict.INCONCLUSIVE))

    with serve(answer(500)) as slack:
        code = job.run(RUN, **{"slack-webhook": slack.url})

    assert len(slack.requests) == 1
    assert code == 0


def test_the_default_branchs_run_is_told_by_the_publishing_job_too(fake_github: FakeGitHub, job: PublishingJob) -> None:
    fake_github.files["main", "metricgate.yaml"] = "notify: [{to: issue}]"
    upload(fake_github)
    run: dict[str, Any] = {**RUN, "event": "push", "head_branch": "main", "head_repository": {"full_name": REPOSITORY}}

    assert job.run(run) == 1

    [issue] = fake_github.issues.values()
    assert issue.title.startswith("MetricGate on main: Blocked")
