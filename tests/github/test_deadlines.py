"""Publishing ends in time whatever GitHub does, and the answer is in the job before GitHub is asked."""

from pathlib import Path

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.github.response import GitHubError, Trouble
from metricgate.publish.publication import WITHIN_S
from tests.github.fake import FakeGitHub
from tests.github.faults import Fault, drip
from tests.github.fixtures import MakeClient
from tests.github.job import HEAD, Job, make_report


def test_a_response_that_drips_is_given_up_and_the_request_repeated(
    fake_github: FakeGitHub, make_client: MakeClient
) -> None:
    fake_github.open_pull_request(7, HEAD)
    fake_github.fail("^GET .*/pulls/7$", drip())
    client, clock = make_client(timeout_s=0.3)

    assert client.get(client.path("pulls", 7))["number"] == 7
    assert clock.sleeps == [1]


def test_a_download_that_drips_is_given_up(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    fake_github.fail("^GET .*/zip$", *[_redirect(fake_github.url)] * 9)
    fake_github.fail("^GET /file$", *[drip()] * 9)
    client, _ = make_client(total_s=1)

    with client.budget.at_most(0.5), pytest.raises(GitHubError, match="no complete response in time"):
        client.download(client.path("actions/artifacts/1/zip"), 1000)


def _redirect(url: str) -> Fault:
    return Fault("answer", 302, headers={"Location": f"{url}/file"})


def test_summary_and_outputs_stand_before_github_is_asked(fake_github: FakeGitHub, job: Job) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> None:
        seen.append((job.read("GITHUB_STEP_SUMMARY"), job.outputs()["verdict"]))

    publication = job.open()
    fake_github.call_before("", look)
    publication.finish(make_report(Verdict.FAILED), job.directory)

    [(summary, verdict)] = seen
    assert "Blocked" in summary
    assert verdict == "failed"


def test_the_second_version_of_the_summary_takes_the_place_of_the_first(fake_github: FakeGitHub, job: Job) -> None:
    Path(job.environ["GITHUB_STEP_SUMMARY"]).write_text("from an earlier command\n", encoding="utf-8")
    fake_github.tokens.clear()

    published = job.publish(make_report(Verdict.FAILED))

    summary = job.read("GITHUB_STEP_SUMMARY")
    assert summary.startswith("from an earlier command\n")
    assert summary.count("Blocked") == 1
    assert "401" in summary
    assert "401" in published.notices[0]
    assert [line for line in job.log if line.startswith("::error")] == ["::error title=MetricGate::Blocked: because"]


def test_requests_that_succeed_slowly_end_in_time_too(fake_github: FakeGitHub, job: Job) -> None:
    """Nothing fails here, so the budget for waiting is never touched."""

    def pass_time() -> None:
        job.clock.time += WITHIN_S / 2
        fake_github.call_before("", pass_time)

    publication = job.open()
    fake_github.call_before("", pass_time)
    published = publication.finish(make_report(Verdict.FAILED), job.directory)

    assert len(fake_github.requests) == 2
    assert job.clock.sleeps == []
    assert "the time for publishing is over" in published.notices[-1]
    assert "the time for publishing is over" in job.read("GITHUB_STEP_SUMMARY")


@pytest.mark.parametrize("status", [307, 308])
def test_a_write_follows_github_to_where_the_repository_is_now(
    fake_github: FakeGitHub, make_client: MakeClient, status: int
) -> None:
    fake_github.open_pull_request(7, HEAD)
    new = f"{fake_github.url}/repos/acme/churn/issues/7/comments"
    fake_github.fail("^POST /repos/acme/churn/old$", Fault("answer", status, headers={"Location": new}))
    client, _ = make_client()

    comment = client.create("/repos/acme/churn/old", {"body": "moved"}, find=lambda: None)

    assert [one.body for one in fake_github.comments(7)] == ["moved"]
    assert comment["body"] == "moved"


def test_the_token_follows_to_no_other_server(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    client, _ = make_client()
    with FakeGitHub().serve() as other:
        fake_github.fail("^POST", Fault("answer", 307, headers={"Location": f"{other.url}/repos/acme/churn/x"}))

        with pytest.raises(GitHubError) as caught:
            client.create("/repos/acme/churn/old", {"body": "moved"}, find=lambda: None)

        assert caught.value.trouble is Trouble.REFUSED
        assert other.requests == []


def test_a_redirect_without_end_is_refused(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    here = Fault("answer", 307, headers={"Location": f"{fake_github.url}/repos/acme/churn/old"})
    fake_github.fail("^POST", *[here] * 99)
    client, _ = make_client()

    with pytest.raises(GitHubError, match="status 307"):
        client.create("/repos/acme/churn/old", {"body": "moved"}, find=lambda: None)
