"""Slack, Teams and a signed webhook as destinations: one POST for each event that somebody asked to hear of."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from pydantic import SecretStr

from metricgate.errors import PublishError
from metricgate.publish.interface import Delivery, Event, Notices
from metricgate.publish.subscriptions import Subscriptions
from metricgate.report.formats.message import Message, MessagePlace, write_message
from metricgate.report.formats.slack import render_slack
from metricgate.report.formats.teams import render_teams
from metricgate.report.formats.webhook import (
    DELIVERY_HEADER,
    EVENT_HEADER,
    SIGNATURE_HEADER,
    WebhookSource,
    sign,
    write_payload,
)
from metricgate.report.occasion import choose_occasion
from metricgate.settings.notify import NotifySpec, Occasion
from metricgate.trigger.triggers import Trigger

Service = Literal["slack", "teams", "webhook"]
SERVICE_NAMES: Mapping[Service, str] = {"slack": "Slack", "teams": "Microsoft Teams", "webhook": "The webhook"}
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class MessageDestination:
    """Sends messages to one address. ``secret`` signs what goes to a webhook; ``is_test`` marks it as a test."""

    to: Service
    address: SecretStr
    trigger: Trigger
    subscriptions: Subscriptions
    secret: SecretStr = field(default_factory=lambda: SecretStr(""))
    is_test: bool = False
    now: Callable[[], float] = time.time

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Send the event, if `notify:` asks for it and it is news."""
        notices = Notices()
        notices.attempt(f"message to {SERVICE_NAMES[self.to]}", lambda: self._tell(event, within_s), done="sent")
        return Delivery(event=replace(event, notices=(*event.notices, *notices.all())), failed=notices.failed)

    def _tell(self, event: Event, within_s: float) -> None:
        spec = self.subscriptions.find(self.to)
        if spec is None:
            return
        occasion = choose_occasion(event.report.verdict, event.earlier, spec.on, event.kind)
        if occasion:
            self.send(event, occasion, spec, within_s=within_s)

    def send(self, event: Event, occasion: Occasion, spec: NotifySpec, *, within_s: float) -> None:
        """Send the event, news or not; raise PublishError where the service does not take it."""
        from metricgate.services.http_client import HttpClient  # noqa: PLC0415  only where there is something to send

        body, headers = self._render(event, occasion, spec)
        client = HttpClient(service=SERVICE_NAMES[self.to], within_s=within_s)
        # A webhook recognises a repetition by its delivery; Slack and Teams would show the message twice.
        client.send("POST", self.address.get_secret_value(), body, headers, may_repeat=self.to == "webhook")

    def _render(self, event: Event, occasion: Occasion, spec: NotifySpec) -> tuple[bytes, Mapping[str, str]]:
        if self.to == "webhook":
            return self._render_payload(event, occasion)
        message = self._write_message(event, occasion, spec)
        return (render_slack if self.to == "slack" else render_teams)(message), _JSON

    def _write_message(self, event: Event, occasion: Occasion, spec: NotifySpec) -> Message:
        pull_request = self.trigger.pull_request
        subject = f"#{pull_request.number} {pull_request.head_ref}" if pull_request else self.trigger.default_branch
        links = ((event.comment_url, "Open the pull request"), (event.view_context.report_url, "Open the run"))
        url, link_text = next((link for link in links if link[0]), ("", ""))
        place = MessagePlace(
            repository=self.trigger.repository, subject=subject, name=event.name, url=url, link_text=link_text
        )
        return write_message(event.report, occasion, place, spec.mention)

    def _render_payload(self, event: Event, occasion: Occasion) -> tuple[bytes, Mapping[str, str]]:
        secret = self.secret.get_secret_value()
        if not secret:
            raise PublishError(
                "The input `webhook` has no `webhook-secret`.",
                expected="a secret: without one, anyone who learns the address can forge messages.",
                fix="Add `webhook-secret: ${{ secrets.METRICGATE_WEBHOOK_SECRET }}` to the step.",
                topic="the-webhook-has-no-secret",
            )
        pull_request = self.trigger.pull_request
        source = WebhookSource(
            repository=self.trigger.repository,
            branch=pull_request.head_ref if pull_request else self.trigger.default_branch,
            pull_request=pull_request.number if pull_request else None,
            run_url=event.view_context.report_url,
            comment_url=event.comment_url,
            check_url=event.check_url,
        )
        payload = write_payload(
            event.report,
            occasion,
            source,
            sent_at=f"{datetime.fromtimestamp(self.now(), UTC):%Y-%m-%dT%H:%M:%SZ}",
            previous=event.previous,
            test=self.is_test,
        )
        body = payload.model_dump_json().encode()
        headers = {
            **_JSON,
            EVENT_HEADER: occasion,
            DELIVERY_HEADER: hashlib.sha256(
                payload.model_copy(update={"sent_at": ""}).model_dump_json().encode()
            ).hexdigest(),
            SIGNATURE_HEADER: sign(body, secret),
        }
        return body, headers
