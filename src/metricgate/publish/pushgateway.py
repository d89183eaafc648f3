"""A Pushgateway as a destination: the default branch's last run, in one PUT that replaces the run before."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr

from metricgate.models.outcome import Verdict
from metricgate.publish.interface import Delivery, Event, Notices
from metricgate.publish.trained_at import read_trained_at
from metricgate.report.formats.exposition import Occurrence, render_exposition
from metricgate.trigger.triggers import Trigger

JOB = "metricgate"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class PushgatewayDestination:
    """Pushes the metrics of runs on the default branch; a gateway never forgets what pull requests would push.

    ``find_trained_at`` returns when the results were made, where the report does not say so.
    """

    trigger: Trigger
    address: SecretStr
    find_trained_at: Callable[[Event], float | None]
    now: Callable[[], float] = time.time

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Replace the group of this repository, set-up and branch."""
        notices = Notices()
        # A cancelled run knows nothing, and would replace what the run before it knew.
        is_run = event.report.verdict is not Verdict.CANCELLED and self.trigger.is_about_default_branch
        if is_run and self.address.get_secret_value():
            notices.attempt("metrics", lambda: self._push(event, within_s), done="pushed")
        return Delivery(event=replace(event, notices=(*event.notices, *notices.all())), failed=notices.failed)

    def _push(self, event: Event, within_s: float) -> None:
        from metricgate.services.http_client import HttpClient  # noqa: PLC0415  only where an address is given

        ended_at = self.now()
        trained_at = read_trained_at(event.report, ended_at)
        if trained_at is None:
            trained_at = self.find_trained_at(event)
        when = Occurrence(ended_at=ended_at, trained_at=trained_at)
        body = render_exposition(event.report, when, {}).encode()
        address = self.address.get_secret_value().rstrip("/") + group_path(group_labels(self.trigger, event.report.id))
        client = HttpClient(service="The Pushgateway", within_s=within_s)
        client.send("PUT", address, body, {"Content-Type": CONTENT_TYPE})


def group_labels(trigger: Trigger, set_up: str) -> dict[str, str]:
    """Return the labels that tell one series of runs from another; pull requests share one."""
    ref = trigger.default_branch if trigger.is_about_default_branch else ""
    if trigger.pull_request or (trigger.workflow_run and not ref):
        ref = "pull"
    return {"repository": trigger.repository, "setup": set_up, "ref": ref}


def group_path(labels: Mapping[str, str]) -> str:
    """Return the path of a group. Values are encoded, as a slash would end one."""
    encoded = (f"/{name}@base64/{base64.urlsafe_b64encode(value.encode()).decode()}" for name, value in labels.items())
    return f"/metrics/job/{JOB}{''.join(encoded)}"
