"""A signal that arrives at any moment leaves no check open and no second one."""

import os
import signal
import socket
import threading

import pytest

from metricgate.cli.action import run_action
from metricgate.errors import CancelledError
from tests.github.fake import FakeGitHub
from tests.github.job import HEAD, Job, ask, make_environ
from tests.services.awkward_replies import Reply
from tests.services.awkward_server import serve


@pytest.fixture
def environ(fake_github: FakeGitHub, job: Job) -> dict[str, str]:
    return {**make_environ(fake_github, job), "GITHUB_ACTIONS": "true"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "moment", ["^POST .*/check-runs$", "^GET .*/pulls/7$", "^PATCH .*/check-runs/", "^POST .*/comments$"]
)
def test_the_check_is_completed_once(
    fake_github: FakeGitHub, environ: dict[str, str], moment: str, number: signal.Signals
) -> None:
    """The workspace has no project: what the signal does not stop ends in an error, which has its own conclusion."""
    fake_github.call_before(moment, lambda: os.kill(os.getpid(), number))

    exit_code = run_action(environ)

    [check] = fake_github.checks(HEAD)
    was_judged = moment not in ("^POST .*/check-runs$", "^GET .*/pulls/7$")
    assert exit_code == (4 if was_judged else CancelledError.exit_code)
    assert (check.status, check.conclusion) == ("completed", "failure" if was_judged else "cancelled")
    assert len(fake_github.comments(7)) == 1


def test_a_signal_while_slack_is_told_changes_nothing_that_was_said(
    fake_github: FakeGitHub, environ: dict[str, str], job: Job
) -> None:
    ask(fake_github, "notify: [{to: slack}]")

    def play(connection: socket.socket, _: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serve(Reply(play)) as slack:
        exit_code = run_action({**environ, "INPUT_SLACK-WEBHOOK": slack.url})

    [check] = fake_github.checks(HEAD)
    assert exit_code == 4  # the workspace has no project
    assert (check.status, check.conclusion) == ("completed", "failure")
    assert len(fake_github.comments(7)) == len(slack.requests) == 1
    assert "Slack" not in job.read("GITHUB_STEP_SUMMARY")
