"""How two revisions' pipelines differ as they are written: stages of dvc.yaml, and their results in dvc.lock."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metricgate.errors import ConfigurationError
from metricgate.revisions.dvc_yaml import (
    DVC_YAML,
    ReadText,
    WrittenStage,
    parse_dvc_yaml,
    read_written_stages,
)

DVC_LOCK = "dvc.lock"
EVERY = "*"
_NEW = " is new"
_STAGE = re.compile(r"^  (\S.*?):\s*$")
_SECTION = re.compile(r"^    (\w+):")
_NOT_TOLD = {"desc", "meta"}  # what people write for people


@dataclass(frozen=True, kw_only=True)
class PipelineChanges:
    """What differs: ``told`` in words, one for each stage; ``edited``: the stages with another definition.

    Stages have the names that reports use; ``*`` at the end of one stands for all of that dvc.yaml.
    """

    told: tuple[str, ...]
    edited: frozenset[str]


def compare_pipelines(files: Iterable[str], before: ReadText, after: ReadText) -> PipelineChanges:
    """Compare the dvc.yaml ``files`` of two revisions."""
    told: list[str] = []
    edited: set[str] = set()
    for file in sorted(files):
        old, new = read_written_stages(file, before), read_written_stages(file, after)
        if old is None or new is None:
            told.append(f"{file} (too large or broken to be compared)")
            edited.add(_name(posixpath.dirname(file), EVERY))
            continue
        was_there, is_there = before(file) is not None, after(file) is not None
        if was_there and not is_there:
            stages = ", ".join(stage.name for stage in old)
            told.append(f"{file} is gone" + (f", with {stages}" if stages else ""))
            continue
        told += _compare_stages(old, new, edited)
        told += _compare_top(file, before, after)
    # New stages last: a dozen of them must not push a swapped command out of the sentence.
    return PipelineChanges(told=tuple(sorted(told, key=lambda words: words.endswith(_NEW))), edited=frozenset(edited))


def _compare_stages(old: list[WrittenStage], new: list[WrittenStage], edited: set[str]) -> Iterable[str]:
    before, after = {stage.full_name: stage for stage in old}, {stage.full_name: stage for stage in new}
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"stage {name} is gone"
        elif name not in before:
            edited.add(name)
            yield f"stage {name}{_NEW}"
        elif keys := _differing_keys(before[name], after[name]):
            edited.add(name)
            yield f"stage {name} ({', '.join(keys)})"


def _differing_keys(before: WrittenStage, after: WrittenStage) -> list[str]:
    old, new = _flatten(before), _flatten(after)
    return [key for key in sorted({*old, *new}) if old.get(key) != new.get(key) and key not in _NOT_TOLD]


def _flatten(stage: WrittenStage) -> Mapping[str, object]:
    loop = {key: value for key, value in stage.definition.items() if key != "do"}
    return loop | dict(stage.body)


def _compare_top(file: str, before: ReadText, after: ReadText) -> Iterable[str]:
    """Yield what differs outside the stages: metrics, params, plots, vars."""
    old, new = (_read_top(read(file)) for read in (before, after))
    for key in sorted({*old, *new} - {"stages"}):
        if old.get(key) != new.get(key):
            yield f"{key} of {file}"


def _read_top(text: str | None) -> Mapping[str, object]:
    try:
        return {} if text is None else parse_dvc_yaml(text)
    except ConfigurationError:
        return {}


def _name(folder: str, stage: str) -> str:
    return f"{folder}/{DVC_YAML}:{stage}" if folder else stage


def list_recorded(files: Iterable[str], before: ReadText, after: ReadText) -> dict[str, bool]:
    """Return the stages whose entries in dvc.lock differ, and of each, whether both its inputs and its results do.

    Results that changed alone, or stayed while all else changed, were probably not made by this pipeline.
    """
    found: dict[str, bool] = {}
    for file in files:
        folder = posixpath.dirname(file)
        old, new = _split_lock(before(file)), _split_lock(after(file))
        changed = {
            name: _without_results(old.get(name, {})) != _without_results(sections)
            and old.get(name, {}).get("outs") != sections.get("outs")
            for name, sections in new.items()
            if old.get(name, {}) != sections
        }
        if not new and after(file):
            # Not as DVC writes it: every stage's results may be other ones.
            changed = {EVERY: False}
        found |= {_name(folder, name): value for name, value in changed.items()}
    return found


def _without_results(sections: Mapping[str, str]) -> Mapping[str, str]:
    return {key: text for key, text in sections.items() if key != "outs"}


def _split_lock(text: str | None) -> dict[str, dict[str, str]]:
    """Return the text of each section (cmd, deps, params, outs) of each stage, in the form in which DVC writes them."""
    found: dict[str, dict[str, str]] = {}
    sections: dict[str, str] | None = None
    key = ""
    for line in (text or "").splitlines():
        if not line.startswith(" "):
            sections = None
        elif stage := _STAGE.match(line):
            sections = found.setdefault(stage[1].strip("'\""), {})
        elif sections is not None:
            section = _SECTION.match(line)
            key = section[1] if section else key
            sections[key] = f"{sections.get(key, '')}{line}\n"
    return found
