"""What a repository already has that a policy and a workflow can name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import ConfigurationError
from metricgate.execution.metrics_file import read_metrics
from metricgate.models.snapshot import FileMetric, Unreadable
from metricgate.revisions.checkout import Checkout
from metricgate.starter.pipeline import (
    find_command,
    find_metric_files,
    find_outputs,
    find_projects_below,
    find_requirements,
    list_files,
    read_remotes,
)
from metricgate.starter.tables import PredictionsFound, find_predictions

__all__ = ["PredictionsFound", "Survey", "survey_project"]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found. ``remotes`` maps a DVC remote's name to its address, the default one first."""

    has_pipeline: bool
    command: str | None  # where there is no DVC pipeline: the script that seems to train
    default_branch: str
    remotes: Mapping[str, str]
    metrics: Mapping[str, tuple[FileMetric, ...]]  # file to its numbers
    predictions: PredictionsFound | None
    requirements: str | None


def survey_project(checkout: Checkout) -> Survey:
    """Look at the project's folder as it lies there; nothing is run.

    Raises
    ------
    ConfigurationError
        If there is nothing to judge in this folder, but there are pipelines in folders below it.
    """
    folder = checkout.directory
    has_pipeline = (folder / "dvc.yaml").is_file()
    files = list_files(folder)
    outputs = tuple(find_outputs(folder))
    named = [name for name, kind in outputs if kind == "metrics"] if has_pipeline else find_metric_files(files)
    survey = Survey(
        has_pipeline=has_pipeline,
        command=None if has_pipeline else find_command(folder),
        default_branch=(checkout.default_branch() or checkout.branch() or "main").removeprefix("origin/"),
        remotes=read_remotes(folder, checkout.top),
        metrics={name: found for name in named if (found := _read_numbers(folder / name, name))},
        predictions=find_predictions(folder, [name for name, kind in outputs if kind == "outs"], files),
        requirements=find_requirements(folder),
    )
    _require_something(survey, checkout)
    return survey


def _read_numbers(path: Path, name: str) -> tuple[FileMetric, ...]:
    found = read_metrics(path, name)
    return () if isinstance(found, Unreadable) else tuple(metric for metric in found if metric.value is not None)


def _require_something(survey: Survey, checkout: Checkout) -> None:
    below = find_projects_below(checkout)
    if below and not (survey.has_pipeline or survey.command):
        raise ConfigurationError(
            f"There is no pipeline in this folder, but there is one in {', '.join(below[:5])}.",
            expected="a project's folder: each has a policy and a workflow of its own.",
            fix=f"Go there first: cd {below[0]} && metricgate init",
        )
