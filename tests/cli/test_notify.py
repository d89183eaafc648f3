"""`metricgate notify --test`: one message to each address, and an answer that says what came of it."""

import json
from collections.abc import Mapping

import pytest

from metricgate.cli import commands
from metricgate.errors import ConfigurationError
from tests.services import awkward_replies as replies
from tests.services.awkward_replies import Reply
from tests.services.awkward_server import AwkwardServer, serve

SECRET = "s3cr3t-of-ours"


def notify(monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> object:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return commands.main(["notify", "--test"], standalone_mode=False)


def addresses(server: AwkwardServer) -> dict[str, str]:
    return {
        "INPUT_SLACK_WEBHOOK": f"{server.url}/slack",
        "INPUT_TEAMS-WEBHOOK": f"{server.url}/teams",
        "INPUT_WEBHOOK": f"{server.url}/webhook",
        "INPUT_WEBHOOK_SECRET": SECRET,
        "INPUT_PUSHGATEWAY": f"{server.url}/gateway",
    }


def test_each_address_gets_one_message_that_says_it_is_a_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(replies.answer(200)) as server:
        code = notify(monkeypatch, addresses(server))

    called = [b" ".join(request.split(b" ")[:2]).decode() for request in server.requests]
    assert called[:3] == ["POST /slack", "POST /teams", "POST /webhook"]
    assert [line.split("/metrics")[0] for line in called[3:]] == ["PUT /gateway", "DELETE /gateway"]
    assert called[3].split(" ")[1] == called[4].split(" ")[1]
    assert all(b"this is a test of MetricGate" in request for request in server.requests[:3])
    assert json.loads(server.requests[2].partition(b"\r\n\r\n")[2])["test"] is True
    assert code == 0
    assert capsys.readouterr().out.count("accepted") == 4


@pytest.mark.parametrize("reply", [replies.answer(404, b"no_service"), replies.reset()])
def test_a_service_that_does_not_accept_it_is_named_and_the_exit_code_is_5(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reply: Reply
) -> None:
    with serve(reply) as server:
        url = server.url
        code = notify(monkeypatch, {"INPUT_SLACK_WEBHOOK": f"{url}/services/T0/{SECRET}"})

    out = capsys.readouterr().out
    assert code == 5
    assert out.startswith("broken  Slack ")
    assert [word for word in (SECRET, url) if word in out] == []


def test_without_an_address_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="no address"):
        notify(monkeypatch, {})
