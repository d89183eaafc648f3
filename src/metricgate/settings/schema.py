"""The JSON Schema of metricgate.yaml, by which editors complete and check it."""

from typing import Any

from metricgate.settings.policy import Policy


def policy_schema() -> dict[str, Any]:
    """Return the schema of the whole file; names and descriptions are those of the policy's fields."""
    schema: dict[str, Any] = _without_titles(Policy.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metricgate.yaml",
        **schema,
        "description": "The policy of MetricGate: what a candidate model must not do worse.",
    }


def _without_titles(part: Any) -> Any:
    """Drop the titles that pydantic derives from names: an editor would show each name twice."""
    if isinstance(part, list):
        return [_without_titles(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _without_titles(value) for key, value in part.items() if key != "title" or not isinstance(value, str)}
