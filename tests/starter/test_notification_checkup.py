"""`metricgate doctor` on who is told: silent where nothing is configured, and no message is ever sent."""

import subprocess
from pathlib import Path

import pytest

from metricgate.revisions.checkout import Checkout
from metricgate.starter.checkup_finding import Finding, Level
from metricgate.starter.notification_checkup import examine_notifications
from tests.services import awkward_replies as replies
from tests.services.awkward_replies import Reply
from tests.services.awkward_server import serve

WORKFLOW = """\
on: {{push: {{branches: [main]}}}}
jobs:
  gate:
    runs-on: ubuntu-latest
    permissions: {{contents: read, checks: write, issues: {issues}}}
    steps:
      - uses: metricgate/metricgate@v1
        with: {{{inputs}}}
"""
SECRET = "s3cr3t-of-ours"
SLACK = "slack-webhook: '${{ secrets.S }}'"
WEBHOOK = "webhook: '${{ secrets.W }}'"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.org")
    for command in (["init", "--quiet"], [*who, "commit", "--quiet", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return Checkout.open(tmp_path)


def examine(
    checkout: Checkout, *, notify: str = "", inputs: str = "", issues: str = "none", **environ: str
) -> list[Finding]:
    workflow = checkout.top / ".github/workflows/gate.yml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    workflow.write_text(WORKFLOW.format(inputs=inputs, issues=issues), encoding="utf-8")
    (checkout.directory / "metricgate.yaml").write_text(f"notify: {notify or '[]'}\n", encoding="utf-8")
    return list(examine_notifications(checkout, environ))


def test_a_project_that_tells_nobody_hears_nothing(checkout: Checkout) -> None:
    assert examine(checkout) == []


@pytest.mark.parametrize(
    ("notify", "inputs", "issues"),
    [
        ("[{to: issue}]", "", "write"),
        ("[{to: slack}]", SLACK, "none"),
        ("[{to: webhook}]", f"{WEBHOOK}, webhook-secret: '${{{{ secrets.X }}}}'", "none"),
        ("[]", "pushgateway: 'http://pushgateway:9091'", "none"),
    ],
)
def test_what_fits_together_is_not_mentioned(checkout: Checkout, notify: str, inputs: str, issues: str) -> None:
    assert examine(checkout, notify=notify, inputs=inputs, issues=issues) == []


@pytest.mark.parametrize(
    ("notify", "inputs", "level", "found"),
    [
        ("[{to: issue}]", "", Level.NOTICE, "`issues: write`"),
        ("[{to: slack}]", "", Level.NOTICE, "no workflow sets the input `slack-webhook`"),
        ("[]", SLACK, Level.NOTICE, "does not name it: nothing is sent"),
        ("[{to: webhook}]", WEBHOOK, Level.BROKEN, "without `webhook-secret`"),
        ("[{to: slack}]", f"slack-webhook: 'https://hooks.example/{SECRET}'", Level.BROKEN, "in plain text"),
    ],
)
def test_what_does_not_is_a_finding(checkout: Checkout, notify: str, inputs: str, level: Level, found: str) -> None:
    [finding] = examine(checkout, notify=notify, inputs=inputs)

    assert found in finding.what
    assert finding.level is level
    assert finding.cure
    assert SECRET not in finding.what + finding.cure


@pytest.mark.parametrize(
    ("name", "reply", "level", "found"),
    [
        ("SLACK_WEBHOOK", replies.answer(400, b"no_text"), Level.FINE, "Slack knows the address"),
        ("SLACK_WEBHOOK", replies.answer(404, b"no_service"), Level.BROKEN, "status 404: no_service"),
        ("SLACK_WEBHOOK", replies.answer(403, b"invalid_token"), Level.BROKEN, "status 403"),
        ("SLACK_WEBHOOK", replies.answer(500), Level.BROKEN, "status 500"),
        ("TEAMS_WEBHOOK", replies.answer(405), Level.FINE, "Microsoft Teams answers"),
        ("TEAMS_WEBHOOK", replies.answer(302, Location="http://127.0.0.1:9/"), Level.BROKEN, "status 302"),
        ("WEBHOOK", replies.answer(200), Level.FINE, "The webhook answers"),
        ("WEBHOOK", replies.reset(), Level.BROKEN, "without an answer"),
        ("PUSHGATEWAY", replies.answer(200), Level.FINE, "is ready"),
        ("PUSHGATEWAY", replies.answer(401), Level.BROKEN, "status 401"),
    ],
)
def test_an_address_at_hand_is_asked_without_a_message(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, *, name: str, reply: Reply, level: Level, found: str
) -> None:
    monkeypatch.setattr("metricgate.starter.notification_checkup.WITHIN_S", 2.0)
    with serve(reply) as server:
        environ = {f"INPUT_{name}": f"{server.url}/{SECRET}", "INPUT_ID": "ignored here"}
        [finding] = examine(checkout, **environ)

    assert found in finding.what
    assert finding.level is level
    assert SECRET not in finding.what + finding.cure
    assert all(request.partition(b"\r\n\r\n")[2] in (b"", b"{}") for request in server.requests)
