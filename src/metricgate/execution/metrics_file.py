"""Numbers of a DVC metrics file: nested mappings become dotted keys, and nothing is dropped in silence."""

import json
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metricgate.models.snapshot import FileMetric, Unreadable

_MOST_BYTES = 10_000_000


def read_metrics(path: Path, name: str) -> tuple[FileMetric, ...] | Unreadable:
    """Return every value of a JSON, YAML or TOML file, in the order of its keys.

    A value that is no finite number is kept, with ``value`` None and a ``problem``: NaN, infinity, text, null. Items
    of a list get their index as key; true and false count as 1 and 0, with a ``problem`` of their own left empty.
    DVCLive's ``step`` counts steps and is left out.
    """
    try:
        content = _load(path)
    except (OSError, ValueError, RecursionError) as error:
        return Unreadable(what=name, reason=f"it is not readable as {_format(path)}: {_first_line(error)}")
    if not isinstance(content, dict):
        return Unreadable(what=name, reason=f"it holds {_describe(content)}, not named numbers")
    found = tuple(_describe_value(name, key, value) for key, value in _flatten(content))
    if not found:
        return Unreadable(what=name, reason="it holds no value")
    return tuple(sorted((metric for metric in found if metric.key != "step"), key=lambda metric: metric.key))


def _format(path: Path) -> str:
    return {".yaml": "YAML", ".yml": "YAML", ".toml": "TOML"}.get(path.suffix.lower(), "JSON")


def _load(path: Path) -> Any:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // 1_000_000} MB")
    text = path.read_text(encoding="utf-8-sig")
    match _format(path):
        case "YAML":
            from ruamel.yaml import YAML  # noqa: PLC0415  JSON is the usual case
            from ruamel.yaml.error import YAMLError  # noqa: PLC0415

            try:
                return YAML(typ="safe", pure=True).load(text)
            except YAMLError as error:
                raise ValueError(str(error)) from error
        case "TOML":
            return tomllib.loads(text)
        case _:
            return json.loads(text)  # NaN and Infinity included: DVCLive writes them


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def _flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _flatten(item, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _describe_value(file: str, key: str, value: Any) -> FileMetric:
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return FileMetric(file=file, key=key, value=number)
        return FileMetric(file=file, key=key, value=None, problem=f"it is {number}, not a finite number")
    return FileMetric(file=file, key=key, value=None, problem=f"it is {_describe(value)}, not a number")


def _describe(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, dict | list):
        return "an empty mapping" if isinstance(value, dict) else "a list" if value else "an empty list"
    return f"of type {type(value).__name__}"
