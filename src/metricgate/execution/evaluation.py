"""Evaluates a stored model on given data, without training: `evaluation` of metricgate.yaml."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.file_copies import FileOrigin, copy_out, open_folder
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.production import list_overrides, list_predictions
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Unreadable
from metricgate.processes.owner import may_read
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import list_paths, read_stages
from metricgate.settings.policy import EvaluationSpec, Policy

TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".feather")
_PLACEHOLDERS = {
    "command": "python src/evaluate.py",
    "model": "models/model.pkl",
    "data": "data/test.csv",
    "train": "data/train.csv",
}
_MADE = ("outs", "metrics", "plots")


@dataclass(frozen=True, kw_only=True)
class EvaluationCase:
    """The origins of a model and of data. ``data_path``: the data's path at its origin, if not the one at the model's.

    The model is a committed one: for the checkout, the last commit's.
    """

    model: FileOrigin
    data: FileOrigin
    data_path: str | None = None


def evaluate_model(context: RunContext, case: EvaluationCase, policy: Policy) -> Mapping[str, Path | Unreadable]:
    """Run the policy's evaluation command in a work tree of the model's revision, on the other revision's data.

    Code and policy are those of the model's revision, for they know its features. Rows that the model was trained on
    are not excluded here.

    Returns
    -------
    The prediction sets by name, as in a snapshot; their files lie under ``context.scratch``.

    Raises
    ------
    ConfigurationError
        If the policy has no ``evaluation``.
    WorkspaceError
        If model or data are not available, or the command fails.
    """
    spec = policy.evaluation
    if spec is None or spec.command is None:
        raise ConfigurationError(
            "metricgate.yaml does not say how to evaluate a stored model.",
            expected="`evaluation:` with `command`, `model` and `data`.",
            fix="add `evaluation: {command: python src/evaluate.py, model: models/model.pkl, data: data/test.csv}`.",
            topic="the-policy-does-not-say-how-to-evaluate",
        )
    checkout = context.checkout
    revision = case.model.revision or checkout.head_sha
    with (
        context.progress.step(f"Evaluate the model of {revision[:9]}"),
        checkout.worktree(revision) as directory,
    ):
        tree = WorkTree(
            context=context,
            directory=directory,
            files=context.scratch / f"evaluation-{revision[:12]}",
            name="evaluation",
            shares_with=checkout.directory,
        )
        for name in (spec.model, spec.data, *list_predictions(policy)):
            _require_inside(directory, checkout.prefix, name)
        _place_files(tree, case, spec, policy)
        for path in list_predictions(policy):
            tree.make_folder((directory / path).parent)
            # A file in Git would be taken for what the command wrote.
            (directory / path).unlink(missing_ok=True)
        command = ShellCommand(
            text=spec.command,
            title="The evaluation command",
            expected="a command that reads model and data and writes the predictions.",
        )
        executor: Executor = LocalExecutor()
        with executor.start(Job(tree=tree, pipeline=policy.pipeline, code=command)) as running:
            running.wait()
        return {name: _keep(tree, entry.path) for name, entry in policy.prediction_sets.items()}


def _require_inside(directory: Path, prefix: str, name: str) -> None:
    """Refuse a path whose replacement would change what lies outside the work tree, for example through a link."""
    top = directory.parents[len(Path(prefix).parts) - 1] if prefix else directory
    path = directory / name
    leads_out = Path(name).is_absolute() or not path.parent.resolve().is_relative_to(top.resolve())
    if leads_out or path.name in {"", ".."} or directory.resolve().is_relative_to(path.resolve()):
        raise WorkspaceError(
            f"{name} leads out of the repository, or is the project itself.",
            expected="files and folders of the project, which are put into a work tree of its own and never elsewhere.",
            fix="correct `evaluation` and `predictions` in metricgate.yaml: paths relative to the project, without links.",
            topic="a-path-leads-out-of-the-repository",
        )


def _place_files(tree: WorkTree, case: EvaluationCase, spec: EvaluationSpec, policy: Policy) -> None:
    """Put the model, and the other revision's data, where the command looks for them."""
    timeout_s, overrides = tree.context.timeout_s, list_overrides(policy.pipeline)
    model = {spec.model: tree.directory / spec.model}
    copy_out(tree, case.model, model, timeout_s=timeout_s, overrides=overrides)
    with open_folder(tree.context.checkout, case.data) as directory:
        data = {case.data_path or spec.data: tree.directory / spec.data}
        copy_out(replace(tree, directory=directory), case.data, data, timeout_s=timeout_s)


def _keep(tree: WorkTree, path: str) -> Path | Unreadable:
    source, target = tree.directory / path, tree.files / "predictions" / path
    if not source.is_file():
        return Unreadable(what=path, reason="the evaluation command did not write it", missing=True)
    if not may_read(source, tree.owner):
        return Unreadable(what=path, reason="it leads to a file that the checkout's owner may not read")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def suggest_evaluation(checkout: Checkout, policy: Policy) -> str:
    """Return the `evaluation:` that the policy lacks, in YAML; empty where it is complete.

    What neither the policy nor dvc.yaml tells is an example, and is marked as one.
    """
    own = policy.evaluation
    if own is not None and own.train:
        return ""
    stages = read_stages(checkout.directory)
    predictions = {spec.path for spec in policy.prediction_sets.values()}
    judging = next((stage for stage in stages if predictions & set(list_paths(stage, *_MADE))), {})
    found = {"command": _find_command(judging), **_find_files(judging, stages)}
    if own is not None:
        found |= {"command": own.command or "", "model": own.model, "data": own.data}
    lines = [f"  {key}: {found[key] or f'{example}  # example: name yours'}" for key, example in _PLACEHOLDERS.items()]
    return "\n".join(["evaluation:  # judges a stored model on given data, without training", *lines])


def _find_command(stage: Mapping[str, Any]) -> str:
    command = stage.get("cmd")
    is_plain = isinstance(command, str) and command.isprintable() and not set(command) & set("${}#:'\"")
    return str(command) if is_plain else ""


def _find_files(judging: Mapping[str, Any], stages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return model and test data, which the judging stage reads, and training data, which the model's stage reads."""
    read = list(list_paths(judging, "deps"))
    made = [(out.rstrip("/"), stage) for stage in stages for out in list_paths(stage, *_MADE)]
    models = (
        (path, stage)
        for path in read
        for out, stage in made
        if (path == out or path.startswith(f"{out}/")) and not path.endswith(TABLES)
    )
    model, training = next(models, ("", {}))
    train = list(list_paths(training, "deps"))
    return {
        "model": _as_scalar(model),
        "data": _as_scalar(_find_table(read, "test")),
        "train": _as_scalar(_find_table(train, "train")),
    }


def _find_table(paths: Iterable[str], word: str) -> str:
    """Return the path of a table, one with ``word`` in its name first."""
    tables = [path for path in paths if path.endswith(TABLES)]
    return next((path for path in tables if word in PurePosixPath(path).name.lower()), next(iter(tables), ""))


def _as_scalar(path: str) -> str:
    """Return a path that needs no quotes in YAML; empty for any other, and for a template."""
    plain = all(character.isalnum() or character in "._-/" for character in path)
    return path if plain and not path.startswith(("-", ".")) else ""
