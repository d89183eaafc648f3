"""A message as JSON for any other service, with its signature. The schema is docs/webhook.schema.json."""

import hashlib
import hmac
import json
from typing import Final, Literal

from pydantic import Field

from metricgate.models.base import Bound, Finite, Value
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import Slice
from metricgate.report.gate_order import sort_gates
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.settings.notify import Occasion

MAX_GATES = 50
SIGNATURE_HEADER: Final = "X-MetricGate-Signature-256"
EVENT_HEADER: Final = "X-MetricGate-Event"
DELIVERY_HEADER: Final = "X-MetricGate-Delivery"


class WebhookGate(Value):
    """One gate, the worst first."""

    rule: str
    metric: str
    set: str = ""
    slice: Slice | None = None
    outcome: Outcome
    reason: str
    baseline: Finite | None = None
    candidate: Finite | None = None
    difference: Finite | None = None
    low: Bound = None
    high: Bound = None


class WebhookSource(Value):
    """What the run was about."""

    repository: str = Field(description="OWNER/NAME.")
    branch: str = Field("", description="The default branch, or the head branch of the pull request.")
    pull_request: int | None = Field(None, description="Its number; null for a run on the default branch.")
    run_url: str = ""
    comment_url: str = ""
    check_url: str = ""


class WebhookPayload(Value):
    """What MetricGate posts. ``schema_version`` rises when a reader of an older version could misread it."""

    schema_version: Literal[1] = 1
    event: Occasion
    test: bool = Field(False, description="Sent by `metricgate notify --test`: nothing was judged.")
    verdict: Verdict
    previous: Verdict | None = Field(None, description="The verdict published before; null if it is unknown.")
    id: str = Field(description="The set-up, as in the input `id`.")
    headline: str
    reason: str
    revision: str | None = Field(None, description="The judged commit.")
    baseline_revision: str | None = None
    gates: tuple[WebhookGate, ...] = Field((), description="At most 50.")
    source: WebhookSource
    sent_at: str = Field(description="ISO 8601, UTC.")
    metricgate: str = Field(description="The version of MetricGate.")


def write_payload(
    report: Report,
    occasion: Occasion,
    source: WebhookSource,
    *,
    sent_at: str,
    previous: Verdict | None = None,
    test: bool = False,
) -> WebhookPayload:
    """Return the payload about a report."""
    names = set(WebhookGate.model_fields)
    gates = sort_gates(report.gates)[:MAX_GATES]
    return WebhookPayload(
        event=occasion,
        test=test,
        verdict=report.verdict,
        previous=previous,
        id=report.id,
        headline=headline(report),
        reason=report.reason,
        revision=report.candidate.revision if report.candidate else None,
        baseline_revision=report.baseline.revision if report.baseline else None,
        gates=tuple(WebhookGate(**{key: value for key, value in gate if key in names}) for gate in gates),
        source=source,
        sent_at=sent_at,
        metricgate=report.metricgate,
    )


def webhook_schema() -> str:
    """Return the JSON schema of the payload, as kept in docs/webhook.schema.json."""
    schema = WebhookPayload.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body, in the form of GitHub's webhooks: ``sha256=HEX``."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
