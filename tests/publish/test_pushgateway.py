"""The Pushgateway: one PUT a run of the default branch, and a notice where it does not answer."""

import base64
import re
from typing import Any

import pytest

from metricgate.models.outcome import Verdict
from metricgate.models.snapshot import Stage
from metricgate.publish.publication import Published
from metricgate.report.value import Report
from metricgate.trigger import TriggerKind
from tests.github.fake import FakeGitHub
from tests.github.job import HEAD, PUSH, Job, make_candidate, make_report
from tests.services import awkward_replies as replies
from tests.services.awkward_server import AwkwardServer, serve


def push(job: Job, report: Report, url: str, **changes: Any) -> Published:
    return job.publish(report, inputs={"pushgateway": url}, **{**PUSH, **changes})


def read_push(server: AwkwardServer) -> tuple[str, dict[str, str], str]:
    """Return method and job, the group's labels, and the body of the one push."""
    (request,) = server.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    method, path, _ = head.splitlines()[0].split(" ")
    found = re.findall(r"/(\w+)@base64/([\w=-]+)", path)
    return (
        f"{method} {path.split('/')[3]}",
        {name: base64.urlsafe_b64decode(text).decode() for name, text in found},
        body,
    )


def test_a_run_on_the_default_branch_is_one_put_of_its_group(fake_github: FakeGitHub, job: Job) -> None:
    with serve(replies.answer(200)) as server:
        published = push(job, make_report(Verdict.FAILED), f"{server.url}/")

    called, labels, body = read_push(server)
    assert called == "PUT metricgate"
    assert labels == {"repository": "acme/churn", "setup": "default", "ref": "main"}
    assert 'metricgate_verdict{verdict="failed"} 1.0\n' in body
    assert published.notices == ()
    assert fake_github.violations == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ref": "refs/heads/topic"},
        {"kind": TriggerKind.PULL_REQUEST},
        {"kind": TriggerKind.MERGE_GROUP},
        {"is_fork": True},
    ],
)
def test_nothing_else_is_pushed(job: Job, changes: dict[str, Any]) -> None:
    with serve(replies.answer(200)) as server:
        push(job, make_report(), server.url, **changes)

    assert server.requests == []


def test_a_cancelled_run_leaves_the_run_before_it(job: Job) -> None:
    with serve(replies.answer(200)) as server:
        push(job, make_report(Verdict.CANCELLED), server.url)

    assert server.requests == []


def test_the_folder_has_the_same_metrics_with_their_labels(job: Job) -> None:
    report = make_report(Verdict.FAILED, id="eu")

    job.open(inputs={"id": "eu"}, **PUSH).publish(lambda: report, job.directory)

    text = (job.directory / "metricgate.prom").read_text(encoding="utf-8")
    assert 'metricgate_verdict{repository="acme/churn",setup="eu",ref="main",verdict="failed"} 1.0\n' in text


def test_the_time_of_training_is_that_of_this_run_or_of_dvc_lock(fake_github: FakeGitHub, job: Job) -> None:
    fake_github.commit_dates["model/dvc.lock"] = "2026-01-02T03:04:05Z"
    ran = make_report(candidate=make_candidate(HEAD), candidate_stages=(Stage(name="train", state="ran"),))
    unchanged = make_report(candidate=make_candidate(HEAD))
    reused = make_report(candidate=make_candidate(HEAD).model_copy(update={"made": "2026-02-03 04:05 UTC"}))

    times = []
    for report in (ran, unchanged, reused):
        with serve(replies.answer(200)) as server:
            job.publish(report, inputs={"pushgateway": server.url, "working-directory": "model"}, **PUSH)
        times.append(dict(re.findall(r"metricgate_(\w+)_timestamp_seconds (\S+)", read_push(server)[2])))

    assert times[0]["model_trained"] == times[0]["last_run"]
    assert [float(one["model_trained"]) for one in times[1:]] == [1767323045.0, 1770091500.0]


def test_a_refusal_is_a_notice_with_the_gateways_reason_and_without_its_address(job: Job) -> None:
    reason = b"pushed metrics are invalid or inconsistent"  # "metrics" is a part of the address, and hidden
    with serve(replies.answer(400, reason)) as server:
        host = server.url.removeprefix("http://")
        published = push(job, make_report(), f"http://ann:s3cr3tword@{host}")

    [notice] = published.notices
    assert "status 400: pushed *** are invalid or inconsistent" in notice
    written = notice + job.read("GITHUB_STEP_SUMMARY")
    assert notice.split(".")[0] in job.read("GITHUB_STEP_SUMMARY")
    assert [word for word in ("s3cr3tword", host) if word in written] == []
