"""Real payloads, as GitHub sent them: payloads.json says where they come from."""

import json
from pathlib import Path
from typing import Any

import pytest

from metricgate.trigger import Trigger, read_trigger

PAYLOADS = json.loads(Path(__file__).with_name("payloads.json").read_text(encoding="utf-8"))["payloads"]
SHA = "c" * 40
OWN, BASE = "ec26c3e57ca3a959ca5aad62de7213c562f8c821", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"

EXPECTED: list[dict[str, Any]] = [
    {"number": 2, "report_sha": OWN, "base_sha": BASE, "draft": False, "labels": ("bug",), "label_just_set": ""},
    {"number": 2, "report_sha": OWN, "base_sha": BASE, "draft": False, "labels": ("bug",), "label_just_set": "bug"},
    {"number": 2, "report_sha": OWN, "base_sha": BASE, "draft": True, "labels": ("bug",), "label_just_set": ""},
    {
        "report_sha": "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d",
        "merge_group_base": "380387fbc80638b734a49e1be1c4dfec1c01b33c",
        "default_branch": "main",
    },
    {"report_sha": SHA, "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246", "default_branch": "master"},
    {"report_sha": SHA, "before": None},
    {
        "report_sha": "3484a3fb816e0859fd6e1cea078d76385ff50625",
        "run_id": 289782451,
        "event": "repository_dispatch",
        "conclusion": "success",
        "created_at": "2020-10-05T16:33:24Z",
    },
    {"report_sha": SHA, "default_branch": "main"},
]


def flatten(trigger: Trigger) -> dict[str, Any]:
    parts = [trigger.pull_request, trigger.workflow_run]
    return {**vars(trigger), **{key: value for part in parts if part for key, value in vars(part).items()}}


@pytest.mark.parametrize("position", range(len(PAYLOADS)), ids=lambda i: f"{i}-{PAYLOADS[i]['event']}")
def test_a_real_payload_becomes_its_trigger(position: int) -> None:
    event, payload = PAYLOADS[position]["event"], PAYLOADS[position]["payload"]
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": payload["repository"]["full_name"],
        "GITHUB_SHA": SHA,
        "INPUT_MODE": "publish",
    }

    trigger = read_trigger(environ, payload)

    assert trigger.kind.value == event
    assert not trigger.is_fork
    found = flatten(trigger)
    assert {key: found[key] for key in EXPECTED[position]} == EXPECTED[position]
