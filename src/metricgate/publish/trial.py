"""A test message to each address: it shows that the address works, and judges nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from metricgate import __version__
from metricgate.errors import ConfigurationError, PublishError
from metricgate.models.outcome import Verdict
from metricgate.publish.announcements import EACH_S
from metricgate.publish.announcers import list_messengers
from metricgate.publish.interface import Event
from metricgate.publish.pushgateway import CONTENT_TYPE, group_path
from metricgate.publish.subscriptions import Subscriptions
from metricgate.report.formats.exposition import Occurrence, render_exposition
from metricgate.report.value import Report
from metricgate.settings.inputs import Inputs
from metricgate.settings.mlflow import MlflowAccess
from metricgate.settings.notify import NotifySpec
from metricgate.trigger.triggers import Trigger, TriggerKind

_ACCEPTED = {
    "teams": "Microsoft Teams accepted the message. Look into the channel: it answers before its workflow has run.",
}


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What came of one test: one of both texts is empty."""

    success: str = ""
    problem: str = ""


def send_test_messages(inputs: Inputs, repository: str) -> Iterator[TrialResult]:
    """Send a message to each address, and yield what came of it.

    Raises
    ------
    ConfigurationError
        If there is no address.
    """
    trigger = Trigger(kind=TriggerKind.LOCAL, repository=repository or "test", default_branch="test")
    messengers = list_messengers(trigger, inputs, Subscriptions(None, trigger, inputs), is_test=True)
    gateway = inputs.pushgateway.get_secret_value()
    if not messengers and not gateway and not inputs.mlflow:
        raise ConfigurationError(
            "The environment has no address to send a test message to.",
            expected="one of INPUT_SLACK_WEBHOOK, INPUT_TEAMS_WEBHOOK, INPUT_WEBHOOK, INPUT_PUSHGATEWAY and "
            "INPUT_MLFLOW_URI.",
            fix="Set it for this command, as in `INPUT_SLACK_WEBHOOK=… metricgate notify --test`.",
            topic="no-address-for-a-test-message",
        )
    report = Report(
        metricgate=__version__,
        id=inputs.id,
        verdict=Verdict.FAILED,
        reason="this is a test of MetricGate's notifications; nothing was judged",
        exit_code=1,
    )
    event = Event(report=report, directory=Path.cwd(), name=inputs.check_name)
    for name, messenger in messengers:
        spec = NotifySpec(to=messenger.to)
        accepted = _ACCEPTED.get(messenger.to, f"{name} accepted the message.")
        yield _try(accepted, lambda to=messenger, spec=spec: to.send(event, "failed", spec, within_s=EACH_S))  # type: ignore[misc]
    if gateway:
        yield _try("The Pushgateway accepted the metrics.", lambda: _push_and_delete(report, gateway))
    if inputs.mlflow:
        yield _try("MLflow accepted a run, which is deleted again.", lambda: _record_and_delete(inputs.mlflow))


def _try(accepted: str, send: Callable[[], None]) -> TrialResult:
    try:
        send()
    except PublishError as error:
        return TrialResult(problem=str(error))
    return TrialResult(success=accepted)


def _push_and_delete(report: Report, address: str) -> None:
    """Push to a group of its own, and delete it: the gateway would show it for ever."""
    from metricgate.services.http_client import HttpClient  # noqa: PLC0415  only where an address is given

    client = HttpClient(service="The Pushgateway", within_s=EACH_S)
    group = address.rstrip("/") + group_path({"setup": "metricgate-notify-test"})
    body = render_exposition(report, Occurrence(ended_at=0.0), {}).encode()
    client.send("PUT", group, body, {"Content-Type": CONTENT_TYPE})
    client.send("DELETE", group)


def _record_and_delete(access: MlflowAccess) -> None:
    from metricgate.services.mlflow_runs import write_and_delete_run  # noqa: PLC0415  only where an address is given
    from metricgate.services.mlflow_server import MlflowServer  # noqa: PLC0415

    write_and_delete_run(MlflowServer.connect(access, within_s=EACH_S))
