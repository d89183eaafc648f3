"""Judges a stored model on given data, without training: `evaluation` of metricgate.yaml."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.environment import prepare_environment
from metricgate.execution.file_copies import Holder, lend_files, open_folder
from metricgate.execution.production import list_overrides
from metricgate.execution.session import explain_missing_module
from metricgate.execution.work_tree import ProduceOptions, Site
from metricgate.models.snapshot import Unreadable
from metricgate.processes.owner import may_read
from metricgate.processes.progress import Progress
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import EvaluationSpec, Policy


@dataclass(frozen=True, kw_only=True)
class EvaluationCase:
    """Whose model is judged on whose data. ``data_path``: where the data lies, if elsewhere than at the model's.

    The model is one that was committed: for the checkout, the last commit's.
    """

    model: Holder
    data: Holder
    data_path: str | None = None


def evaluate_model(
    checkout: Checkout,
    case: EvaluationCase,
    policy: Policy,
    options: ProduceOptions,
    *,
    progress: Progress,
    logs: Path,
) -> Mapping[str, Path | Unreadable]:
    """Run the policy's evaluation command in a work tree of the model's revision, on the other revision's data.

    The code and the policy are the model's own, for they know the features. Whether a row was trained on is not asked
    here.

    Returns
    -------
    The prediction sets by name, as in a snapshot; their files lie under ``options.scratch``.

    Raises
    ------
    ConfigurationError
        If the policy has no ``evaluation``.
    WorkspaceError
        If model or data cannot be had, or the command fails.
    """
    spec = policy.evaluation
    if spec is None:
        raise ConfigurationError(
            "metricgate.yaml does not say how to evaluate a stored model.",
            expected="`evaluation:` with `command`, `model` and `data`.",
            fix="add `evaluation: {command: python src/evaluate.py, model: models/model.pkl, data: data/test.csv}`.",
        )
    revision = case.model.revision or checkout.head_sha
    with (
        progress.step(f"Evaluate the model of {revision[:9]}"),
        checkout.worktree(revision) as directory,
    ):
        site = Site(
            directory=directory,
            files=options.scratch / f"evaluation-{revision[:12]}",
            logs=logs,
            name="evaluation",
            progress=progress,
            owner=checkout.owner,
            shares_with=checkout.directory,
        )
        written = (spec.model, spec.data, *(entry.path for entry in policy.prediction_sets.values()))
        for name in written:
            _require_inside(directory, checkout.prefix, name)
        _place_files(checkout, case, spec, site, options)
        for entry in policy.prediction_sets.values():
            site.make_folder((directory / entry.path).parent)
            # A file in Git would be taken for what the command wrote.
            (directory / entry.path).unlink(missing_ok=True)
        _run(site, spec, options)
        return {name: _keep(site, entry.path) for name, entry in policy.prediction_sets.items()}


def _require_inside(directory: Path, prefix: str, name: str) -> None:
    """Refuse a path whose replacement would change what lies outside the work tree, through a link say."""
    top = directory.parents[len(Path(prefix).parts) - 1] if prefix else directory
    path = directory / name
    leads_out = Path(name).is_absolute() or not path.parent.resolve().is_relative_to(top.resolve())
    if leads_out or path.name in {"", ".."} or directory.resolve().is_relative_to(path.resolve()):
        raise WorkspaceError(
            f"{name} leads out of the repository, or is the project itself.",
            expected="files and folders of the project, which are put into a work tree of its own and never elsewhere.",
            fix="correct `evaluation` and `predictions` in metricgate.yaml: paths relative to the project, through no link.",
        )


def _place_files(
    checkout: Checkout, case: EvaluationCase, spec: EvaluationSpec, site: Site, options: ProduceOptions
) -> None:
    """Put the model, and the other revision's data, where the command looks for them."""
    model = {spec.model: site.directory / spec.model}
    overrides = list_overrides(options.pipeline)
    lend_files(checkout, site, case.model, model, timeout_s=options.timeout_s, overrides=overrides)
    with open_folder(checkout, case.data) as directory:
        data = {case.data_path or spec.data: site.directory / spec.data}
        lend_files(checkout, replace(site, directory=directory), case.data, data, timeout_s=options.timeout_s)


def _run(site: Site, spec: EvaluationSpec, options: ProduceOptions) -> None:
    environment = prepare_environment(site, options)
    ended = site.run(spec.command, log="command", timeout_s=options.timeout_s, environment=environment)
    if ended.returncode != 0:
        raise WorkspaceError(
            f"The evaluation command ended with exit code {ended.returncode}: {spec.command}",
            expected="a command that reads model and data and writes the predictions.",
            fix=explain_missing_module(ended.output) or "run it on your machine and repair it.",
            details=ended.output,
        )


def _keep(site: Site, path: str) -> Path | Unreadable:
    source, target = site.directory / path, site.files / "predictions" / path
    if not source.is_file():
        return Unreadable(what=path, reason="the evaluation command did not write it", missing=True)
    if not may_read(source, site.owner):
        return Unreadable(what=path, reason="it leads to a file that the checkout's owner may not read")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target
