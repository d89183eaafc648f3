"""What a change touches that decides how it is judged: the code that evaluates, and the workflow that runs us."""

from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from metricgate.models.result import Warning_
from metricgate.settings.policy import Policy
from metricgate.workspace.checkout import Checkout

WORKFLOWS = ".github/"
SHOWN = 5


def warn_of_touched_files(checkout: Checkout, baseline: str, policy: Policy) -> tuple[Warning_, ...]:
    """Name the files among the changes since ``baseline`` that the evaluation or the workflow consist of."""
    changed = set(checkout.changed_files(baseline))
    evaluation = {checkout.prefix + path for path in _evaluation_sources(checkout, policy)}
    return (
        *_warn("workflow_changed", "the workflow", [path for path in changed if path.startswith(WORKFLOWS)]),
        *_warn("evaluation_changed", "code that the evaluation consists of", changed & evaluation),
    )


def _warn(code: str, what: str, files: Iterable[str]) -> tuple[Warning_, ...]:
    listed = sorted(files)
    if not listed:
        return ()
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return (Warning_(code=code, text=f"This change edits {what}: {', '.join(listed[:SHOWN])}{more}."),)


def _evaluation_sources(checkout: Checkout, policy: Policy) -> set[str]:
    """Give the files in Git that the stages depend on which write predictions; empty without a dvc.yaml."""
    path = checkout.directory / "dvc.yaml"
    try:
        pipeline = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError):
        # The pipeline itself ran, or its failure is what the report is about.
        return set()
    stages = pipeline.get("stages") if isinstance(pipeline, Mapping) else None
    if not isinstance(stages, Mapping):
        return set()
    described = [stage for stage in stages.values() if isinstance(stage, Mapping)]
    predictions = {spec.path for spec in policy.prediction_sets.values()}
    made = {out for stage in described for out in _paths(stage, "outs", "metrics", "plots")}
    judging = [stage for stage in described if predictions & set(_paths(stage, "outs", "metrics", "plots"))]
    return {dep for stage in judging for dep in _paths(stage, "deps") if not _is_made(dep, made)}


def _is_made(path: str, made: set[str]) -> bool:
    return any(path == out or path.startswith(f"{out.rstrip('/')}/") for out in made)


def _paths(stage: Mapping[str, Any], *keys: str) -> Iterable[str]:
    for key in keys:
        entries = stage.get(key)
        if isinstance(entries, list):
            for entry in entries:
                # A path, or a mapping from the path to its options.
                yield from map(str, entry if isinstance(entry, Mapping) else [entry])
