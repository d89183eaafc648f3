"""Predictions of stored models, where the policy names a model and data and no command that judges them."""

import hashlib
import json
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.file_copies import FileOrigin, FileUnavailableError, copy_out, open_folder
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.snapshots import SnapshotSet
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Snapshot, Unreadable
from metricgate.predictions.column_roles import LABEL_NAMES
from metricgate.processes.owner import may_read
from metricgate.settings.policy import EvaluationSpec, PipelineSpec, Policy, PredictionsSpec
from metricgate.settings.selection import PolicyChoice

_SCRIPT = Path(__file__).with_name("score_model.py")
_EXPECTED = "a model with scikit-learn's interface, and a table with the columns that it reads and its label."


@dataclass(frozen=True, kw_only=True)
class ScoredModel:
    """A stored model that works here: its `evaluation:`, what the columns of its answers mean, and their file."""

    evaluation: EvaluationSpec
    columns: PredictionsSpec
    file: Path


def score_models(context: RunContext, choice: PolicyChoice, snapshots: SnapshotSet) -> tuple[PolicyChoice, SnapshotSet]:
    """Return the snapshots with the predictions of their stored models, and the policies that name their columns.

    Each model is loaded in the project's own Python, by its owner, with the code of its own revision. Nothing is
    trained. A baseline without the model has no predictions.

    Raises
    ------
    WorkspaceError
        If a model cannot be loaded, or cannot score its data.
    """
    own, before = choice.candidate, choice.baseline
    candidate_spec = baseline_spec = None
    if own.scoring is not None:
        origin = FileOrigin.of_candidate(context.checkout, snapshots.candidate, own.pipeline)
        candidate, candidate_spec = _score(context, "candidate", origin, own, snapshots.candidate)
        snapshots = replace(snapshots, candidate=candidate)
    if before.scoring is not None:
        if snapshots.baseline is not None:
            baseline, baseline_spec = _score_earlier(context, "baseline", before, snapshots.baseline)
            snapshots = replace(snapshots, baseline=baseline)
        if snapshots.anchor is not None:
            snapshots = replace(snapshots, anchor=_score_earlier(context, "anchor", before, snapshots.anchor)[0])
    return choice.name_predictions(candidate=candidate_spec, baseline=baseline_spec), snapshots


def _score_earlier(
    context: RunContext, side: str, policy: Policy, snapshot: Snapshot
) -> tuple[Snapshot, PredictionsSpec]:
    try:
        return _score(context, side, FileOrigin.of_baseline(snapshot), policy, snapshot)
    except FileUnavailableError as error:
        spec = policy.judged_sets[""]
        lost = Unreadable(what=spec.path, reason=error.what, missing=True)
        return replace(snapshot, predictions=MappingProxyType({"": lost})), spec


def _score(
    context: RunContext, side: str, origin: FileOrigin, policy: Policy, snapshot: Snapshot
) -> tuple[Snapshot, PredictionsSpec]:
    spec = policy.scoring
    assert spec is not None  # noqa: S101  # asked only then
    checkout = context.checkout
    with context.progress.step(f"Score the {side}'s model"), open_folder(checkout, origin) as directory:
        tree = WorkTree(
            context=context,
            directory=directory,
            files=context.scratch / f"scoring-{side}",
            name=f"{side}-scoring",
            shares_with=None if directory == checkout.directory else checkout.directory,
        )
        folder = tree.make_folder(tree.make_folder(tree.files) / "scored")
        places = {path: folder / kind / Path(path).name for kind, path in (("model", spec.model), ("data", spec.data))}
        copy_out(tree, origin, places, timeout_s=context.timeout_s)
        found = _run(tree, folder, policy.pipeline, spec, places)
        result = context.scratch / f"{side}-scored" / "predictions.csv"
        result.parent.mkdir(parents=True)
        shutil.copyfile(_require_readable(tree, folder / "predictions.csv"), result)
    return replace(snapshot, predictions=MappingProxyType({"": result})), _name_columns(policy, found)


def try_model(context: RunContext, pipeline: PipelineSpec, asked: EvaluationSpec) -> ScoredModel:
    """Load the stored model of the checkout as a run would, and score the data; nothing is fetched.

    Without a label, label and id are found among the columns that the model does not read.

    Raises
    ------
    WorkspaceError
        If the model cannot be loaded or cannot score the data, or the columns do not tell.
    """
    directory = context.checkout.directory
    name = hashlib.sha256(asked.model.encode()).hexdigest()[:8]
    tree = WorkTree(context=context, directory=directory, files=context.scratch / name, name=name)
    folder = tree.make_folder(tree.make_folder(tree.files) / "scored")
    found = _run(tree, folder, pipeline, asked, {path: directory / path for path in (asked.model, asked.data)})
    spec = asked if asked.label else _complete(asked, found)
    file = _require_readable(tree, folder / "predictions.csv")
    return ScoredModel(evaluation=spec, columns=_name_columns(Policy(evaluation=spec), found), file=file)


def _complete(asked: EvaluationSpec, found: Mapping[str, Any]) -> EvaluationSpec:
    ids = found.get("id")
    roles = {"label": str(found.get("label")), "id": list(map(str, ids)) if isinstance(ids, list) else []}
    return EvaluationSpec.model_validate({"model": asked.model, "data": asked.data, **roles})


def _run(
    tree: WorkTree, folder: Path, pipeline: PipelineSpec, spec: EvaluationSpec, places: dict[str, Path]
) -> dict[str, Any]:
    request = {
        "model": str(places[spec.model]),
        "data": str(places[spec.data]),
        "label": spec.label,
        "label_names": LABEL_NAMES,
        "id": list(spec.id),
        "slices": list(spec.slices),
        "features": list(spec.features),
        "predictions": str(folder / "predictions.csv"),
        "found": str(folder / "found.json"),
    }
    script, asked = tree.context.scratch / "score_model.py", tree.context.scratch / f"{tree.name}.json"
    shutil.copyfile(_SCRIPT, script)  # MetricGate's own folder may be out of the owner's reach
    asked.write_text(json.dumps(request), encoding="utf-8")
    for path in (script, asked):
        path.chmod(0o644)
    command = ShellCommand(
        text=f"python {shlex.quote(str(script))} {shlex.quote(str(asked))}",
        title="Scoring the stored model",
        expected=_EXPECTED,
    )
    executor: Executor = LocalExecutor()
    try:
        with executor.start(Job(tree=tree, pipeline=pipeline, code=command)) as running:
            running.wait()
    except WorkspaceError as error:
        if problem := _read_found(tree, folder).get("problem"):
            raise WorkspaceError(
                f"{spec.model} on {spec.data}: {problem}.",
                expected=_EXPECTED,
                fix="correct `evaluation` in metricgate.yaml, or name `pipeline: {requirements: …}` for its modules.",
                details=error.details,
                topic="the-stored-model-cannot-be-scored",
            ) from error
        raise
    return _read_found(tree, folder)


def _read_found(tree: WorkTree, folder: Path) -> dict[str, Any]:
    path = folder / "found.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(_require_readable(tree, path).read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _require_readable(tree: WorkTree, path: Path) -> Path:
    """Return the path; refuse a link that the model's code left in its place, to what only MetricGate may read."""
    if path.is_symlink() or not path.is_file() or not may_read(path, tree.owner):
        raise WorkspaceError(
            "Scoring the stored model wrote no predictions.",
            expected=_EXPECTED,
            fix="look at the log of the scoring.",
            topic="the-stored-model-cannot-be-scored",
        )
    return path


def _name_columns(policy: Policy, found: dict[str, Any]) -> PredictionsSpec:
    spec = policy.judged_sets[""]
    roles, classes = found.get("roles"), found.get("classes")
    if not isinstance(roles, dict) or not isinstance(classes, list):
        raise ConfigurationError(
            "The stored model's answers have no columns.",
            expected=_EXPECTED,
            fix="correct `evaluation`.",
            topic="the-model-has-no-answers",
        )
    several = {name: roles[f"p_{name}"] for name in classes if f"p_{name}" in roles} if len(classes) > 2 else {}
    return spec.model_copy(
        update={
            "prediction": roles.get("prediction"),
            "score": roles.get("score"),
            "scores": several or None,
            "positive": found.get("positive"),
            "task": "multiclass" if len(classes) > 2 else "binary" if classes else "regression",
        }
    )
