"""What a change edits in Git: sources of the pipeline, parameters, the code that evaluates, the workflow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.models.result import Change, Location, Warning_
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import OUTPUT_KEYS, list_paths, read_stages
from metricgate.settings.document import read_document
from metricgate.settings.policy import Policy

WORKFLOWS = ".github/"
PARAMETERS = "params.yaml"
MAX_NAMED = 5
_Lines = Mapping[tuple[str | int, ...], int]


@dataclass(frozen=True, kw_only=True)
class ChangedSources:
    """The changed files that matter: as changes to list, and as warnings that a reader must not miss."""

    sources: tuple[Change, ...]
    warnings: tuple[Warning_, ...]


def find_changed_sources(checkout: Checkout, baseline: str, policy: Policy) -> ChangedSources:
    """Return the files that differ from the commit ``baseline`` and may change the verdict."""
    changed = set(checkout.changed_files(baseline))
    stages = read_stages(checkout.directory)
    predictions = {spec.path for spec in policy.prediction_sets.values()}
    judging = [stage for stage in stages if predictions & set(list_paths(stage, *OUTPUT_KEYS))]
    sources = changed & {checkout.prefix + path for path in _list_sources(stages, stages)}
    evaluation = changed & {checkout.prefix + path for path in _list_sources(judging, stages)}
    return ChangedSources(
        sources=tuple(Change(kind="source", name=path) for path in sorted(sources)),
        warnings=(
            *_warn("workflow_changed", "the workflow", [path for path in changed if path.startswith(WORKFLOWS)]),
            *_warn("evaluation_changed", "the evaluation code", evaluation),
        ),
    )


def _list_sources(stages: Iterable[Mapping[str, Any]], pipeline: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the dependencies of the stages that no stage of the pipeline writes."""
    written = {out.rstrip("/") for stage in pipeline for out in list_paths(stage, *OUTPUT_KEYS)}
    dependencies = {dep for stage in stages for dep in list_paths(stage, "deps")}
    return {dep for dep in dependencies if not any(dep == out or dep.startswith(f"{out}/") for out in written)}


def _warn(code: str, what: str, files: Iterable[str]) -> tuple[Warning_, ...]:
    listed = sorted(files)
    if not listed:
        return ()
    more = f" and {len(listed) - MAX_NAMED} more" if len(listed) > MAX_NAMED else ""
    return (Warning_(code=code, text=f"This change edits {what}: {', '.join(listed[:MAX_NAMED])}{more}."),)


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


def _read_lines(checkout: Checkout, path: str) -> _Lines:
    try:
        return read_document((checkout.directory / path).read_text(encoding="utf-8"), path).lines
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return {}  # parameters in JSON, TOML or Python, or broken YAML, have no lines
