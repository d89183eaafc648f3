"""Numbers of a DVC metrics file: nested mappings become dotted keys, and nothing is dropped in silence."""

import json
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metricgate.models.snapshot import FileMetric, Unreadable

_MOST_BYTES = 10_000_000
_MOST_SHOWN = 40  # characters of a name or a text


def read_metrics(path: Path, name: str) -> tuple[FileMetric, ...] | Unreadable:
    """Return every value of a JSON, YAML or TOML file, in the order of its keys.

    A value that is not a finite number is kept, with ``value`` None and a ``problem``: NaN, infinity, text, null, true,
    false. Items of a list get their index as key. A file that names a key twice is unreadable: which one counts?
    DVCLive's ``step`` counts steps and is left out.
    """
    try:
        content = _load(path)
    except (OSError, ValueError, RecursionError) as error:
        return Unreadable(what=name, reason=f"it is not readable as {_format(path)}: {_explain(error)}")
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
                raise ValueError(getattr(error, "problem", None) or str(error)) from error
        case "TOML":
            return tomllib.loads(text)
        case _:
            # NaN and Infinity included: DVCLive writes them.
            return json.loads(text, object_pairs_hook=_refuse_double_keys)


def _refuse_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(_word_double_key(next(name for name in names if names.count(name) > 1)))
    return found


def _word_double_key(name: str) -> str:
    return f"the key {name[:_MOST_SHOWN]!r} occurs twice"


def _explain(error: Exception) -> str:
    text = str(error).strip().split("\n", 1)[0] or type(error).__name__
    double = re.match(r'found duplicate key "(.*?)" with value', text)
    return _word_double_key(double[1]) if double else text


def _flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _flatten(item, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _describe_value(file: str, key: str, value: Any) -> FileMetric:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return FileMetric(file=file, key=key, value=number)
        return FileMetric(file=file, key=key, value=None, problem=f"is {number}, not a finite number")
    return FileMetric(file=file, key=key, value=None, problem=f"is {_describe(value)}, not a number")


def _describe(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return f"the text {value[:_MOST_SHOWN]!r}"
    if isinstance(value, dict | list):
        return "an empty mapping" if isinstance(value, dict) else "a list" if value else "an empty list"
    return f"of type {type(value).__name__}"
