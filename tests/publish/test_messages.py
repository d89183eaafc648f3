"""Messages: sent once for each change of state, and nothing about the run depends on whether they arrive."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.files import write_report
from metricgate.publish.publication import Published
from metricgate.report.value import Report
from metricgate.trigger import PullRequest, TriggerKind
from tests.github.fake import TOKEN, FakeGitHub
from tests.github.job import BASE, HEAD, PUSH, Job, ask, make_report, make_trigger
from tests.services import awkward_replies as replies
from tests.services.awkward_replies import Reply
from tests.services.awkward_server import AwkwardServer, serve

EVERYTHING = "[failed, inconclusive, error, recovered]"
ALL_THREE = f"""\
notify:
  - {{to: slack, on: {EVERYTHING}}}
  - {{to: teams, on: {EVERYTHING}}}
  - {{to: webhook, on: {EVERYTHING}}}
"""
PASSED, FAILED, DOUBT, ERROR = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERROR


@pytest.fixture
def server() -> Iterator[AwkwardServer]:
    with serve(replies.answer(200)) as served:
        yield served


def commit(number: int) -> str:
    return f"{number:040x}"


class Branch:
    """Pushes to main, one after the other, each judged by a job of its own."""

    def __init__(self, fake: FakeGitHub, folder: Path, url: str) -> None:
        self._fake, self._folder, self._url = fake, folder, url
        self.notify = f"notify: [{{to: slack, on: {EVERYTHING}}}]"

    def push(self, verdict: Verdict, *, run_id: int = 0, attempt: int = 1, sha: str = "") -> Published:
        fake = self._fake
        if not sha:
            sha = commit(len(fake.history) + 1)
            fake.history.insert(0, sha)
        before = fake.history[1] if len(fake.history) > 1 else BASE
        fake.files[before, "metricgate.yaml"] = self.notify
        job = AttemptJob(fake, self._folder, attempt)
        changes = {**PUSH, "sha": sha, "report_sha": sha, "before": before, "run_id": run_id or len(fake.history)}
        return job.publish(make_report(verdict), inputs={"slack-webhook": self._url}, **changes)


class AttemptJob(Job):
    def __init__(self, fake: FakeGitHub, folder: Path, attempt: int) -> None:
        super().__init__(fake, folder)
        self._attempt = attempt

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "GITHUB_RUN_ATTEMPT": str(self._attempt)}


def read_body(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])


def read_headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def told(server: AwkwardServer) -> list[str]:
    """Return the last word of each message to Slack: failed, recovered …"""
    return [read_body(request)["text"].rpartition(" ")[2] for request in server.requests]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([FAILED, FAILED, PASSED, PASSED], ["failed", "recovered"]),
        ([PASSED], []),
        ([PASSED, FAILED, ERROR, FAILED], ["failed", "judge", "failed"]),
        ([DOUBT, PASSED, DOUBT], ["undecided", "recovered", "undecided"]),
        ([FAILED, Verdict.SKIPPED, Verdict.CANCELLED, FAILED, PASSED], ["failed", "recovered"]),
    ],
)
def test_a_branch_is_told_about_once_for_each_change(
    fake_github: FakeGitHub, tmp_path: Path, server: AwkwardServer, *, verdicts: list[Verdict], expected: list[str]
) -> None:
    branch = Branch(fake_github, tmp_path, server.url)

    for verdict in verdicts:
        assert branch.push(verdict).notices == ()

    assert told(server) == expected


def test_what_nobody_asked_for_changes_no_state(fake_github: FakeGitHub, tmp_path: Path, server: AwkwardServer) -> None:
    branch = Branch(fake_github, tmp_path, server.url)
    branch.notify = "notify: [{to: slack, on: [failed, recovered]}]"

    for verdict in (FAILED, DOUBT, ERROR, PASSED, DOUBT, PASSED):
        branch.push(verdict)

    assert told(server) == ["failed", "recovered"]


def test_a_second_attempt_of_the_same_run_says_nothing_new(
    fake_github: FakeGitHub, tmp_path: Path, server: AwkwardServer
) -> None:
    branch = Branch(fake_github, tmp_path, server.url)
    branch.push(FAILED)

    branch.push(FAILED, attempt=2, run_id=1, sha=commit(1))

    assert told(server) == ["failed"]


def test_an_unknown_past_is_trouble_told_and_recovery_not(
    fake_github: FakeGitHub, tmp_path: Path, server: AwkwardServer
) -> None:
    fake_github.tokens[TOKEN].permissions = {"contents": "read"}
    branch = Branch(fake_github, tmp_path, server.url)

    for verdict in (FAILED, FAILED, PASSED):
        branch.push(verdict)

    assert told(server) == ["failed", "failed"]


def pull_request(head: str, **changes: Any) -> PullRequest:
    shown = make_trigger("").pull_request
    assert shown is not None
    return replace(shown, head_sha=head, **changes)


def publish(
    job: Job, fake: FakeGitHub, report: Report, server: AwkwardServer, *, head: str = HEAD, **more: Any
) -> Published:
    fake.pull_requests[7].head_sha = head
    inputs = {
        "slack-webhook": f"{server.url}/slack",
        "teams-webhook": f"{server.url}/teams",
        "webhook": f"{server.url}/webhook",
        "webhook-secret": "s3cr3t-of-ours",
    }
    given = more.pop("inputs", {})
    return job.publish(report, inputs={**inputs, **given}, pull_request=pull_request(head), report_sha=head, **more)


@pytest.fixture
def opened(fake_github: FakeGitHub, job: Job) -> Job:
    fake_github.open_pull_request(7, HEAD)
    ask(fake_github, ALL_THREE)
    return job


def paths(server: AwkwardServer) -> list[str]:
    return sorted(request.split(b" ")[1].decode() for request in server.requests)


def test_a_pull_request_is_told_to_all_three_with_its_link(
    fake_github: FakeGitHub, opened: Job, server: AwkwardServer
) -> None:
    published = publish(opened, fake_github, make_report(FAILED), server)

    assert paths(server) == ["/slack", "/teams", "/webhook"]
    assert all(published.comment_url.encode() in request for request in server.requests)
    assert all(b"#7 topic" in request or b'"pull_request":7' in request for request in server.requests)
    assert published.notices == ()


def test_a_pull_request_is_told_about_once_by_the_comments_memory(
    fake_github: FakeGitHub, opened: Job, server: AwkwardServer
) -> None:
    ask(fake_github, f"notify: [{{to: slack, on: {EVERYTHING}}}]")
    for number, verdict in enumerate([FAILED, FAILED, PASSED, PASSED, DOUBT]):
        publish(opened, fake_github, make_report(verdict), server, head=commit(number))

    assert told(server) == ["failed", "recovered", "undecided"]


def test_the_webhook_is_signed_and_says_which_delivery_it_is(
    fake_github: FakeGitHub, opened: Job, server: AwkwardServer
) -> None:
    ask(fake_github, "notify: [{to: webhook}]")

    publish(opened, fake_github, make_report(FAILED), server)

    (request,) = server.requests
    body, headers = request.partition(b"\r\n\r\n")[2], read_headers(request)
    expected = hmac.new(b"s3cr3t-of-ours", body, hashlib.sha256).hexdigest()
    assert headers["x-metricgate-signature-256"] == f"sha256={expected}"
    assert headers["x-metricgate-event"] == "failed"
    assert len(headers["x-metricgate-delivery"]) == 64
    assert json.loads(body)["source"]["pull_request"] == 7


def test_an_unsigned_webhook_is_not_sent(fake_github: FakeGitHub, opened: Job, server: AwkwardServer) -> None:
    ask(fake_github, "notify: [{to: webhook}]")

    published = publish(opened, fake_github, make_report(FAILED), server, inputs={"webhook-secret": ""})

    assert server.requests == []
    [notice] = published.notices
    assert "webhook-secret" in notice


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("gates: []", {}),
        ("notify: [{to: issue}]", {}),
        ("notify: [{to: slack, pull_requests: false}]", {}),
        ("notify: [{to: slack}]", {"is_fork": True}),
        ("notify: [{to: slack}]", {"kind": TriggerKind.MERGE_GROUP, "pull_request": None}),
    ],
)
def test_nobody_is_told_who_did_not_ask_and_nothing_from_a_forks_run(
    fake_github: FakeGitHub, opened: Job, server: AwkwardServer, *, text: str, changes: Mapping[str, Any]
) -> None:
    ask(fake_github, text)

    opened.publish(make_report(FAILED), inputs={"slack-webhook": server.url}, **changes)

    assert server.requests == []


def test_the_pull_requests_own_policy_is_not_asked(fake_github: FakeGitHub, opened: Job, server: AwkwardServer) -> None:
    fake_github.files = {(HEAD, "metricgate.yaml"): "notify: [{to: slack}]"}

    opened.publish(make_report(FAILED), inputs={"slack-webhook": server.url})

    assert server.requests == []


FAULTS: dict[str, list[Reply]] = {
    "none": [replies.answer(200)],
    "accepted": [replies.answer(202, b"")],
    "hangs": [replies.hang()],
    "drips": [replies.drip_head()],
    "resets": [replies.reset()],
    "no http": [replies.no_http()],
    "an error, always": [replies.answer(500)],
    "a limit, for an hour": [replies.answer(429, Retry_After="3600")],
    "a redirect": [replies.answer(302, Location="http://127.0.0.1:9/evil")],
    "gone": [replies.answer(410, b"channel_is_archived")],
    "refused": [replies.answer(400, b"invalid_blocks")],
}


EVERY_FAULT = [(fault, FAILED) for fault in FAULTS]
EVERY_VERDICT = [
    (fault, verdict) for fault in ("none", "hangs", "refused") for verdict in Verdict if verdict is not FAILED
]


@pytest.mark.parametrize(("fault", "verdict"), [*EVERY_FAULT, *EVERY_VERDICT])
def test_what_the_step_answers_is_the_same_whatever_a_service_does(
    fake_github: FakeGitHub, opened: Job, monkeypatch: pytest.MonkeyPatch, *, fault: str, verdict: Verdict
) -> None:
    monkeypatch.setattr("metricgate.publish.announcements.EACH_S", 0.3)
    report, quiet = make_report(verdict), {"comment": "never", "check": "none"}
    write_report(report, opened.directory)
    alone = opened.publish(report, inputs=quiet)
    expected = (opened.outputs(), (opened.directory / "report.json").read_bytes(), alone.failed)
    Path(opened.environ["GITHUB_STEP_SUMMARY"]).unlink()

    with serve(*FAULTS[fault]) as broken:
        url = broken.url
        published = publish(opened, fake_github, report, broken, inputs=quiet)

    assert (opened.outputs(), (opened.directory / "report.json").read_bytes(), published.failed) == expected
    is_told = verdict in (FAILED, DOUBT, ERROR)
    assert len(published.notices) == (3 if is_told and fault not in ("none", "accepted") else 0)
    written = opened.read("GITHUB_STEP_SUMMARY") + "".join(published.notices)
    assert [word for word in (url, "/slack", "/teams", "s3cr3t-of-ours", "evil") if word in written] == []


def test_slack_is_not_told_twice_by_repeating_what_it_may_have_taken(fake_github: FakeGitHub, opened: Job) -> None:
    ask(fake_github, "notify: [{to: slack}]")
    with serve(replies.answer(500), replies.answer(200)) as server:
        published = publish(opened, fake_github, make_report(FAILED), server)

    assert len(server.requests) == 1
    [notice] = published.notices
    assert notice.startswith("The message to Slack could not be sent. Slack answered with status 500")
