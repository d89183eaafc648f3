"""Typed access to an event payload: a missing or misshapen field is one clear error, never a KeyError."""

import re
from collections.abc import Mapping
from typing import Any

from metricgate.errors import ConfigurationError

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Payload:
    """One object inside the event, with the path that leads to it."""

    def __init__(self, fields: Mapping[str, Any], path: str) -> None:
        self._fields = fields
        self._path = path

    def part(self, key: str) -> "Payload":
        value = self._fields.get(key)
        if not isinstance(value, Mapping):
            raise self._error(key, "an object")
        return Payload(value, f"{self._path}.{key}")

    def optional_part(self, key: str) -> "Payload":
        return self.part(key) if self._fields.get(key) is not None else Payload({}, f"{self._path}.{key}")

    def parts(self, key: str) -> tuple["Payload", ...]:
        values = self._fields.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
            raise self._error(key, "a list of objects")
        return tuple(Payload(value, f"{self._path}.{key}[{i}]") for i, value in enumerate(values))

    def text(self, key: str) -> str:
        value = self._fields.get(key)
        if not isinstance(value, str) or not value:
            raise self._error(key, "text")
        return value

    def optional_text(self, key: str) -> str:
        return self.text(key) if self._fields.get(key) else ""

    def sha(self, key: str) -> str:
        value = self.text(key)
        if not _SHA.fullmatch(value):
            raise self._error(key, "a commit SHA")
        return value

    def number(self, key: str) -> int:
        value = self._fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._error(key, "a positive whole number")
        return value

    def flag(self, key: str) -> bool:
        return self._fields.get(key) is True

    def _error(self, key: str, expected: str) -> ConfigurationError:
        return ConfigurationError(
            f"The event payload has no usable {self._path}.{key} (GITHUB_EVENT_PATH).",
            expected=f"{expected}, as GitHub writes it.",
            fix="Run the step on GitHub Actions; outside of it, use `metricgate run`.",
            topic="the-event-cannot-be-read",
        )
