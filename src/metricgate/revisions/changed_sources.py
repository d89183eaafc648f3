"""What a change touches in Git: sources of the pipeline, the code that evaluates, the workflow that runs us."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.models.result import Change, Location, Warning_
from metricgate.revisions.checkout import Checkout
from metricgate.settings.document import read_document
from metricgate.settings.policy import Policy

WORKFLOWS = ".github/"
PARAMETERS = "params.yaml"
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Touched:
    """The changed files that matter: as changes to list, and as warnings a reader must not miss."""

    sources: tuple[Change, ...]
    warnings: tuple[Warning_, ...]


def find_touched_files(checkout: Checkout, baseline: str, policy: Policy) -> Touched:
    """Sort the files that differ from the commit ``baseline`` by what they mean for the verdict."""
    changed = set(checkout.changed_files(baseline))
    stages = read_stages(checkout)
    predictions = {spec.path for spec in policy.prediction_sets.values()}
    judging = [stage for stage in stages if predictions & set(list_paths(stage, "outs", "metrics", "plots"))]
    sources = changed & {checkout.prefix + path for path in _sources(stages, stages)}
    evaluation = changed & {checkout.prefix + path for path in _sources(judging, stages)}
    return Touched(
        sources=tuple(Change(kind="source", name=path) for path in sorted(sources)),
        warnings=(
            *_warn("workflow_changed", "the workflow", [path for path in changed if path.startswith(WORKFLOWS)]),
            *_warn("evaluation_changed", "code that the evaluation consists of", evaluation),
        ),
    )


def locate_parameters(checkout: Checkout, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Give each changed parameter its line in the candidate's file, where it has one."""
    lines: dict[str, Mapping[tuple[str | int, ...], int]] = {}
    return tuple(_locate(change, checkout, lines) if change.kind == "parameter" else change for change in changes)


def _locate(change: Change, checkout: Checkout, lines: dict[str, Mapping[tuple[str | int, ...], int]]) -> Change:
    file, _, key = change.name.rpartition(":")
    path = file or PARAMETERS
    if path not in lines:
        lines[path] = _read_lines(checkout, path)
    line = lines[path].get(tuple(key.split(".")))
    if line is None:
        return change
    return change.model_copy(update={"location": Location(path=checkout.prefix + path, line=line)})


def _read_lines(checkout: Checkout, path: str) -> Mapping[tuple[str | int, ...], int]:
    try:
        return read_document((checkout.directory / path).read_text(encoding="utf-8"), path).lines
    except (OSError, UnicodeDecodeError, ConfigurationError):
        # Parameters may stand in JSON, TOML or Python too; there, and in what is no YAML, no line is pointed at.
        return {}


def _warn(code: str, what: str, files: Iterable[str]) -> tuple[Warning_, ...]:
    listed = sorted(files)
    if not listed:
        return ()
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return (Warning_(code=code, text=f"This change edits {what}: {', '.join(listed[:SHOWN])}{more}."),)


def read_stages(checkout: Checkout) -> list[Mapping[str, Any]]:
    """Read the stages of dvc.yaml; none where there is no such file, or nobody can read it."""
    try:
        text = (checkout.directory / "dvc.yaml").read_text(encoding="utf-8")
        pipeline = read_document(text, "dvc.yaml").value
    except (OSError, UnicodeDecodeError, ConfigurationError):
        # That the pipeline is broken is what DVC's own error, and then the report, is about.
        return []
    stages = pipeline.get("stages") if isinstance(pipeline, Mapping) else None
    return [stage for stage in stages.values() if isinstance(stage, Mapping)] if isinstance(stages, Mapping) else []


def _sources(stages: Iterable[Mapping[str, Any]], pipeline: Iterable[Mapping[str, Any]]) -> set[str]:
    """Give what the stages depend on that no stage of the pipeline makes."""
    made = {out.rstrip("/") for stage in pipeline for out in list_paths(stage, "outs", "metrics", "plots")}
    dependencies = {dep for stage in stages for dep in list_paths(stage, "deps")}
    return {dep for dep in dependencies if not any(dep == out or dep.startswith(f"{out}/") for out in made)}


def list_paths(stage: Mapping[str, Any], *keys: str) -> Iterable[str]:
    """Yield the paths that a stage of dvc.yaml lists under the keys."""
    for key in keys:
        entries = stage.get(key)
        if isinstance(entries, list):
            for entry in entries:
                # A path, or a mapping from the path to its options.
                yield from map(str, entry if isinstance(entry, Mapping) else [entry])
