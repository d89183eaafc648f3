"""The destinations beyond GitHub that the inputs configure; without an input, nothing of them is imported."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from metricgate.errors import MetricgateError
from metricgate.models.outcome import Verdict
from metricgate.publish.announcements import Announcements, Announcer
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.interface import Event, Notices
from metricgate.publish.subscriptions import Subscriptions, fetch_policy
from metricgate.settings.inputs import Inputs
from metricgate.settings.mlflow import MlflowSpec, read_mlflow
from metricgate.trigger.triggers import Trigger

if TYPE_CHECKING:
    from metricgate.publish.message_destination import MessageDestination

log = logging.getLogger(__name__)

MLFLOW_S = 20.0  # a dozen requests, one after the other
MODEL_S = 100.0  # a model may be large
READING_S = 5.0  # of GitHub, before anything is sent


def make_announcements(
    trigger: Trigger,
    inputs: Inputs,
    client: GitHubClient | None,
    subscriptions: Subscriptions,
    run: str,
    *,
    model_folder: Path | None = None,
) -> Announcements:
    """Return the destinations that have an address.

    ``run`` names this run's own check, ``model_folder`` is where the run keeps the model that it judges.
    """
    messengers = list_messengers(trigger, inputs, subscriptions) if _may_send_messages(trigger, inputs) else ()
    announcers = [Announcer(name=name, destination=one) for name, one in messengers]
    if inputs.pushgateway.get_secret_value() and trigger.is_about_default_branch:
        announcers.append(_make_pushgateway(trigger, inputs, client))
    if inputs.mlflow and (trigger.is_about_default_branch or not trigger.is_fork):
        announcers.append(_make_mlflow(trigger, inputs, client, model_folder))
    if not messengers or client is None:
        return Announcements(announcers)
    asked = tuple(one.to for _, one in messengers)
    return Announcements(announcers, prepare=_Preparation(trigger, inputs, client, subscriptions, run, asked))


def _may_send_messages(trigger: Trigger, inputs: Inputs) -> bool:
    given = (inputs.slack_webhook, inputs.teams_webhook, inputs.webhook)
    about = trigger.is_about_default_branch or (trigger.pull_request is not None and not trigger.is_fork)
    return about and any(address.get_secret_value() for address in given)


def list_messengers(
    trigger: Trigger, inputs: Inputs, subscriptions: Subscriptions, *, is_test: bool = False
) -> tuple[tuple[str, "MessageDestination"], ...]:
    """Return a destination for each address, with its name."""
    from metricgate.publish.message_destination import SERVICE_NAMES, MessageDestination, Service  # noqa: PLC0415

    addresses: dict[Service, SecretStr] = {
        "slack": inputs.slack_webhook,
        "teams": inputs.teams_webhook,
        "webhook": inputs.webhook,
    }
    return tuple(
        (
            SERVICE_NAMES[to],
            MessageDestination(
                to=to,
                address=address,
                trigger=trigger,
                subscriptions=subscriptions,
                secret=inputs.webhook_secret,
                is_test=is_test,
            ),
        )
        for to, address in addresses.items()
        if address.get_secret_value()
    )


@dataclass(frozen=True)
class _Preparation:
    """Asks GitHub, in this thread and before anything is sent, who is to be told, and what was told before."""

    trigger: Trigger
    inputs: Inputs
    client: GitHubClient
    subscriptions: Subscriptions
    run: str
    asked: Sequence[str]

    def __call__(self, event: Event) -> Event:
        notices = Notices()
        with self.client.budget.at_most(READING_S):
            found = notices.attempt("list of `notify:`", lambda: [self.subscriptions.find(to) for to in self.asked])
            if found and any(found) and not event.earlier and self.trigger.is_about_default_branch:
                event = replace(event, earlier=self._find_earlier())
        return replace(event, notices=(*event.notices, *notices.all()))

    def _find_earlier(self) -> tuple[Verdict, ...]:
        from metricgate.publish.github.earlier_checks import find_earlier_verdicts  # noqa: PLC0415

        sha = self.trigger.report_sha or ""
        try:
            return find_earlier_verdicts(self.client, name=self.inputs.check_name, sha=sha, run=self.run)
        except MetricgateError as error:
            log.info("Earlier verdicts are not known, so trouble is told again: %s", error.what)
            return ()


def _make_mlflow(trigger: Trigger, inputs: Inputs, client: GitHubClient | None, model_folder: Path | None) -> Announcer:
    from metricgate.publish.mlflow_destination import MlflowDestination  # noqa: PLC0415

    def find_spec() -> MlflowSpec | None:
        ref = trigger.pull_request.base_sha if trigger.pull_request else (trigger.report_sha or trigger.default_branch)
        text, origin = fetch_policy(client, inputs, ref)
        return None if text is None else read_mlflow(text, origin=origin)

    return Announcer(
        name="MLflow",
        within_s=MODEL_S if model_folder else MLFLOW_S,
        destination=MlflowDestination(
            access=inputs.mlflow,
            trigger=trigger,
            find_spec=find_spec,
            model_folder=model_folder,
            may_adopt=inputs.mode == "run",
        ),
    )


def _make_pushgateway(trigger: Trigger, inputs: Inputs, client: GitHubClient | None) -> Announcer:
    from metricgate.publish.pushgateway import PushgatewayDestination  # noqa: PLC0415
    from metricgate.publish.trained_at import ask_trained_at  # noqa: PLC0415

    def find_trained_at(event: Event) -> float | None:
        revision = event.report.candidate.revision if event.report.candidate else None
        if client is None or not (revision or trigger.report_sha):
            return None
        try:
            return ask_trained_at(client, inputs.working_directory, revision or trigger.report_sha or "")
        except MetricgateError as error:
            log.info("When the model was trained is not known: %s", error.what)
            return None

    destination = PushgatewayDestination(trigger=trigger, address=inputs.pushgateway, find_trained_at=find_trained_at)
    return Announcer(name="The Pushgateway", destination=destination)
