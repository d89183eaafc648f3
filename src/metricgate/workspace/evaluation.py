"""Judges a stored model on given data, without training: `evaluation` of metricgate.yaml."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.models.snapshot import Unreadable
from metricgate.processes.progress import Progress
from metricgate.settings.policy import EvaluationSpec, Policy
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.messages import Request
from metricgate.workspace.requirements import prepare_environment
from metricgate.workspace.session import ask_worker, explain_missing_module
from metricgate.workspace.site import ProduceOptions, Site


@dataclass(frozen=True, kw_only=True)
class EvaluationCase:
    """Which model is judged on which data: two revisions, by their SHAs."""

    model_revision: str
    data_revision: str


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

    The code is the model's own, for it knows the features. Whether a row was trained on is not asked here.

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
            "metricgate.yaml does not say how a stored model is judged.",
            expected="`evaluation:` with command, model and data.",
            fix="add `evaluation: {command: python src/evaluate.py, model: models/model.pkl, data: data/test.csv}`.",
        )
    folder = options.scratch / f"evaluation-{case.model_revision[:12]}-{case.data_revision[:12]}"
    with (
        progress.step(f"Evaluate {case.model_revision[:9]} on the data of {case.data_revision[:9]}"),
        checkout.worktree(case.model_revision) as directory,
    ):
        site = Site(
            directory=directory,
            files=folder,
            logs=logs,
            name="evaluation",
            progress=progress,
            owner=checkout.owner,
            shares_with=checkout.directory,
        )
        _place(checkout, site, spec.model, case.model_revision, options)
        _place(checkout, site, spec.data, case.data_revision, options)
        _run(site, spec, options)
        return {name: _keep(directory, folder, entry.path) for name, entry in policy.prediction_sets.items()}


def _place(checkout: Checkout, site: Site, path: str, revision: str, options: ProduceOptions) -> None:
    """Put a file as it is at ``revision`` into the work tree."""
    request = Request(
        action="inspect",
        directory=str(checkout.directory),
        revision=revision,
        predictions=(path,),
        files=str(site.make_folder(site.files / revision[:12])),
    )
    answer = ask_worker(
        request,
        progress=site.progress,
        log=site.logs / "evaluation-files.log",
        owner=site.owner,
        timeout_s=options.timeout_s,
    )
    content = None
    if answer.project and answer.predictions[0].local is not None:
        content = Path(answer.predictions[0].local).read_bytes()
    elif not answer.project:
        content = checkout.read_bytes(revision, path)
    if content is None:
        problem = answer.predictions[0].problem if answer.predictions else f"{path} is not in Git"
        raise WorkspaceError(
            f"{path} cannot be had at {revision[:9]}: {problem}.",
            expected="a model and test data that are files in Git or under DVC, and pushed.",
            fix="run `dvc push` on the machine that has it, or correct `evaluation` in metricgate.yaml.",
        )
    target = site.directory / path
    site.make_folder(target.parent)
    target.unlink(missing_ok=True)
    target.write_bytes(content)


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


def _keep(directory: Path, folder: Path, path: str) -> Path | Unreadable:
    if not (directory / path).is_file():
        return Unreadable(what=path, reason="the evaluation command did not write it", missing=True)
    target = folder / "predictions" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(directory / path, target)
    return target
