"""docs/report.schema.json is what report.json looks like; other tools read it."""

import json
from pathlib import Path

import jsonschema
import pytest

from metricgate.report.formats.report_json import report_schema
from metricgate.report.value import Report
from tests.report.reports import make_error_report, make_report

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


def test_the_committed_schema_is_the_current_one() -> None:
    committed = SCHEMA_FILE.read_text(encoding="utf-8")

    assert committed == report_schema(), "run: python scripts/report_schema.py"


@pytest.mark.parametrize("report", [make_report(), make_error_report()], ids=["failed", "error"])
def test_a_report_satisfies_the_schema(report: Report) -> None:
    jsonschema.validate(json.loads(report.model_dump_json()), json.loads(report_schema()))


def test_the_schema_refuses_what_is_not_a_report() -> None:
    value = json.loads(make_report().model_dump_json()) | {"verdict": "safe"}

    with pytest.raises(jsonschema.ValidationError, match="'safe' is not one of"):
        jsonschema.validate(value, json.loads(report_schema()))
