"""Messages to Slack, Teams and other services: short, within the vendors' limits, and no markup from the repository."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from slack_sdk.models.blocks import Block

from metricgate.models.outcome import Verdict
from metricgate.models.result import Slice
from metricgate.report.formats.message import Message, MessagePlace, write_message
from metricgate.report.formats.slack import render_slack
from metricgate.report.formats.teams import render_teams
from metricgate.report.formats.webhook import WebhookPayload, WebhookSource, sign, webhook_schema, write_payload
from metricgate.report.value import Report
from metricgate.settings.notify import Occasion
from tests.report.reports import (
    make_doubtful_report,
    make_error_report,
    make_gate,
    make_large_report,
    make_passed_report,
    make_report,
)

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "webhook.schema.json"
PLACE = MessagePlace(
    repository="acme/churn", subject="main", url="https://github.example/acme/churn/actions/runs/42", link_text="Open"
)
HOSTILE = [
    "<!channel>",
    "<@U024BE7LH>",
    "<https://evil.example|click>",
    "[click](https://evil.example)",
    "**bold** _it_ ~no~ `code`",
    "<at>ann@acme.example</at>",
    "line\nbreak\r\n> quote",
    "x" * 10_000,
    "🎲 \u202egnp.exe",
    '"}]}',
    "{{DATE(2026-01-01T00:00:00Z, SHORT)}}",
    "{{{DATE(2026-01-01T00:00:00Z, SHORT)}}",
]
CASES: list[tuple[Report, Occasion]] = [
    (make_report(), "failed"),
    (make_report(gates=tuple(make_gate(metric=f"m{n}") for n in range(40))), "failed"),
    (make_error_report(), "error"),
    (make_doubtful_report(), "inconclusive"),
    (make_passed_report(), "recovered"),
    (make_large_report(), "failed"),
]


def write(report: Report, occasion: Occasion, **changes: Any) -> Message:
    return write_message(report, occasion, PLACE, **changes)


def make_hostile_report(text: str) -> Report:
    gate = make_gate(metric=text, rule=text, reason=text, source=text, slice=Slice(column=text, value=text))
    return make_report(gates=(gate,) * 7, reason=text)


def list_texts(part: Any, kind: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a message with the type of the object it stands in."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from list_texts(value, f"{part.get('type', '')}.{key}")
    elif isinstance(part, list):
        for value in part:
            yield from list_texts(value, kind)
    elif isinstance(part, str):
        yield kind, part


def test_a_failure_is_three_lines_the_headline_the_gates_and_a_link() -> None:
    second = make_gate(metric="f1", slice=Slice(column="contract", value="One year"))

    message = write(make_report(gates=(make_gate(), second)), "failed")

    assert message.headline.startswith("❌ Blocked: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed")
    assert message.headline.endswith("and 1 more gate failed")
    assert message.gates == ("F1 for contract = One year is 0.021 lower (0.012 to 0.030); 0.010 is allowed",)
    assert message.place == "acme/churn · main · 9b7e310"
    assert message.summary == "❌ MetricGate: acme/churn failed"


def test_one_of_several_set_ups_is_named() -> None:
    place = MessagePlace(repository="acme/churn", subject="main", name="MetricGate (eu)")

    message = write_message(make_report(id="eu"), "failed", place)

    assert message.place == "MetricGate (eu) · acme/churn · main · 9b7e310"
    assert message.summary == "❌ MetricGate (eu): acme/churn failed"


def test_a_single_gate_is_the_headline_alone_and_many_are_counted() -> None:
    assert write(make_report(gates=(make_gate(),)), "failed").gates == ()
    many = tuple(make_gate(metric=f"m{number}") for number in range(40))
    assert write(make_report(gates=many), "failed").gates[-1] == "and 34 more gates"


def test_owners_are_mentioned_in_bad_news_alone() -> None:
    assert write(make_report(), "failed", mention=["U024BE7LH"]).mention == ("U024BE7LH",)
    assert write(make_passed_report(), "recovered", mention=["U024BE7LH"]).mention == ()


@pytest.mark.parametrize(("report", "occasion"), CASES)
def test_slack_accepts_the_blocks(report: Report, occasion: Occasion) -> None:
    body = render_slack(write(report, occasion, mention=["U024BE7LH", "S0614TZR7"]))

    value = json.loads(body)
    for block in Block.parse_all(value["blocks"]):
        block.validate_json()
    assert 2 <= len(value["blocks"]) < 4
    assert len(body) < 4000
    assert all(len(text) <= 3000 for _, text in list_texts(value))


def test_slack_mentions_people_and_groups_by_their_own_forms() -> None:
    value = json.loads(render_slack(write(make_report(), "failed", mention=["U024BE7LH", "S0614TZR7"])))

    context = value["blocks"][-1]["elements"][-1]["text"]
    assert context.endswith("|Open> <@U024BE7LH> <!subteam^S0614TZR7>")


@pytest.mark.parametrize("text", HOSTILE)
def test_in_slack_the_repositorys_text_is_plain(text: str) -> None:
    place = MessagePlace(repository="acme/churn", subject=text, url="https://github.example/?a=<b>|c", link_text="Open")

    body = render_slack(write_message(make_hostile_report(text), "failed", place))

    value = json.loads(body)
    for block in Block.parse_all(value["blocks"]):
        block.validate_json()
    marked = [shown for kind, shown in list_texts(value) if kind in ("mrkdwn.text", ".text")]
    assert marked == ["❌ MetricGate: acme/churn failed", "<https://github.example/?a=&lt;b&gt;%7Cc|Open>"]


@pytest.mark.parametrize(("report", "occasion"), CASES)
def test_a_card_is_small_and_of_version_1_4(report: Report, occasion: Occasion) -> None:
    body = render_teams(write(report, occasion, mention=["ann@acme.example"]))

    [attachment] = json.loads(body)["attachments"]
    assert attachment["content"]["version"] == "1.4"
    assert len(body) < 15_000
    kinds = {part["type"] for part in (*attachment["content"]["body"], *attachment["content"]["actions"])}
    assert kinds <= {"RichTextBlock", "TextBlock", "Action.OpenUrl"}


@pytest.mark.parametrize("text", HOSTILE)
def test_in_teams_the_repositorys_text_is_in_text_runs(text: str) -> None:
    place = MessagePlace(repository="acme/churn", subject=text, url=PLACE.url, link_text="Open")

    body = render_teams(write_message(make_hostile_report(text), "failed", place, ["ann@acme.example"]))

    card = json.loads(body)["attachments"][0]["content"]
    assert len(body) < 15_000
    assert "{{" not in json.dumps(card["body"])
    assert {kind for kind, shown in list_texts(card) if "Blocked" in shown} == {"TextRun.text"}
    assert [shown for kind, shown in list_texts(card) if kind == "TextBlock.text"] == ["<at>ann@acme.example</at>"]


def test_a_card_mentions_owners_as_entities() -> None:
    card = json.loads(render_teams(write(make_report(), "failed", mention=["ann@acme.example"])))["attachments"][0]

    assert card["content"]["msteams"]["entities"] == [
        {
            "type": "mention",
            "text": "<at>ann@acme.example</at>",
            "mentioned": {"id": "ann@acme.example", "name": "ann@acme.example"},
        }
    ]


SOURCE = WebhookSource(repository="acme/churn", branch="main", run_url=PLACE.url)


@pytest.mark.parametrize(("report", "occasion"), CASES)
def test_the_payload_says_what_the_report_says(report: Report, occasion: Occasion) -> None:
    payload = write_payload(report, occasion, SOURCE, sent_at="2026-01-02T03:04:05Z", previous=Verdict.PASSED)

    again = WebhookPayload.model_validate_json(payload.model_dump_json())
    assert again == payload
    assert (again.event, again.verdict, again.previous, again.test) == (occasion, report.verdict, Verdict.PASSED, False)
    assert len(again.gates) <= 50
    assert len(payload.model_dump_json()) < 60_000


def test_the_documented_schema_is_the_payloads() -> None:
    committed = SCHEMA_FILE.read_text(encoding="utf-8")
    payload = write_payload(make_report(), "failed", SOURCE, sent_at="2026-01-02T03:04:05Z")

    assert committed == webhook_schema(), "run: python scripts/report_schema.py"
    jsonschema.validate(json.loads(payload.model_dump_json()), json.loads(committed))


def test_a_signature_is_that_of_githubs_webhooks() -> None:
    body, secret = b'{"a": "\xc3\xbc"}', "s3cr3t"

    assert sign(body, secret) == "sha256=" + hmac.new(b"s3cr3t", body, hashlib.sha256).hexdigest()
