"""Parameters that differ between the revisions: which of them the evaluation reads, and the lines that write them."""

import json
import posixpath
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.models.result import Change, Location
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.code_reach import Reach
from metricgate.revisions.dvc_yaml import ReadText, WrittenStage, join_paths
from metricgate.settings.document import read_document

PARAMETERS = "params.yaml"
_SHOW = "params_show"  # of dvc.api: every parameter
_Lines = Mapping[tuple[str | int, ...], int]


@dataclass(frozen=True, kw_only=True)
class ChangedParameter:
    """A parameter with another value, or one that came or went (None); ``file`` is relative to the project."""

    file: str
    key: str
    before: Any
    after: Any


def list_parameter_files(stages: Iterable[WrittenStage]) -> set[str]:
    """Return the files that hold the stages' parameters."""
    return {PARAMETERS, *(file for stage in stages for file, _ in _list_declared(stage))}


def compare_parameters(file: str, before: ReadText, after: ReadText) -> list[ChangedParameter] | None:
    """Return the parameters of a file that differ; None where one of the revisions' files cannot be read."""
    old, new = _read(file, before(file)), _read(file, after(file))
    if old is None or new is None:
        return None
    return [
        ChangedParameter(file=file, key=key, before=old.get(key), after=new.get(key))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def list_read_by(
    changed: Iterable[ChangedParameter], judging: Iterable[WrittenStage], others: Iterable[WrittenStage], reach: Reach
) -> list[ChangedParameter]:
    """Return the parameters that the judging stages read: those that they declare, and what else their code may read.

    Of a file that their code opens as a whole, what other stages alone declare does not count, unless the code names the
    parameter.
    """
    own, foreign = ({entry for stage in listed for entry in _list_declared(stage)} for listed in (judging, others))
    opened = reach.named | reach.likely

    def is_read(parameter: ChangedParameter) -> bool:
        if _is_declared(parameter, own):
            return True
        if parameter.file not in opened and _SHOW not in reach.words:
            return False
        return not _is_declared(parameter, foreign) or reach.words.issuperset(parameter.key.split("."))

    return [parameter for parameter in changed if is_read(parameter)]


def _is_declared(parameter: ChangedParameter, declared: set[tuple[str, str]]) -> bool:
    parts = parameter.key.split(".")
    names = {"", *(".".join(parts[:end]) for end in range(1, len(parts) + 1))}
    is_inside = any(file == parameter.file and key.startswith(f"{parameter.key}.") for file, key in declared)
    return is_inside or any((parameter.file, name) in declared for name in names)


def _list_declared(stage: WrittenStage) -> Iterator[tuple[str, str]]:
    """Yield file and key of each parameter that a stage declares; an empty key stands for the whole file."""
    entries = stage.body.get("params")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, Mapping):
            yield stage.place(PARAMETERS), str(entry)
            continue
        for file, keys in entry.items():
            yield from ((stage.place(str(file)), str(key)) for key in (keys if isinstance(keys, list) else ("",)))


def _read(file: str, text: str | None) -> dict[str, Any] | None:
    try:
        content = {} if text is None else _parse(file, text)
    except (ConfigurationError, ValueError, RecursionError):
        return None
    return dict(_flatten(content)) if isinstance(content, Mapping) else None


def _parse(file: str, text: str) -> Any:
    match posixpath.splitext(file)[1].lower():
        case ".json":
            return json.loads(text)
        case ".toml":
            return tomllib.loads(text)
        case ".yaml" | ".yml":
            return read_document(text, file).value or {}
    raise ValueError(f"{file} is code")


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flatten(part, f"{name}.{key}" if name else str(key))
    elif name:
        yield name, value


def locate_parameters(checkout: Checkout, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes, those of parameters with their line in the candidate's file, where it has one."""
    lines: dict[str, _Lines] = {}
    return tuple(_locate(change, checkout, lines) if change.kind == "parameter" else change for change in changes)


def _locate(change: Change, checkout: Checkout, lines: dict[str, _Lines]) -> Change:
    file, _, key = change.name.rpartition(":")
    path = file or PARAMETERS
    if path not in lines:
        lines[path] = _read_lines(checkout, path)
    line = lines[path].get(tuple(key.split(".")))
    if line is None:
        return change
    return change.model_copy(update={"location": Location(path=checkout.prefix + path, line=line)})


def find_line(checkout: Checkout, parameter: ChangedParameter) -> Location:
    """Return where the candidate writes a parameter; the file's first line where it does not."""
    line = _read_lines(checkout, parameter.file).get(tuple(parameter.key.split(".")), 1)
    return Location(path=join_paths(checkout.prefix, parameter.file), line=line)


def _read_lines(checkout: Checkout, path: str) -> _Lines:
    try:
        return read_document((checkout.directory / path).read_text(encoding="utf-8"), path).lines
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return {}  # parameters in JSON, TOML or Python, or broken YAML, have no lines
