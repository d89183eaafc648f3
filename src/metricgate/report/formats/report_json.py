"""report.json: its schema, and and reading a file that is not trusted."""

import json

from pydantic import ValidationError

from metricgate.errors import ConfigurationError
from metricgate.report.value import SCHEMA_VERSION, Report

MAX_BYTES = 32 * 1024 * 1024


def report_schema() -> str:
    """Return the JSON schema of report.json, as kept in docs/report.schema.json."""
    schema = Report.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def read_report(text: str | bytes) -> Report:
    """Return the report that ``text`` holds.

    Raises
    ------
    ConfigurationError
        If it is too long, not JSON, or not a report of this schema version.
    """
    size = len(text)
    if size > MAX_BYTES:
        raise ConfigurationError(
            f"The report is {size:,} bytes long.",
            expected=f"at most {MAX_BYTES:,} bytes.",
            fix="Pass the report.json that a MetricGate run wrote.",
            topic="the-file-is-not-a-report",
        )
    try:
        return Report.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(
            f"The file is not a readable report: {where}: {first['msg']}.",
            expected=f"a report.json with schema_version {SCHEMA_VERSION}.",
            fix="Pass a report.json that this version of MetricGate wrote, or run the version that wrote it.",
            topic="the-file-is-not-a-report",
        ) from error
