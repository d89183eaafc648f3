"""What a repository already has that a policy and a workflow can name: its pipeline, files, DVC remotes."""

import configparser
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from metricgate.errors import ConfigurationError
from metricgate.execution.metrics_file import read_metrics
from metricgate.models.snapshot import FileMetric, Unreadable
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import list_paths, list_stages, read_filled_dvc_yaml, read_stages
from metricgate.starter.dvc_checkup import find_dvc_folder
from metricgate.starter.framework import find_framework
from metricgate.starter.prediction_tables import TABLE_SUFFIXES, PredictionsFound, find_predictions

# A training and an evaluation script in one folder run one after the other.
TRAINING = ("train.py", "src/train.py", "scripts/train.py", "training.py", "src/training.py")
TRAINING_NAMES = {"train.py", "training.py", "train_model.py", "main.py"}  # in any folder, the nearest first
SERVING = {
    "api",
    "app",
    "backend",
    "deploy",
    "deployment",
    "frontend",
    "gui",
    "serve",
    "service",
    "test",
    "tests",
    "web",
}
EVALUATION = ("evaluate.py", "eval.py", "evaluation.py")
METRIC_STEMS = ("metrics", "scores", "results", "summary")
METRIC_SUFFIXES = (".json", ".yaml", ".yml", ".toml")
PLOT_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")
_REQUIREMENTS = re.compile(
    r"(?!.*(dev|test|doc|lint))([\w.-]+/requirements|requirements/(base|main|prod|train\w*)|requirements[-_.]\w+)\.txt"
)
MAX_DEPTH = 3  # folders below the project's own
IGNORED_FOLDERS = {"node_modules", "site-packages", "venv", "env", "__pycache__", "metricgate-report", "mlruns"}


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found. ``remotes`` maps a DVC remote's name to its address, the default one first."""

    has_pipeline: bool
    command: str | None  # without a DVC pipeline: the script that seems to train
    default_branch: str
    remotes: Mapping[str, str]
    metrics: Mapping[str, tuple[FileMetric, ...]]  # file to its numbers
    predictions: PredictionsFound | None
    requirements: str | None
    undeclared: tuple[str, ...] = ()  # metrics files that the policy has to name, as DVC cannot tell
    absent: tuple[str, ...] = ()  # metrics files that dvc.yaml names and that are not here
    framework: str | None = None
    files: tuple[str, ...] = ()  # of the project, the nearest first


def survey_project(checkout: Checkout) -> Survey:
    """Return what the project's folder has; nothing is run.

    Raises
    ------
    ConfigurationError
        If there is nothing to judge in this folder, but in folders below it.
    """
    folder = checkout.directory
    has_pipeline = bool(read_stages(folder))
    files = list_files(folder)
    outputs = tuple(find_outputs(folder))
    declared = [name for name, kind in outputs if kind == "metrics"]
    named = list(_expand(folder, declared, METRIC_SUFFIXES))
    metrics = _read_all(folder, named)
    undeclared = {} if metrics else _read_all(folder, find_metric_files(files))
    tables = [name for name, kind in outputs if kind == "outs" and name.endswith(TABLE_SUFFIXES)]
    plots = _expand(folder, list_plots(folder), PLOT_SUFFIXES)
    survey = Survey(
        has_pipeline=has_pipeline,
        command=None if has_pipeline else find_command(folder, () if find_projects_below(checkout) else files),
        default_branch=(checkout.default_branch() or checkout.branch() or "main").removeprefix("origin/"),
        remotes=read_remotes(folder, checkout.top),
        metrics=metrics or undeclared,
        # Without a .dvc folder on main, only the policy says which files of its revisions are metrics.
        undeclared=tuple(undeclared) if find_dvc_folder(checkout) else tuple(metrics or undeclared),
        absent=tuple(name for name in declared if not (folder / name).exists()),
        predictions=find_predictions(folder, tables, plots, files),
        requirements=find_requirements(folder, files),
        framework=find_framework(folder, files),
        files=files,
    )
    _require_something(survey, checkout)
    return survey


def _read_all(folder: Path, names: Iterable[str]) -> dict[str, tuple[FileMetric, ...]]:
    return {name: found for name in names if (found := _read_numbers(folder / name, name))}


def _expand(folder: Path, names: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield the files with one of the suffixes, those in folders too; what does not exist only by its own name."""
    for name in names:
        path = folder / name
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in suffixes)
            yield from (str(file.relative_to(folder)) for file in inside)
        elif path.suffix in suffixes:
            yield name


def _read_numbers(path: Path, name: str) -> tuple[FileMetric, ...]:
    found = read_metrics(path, name)
    return () if isinstance(found, Unreadable) else tuple(metric for metric in found if metric.value is not None)


def _require_something(survey: Survey, checkout: Checkout) -> None:
    below = find_projects_below(checkout)
    if below and not (survey.has_pipeline or survey.command):
        raise ConfigurationError(
            f"There is no pipeline in this folder, but there is one in {', '.join(below[:5])}.",
            expected="a project's folder, as each project has its own policy and workflow.",
            fix=f"Go there first: cd {below[0]} && metricgate init",
            topic="the-project-is-in-another-folder",
        )


def find_outputs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each output's path and its kind (outs or metrics); without names that only DVC resolves."""
    pipeline = read_filled_dvc_yaml(folder)
    for section in (pipeline, *list_stages(pipeline)):
        for kind in ("outs", "metrics"):
            yield from ((name, kind) for name in list_paths(section, kind) if "*" not in name)


def list_plots(folder: Path) -> Iterator[str]:
    """Yield the files and folders that dvc.yaml names as plots, of stages and at its top level."""
    pipeline = read_filled_dvc_yaml(folder)
    for section in (pipeline, *list_stages(pipeline)):
        plots = section.get("plots")
        entries = [plots] if isinstance(plots, Mapping) else plots if isinstance(plots, list) else []
        for entry in entries:
            named = entry.items() if isinstance(entry, Mapping) else [(str(entry), None)]
            for name, properties in named:
                axis = properties.get("y") if isinstance(properties, Mapping) else None
                found = [str(name), *(map(str, axis) if isinstance(axis, Mapping) else ())]
                yield from (each for each in found if "*" not in each)


def find_command(folder: Path, files: Iterable[str]) -> str | None:
    """Return the shell command that seems to train, and to evaluate, for a project without a DVC pipeline."""
    usual = (name for name in TRAINING if (folder / name).is_file())
    others = (name for name in files if Path(name).name in TRAINING_NAMES and not SERVING & set(Path(name).parts[:-1]))
    script = next(chain(usual, others), None)
    if script is None:
        return None
    beside = (str(Path(script).with_name(name)) for name in EVALUATION)
    evaluation = next((name for name in beside if (folder / name).is_file()), None)
    return " && ".join(f"python {name}" for name in (script, evaluation) if name)


def list_files(folder: Path) -> tuple[str, ...]:
    """Return the paths of a project's files, the nearest first, without hidden, deep or installed ones."""
    found: list[str] = []
    for root, folders, names in os.walk(folder):
        here = Path(root).relative_to(folder)
        known = [name for name in folders if not name.startswith(".") and name not in IGNORED_FOLDERS]
        folders[:] = sorted(known) if len(here.parts) < MAX_DEPTH else []
        found += [str(here / name) for name in names]
    return tuple(sorted(found, key=lambda name: (name.count(os.sep), name)))


def find_metric_files(files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that are named like files of metrics."""
    paths = map(Path, files)
    return tuple(
        str(path)
        for path in paths
        if path.suffix in METRIC_SUFFIXES and path.stem.lower().startswith(METRIC_STEMS) and "data" not in path.parts
    )


def find_requirements(folder: Path, files: Iterable[str]) -> str | None:
    """Return the file that names the packages of the stages, the nearest; a pyproject.toml only if it names any."""
    named = next((name for name in ("uv.lock", "requirements.txt") if (folder / name).is_file()), None)
    if named or _names_packages(folder / "pyproject.toml"):
        return named or "pyproject.toml"
    return next((name for name in files if _REQUIREMENTS.fullmatch(name)), None)


def _names_packages(path: Path) -> bool:
    try:
        return bool(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def read_remotes(folder: Path, top: Path) -> dict[str, str]:
    """Return the DVC remotes' names and addresses from .dvc/config, the default one first."""
    config = _read_config(folder, top)
    found = {
        section.strip("'").removeprefix("remote ").strip('"'): config.get(section, "url", fallback="")
        for section in config.sections()
        if section.startswith("'remote ")
    }
    default = config.get("core", "remote", fallback="")
    return dict(sorted(found.items(), key=lambda item: item[0] != default))


def read_remote_setting(folder: Path, top: Path, name: str, key: str) -> str:
    """Return a setting of a DVC remote; empty where it has none."""
    return _read_config(folder, top).get(f"'remote \"{name}\"'", key, fallback="")


def _read_config(folder: Path, top: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    roots = [root for root in (folder, *folder.parents) if root.is_relative_to(top)]
    file = next((root / ".dvc/config" for root in roots if (root / ".dvc/config").is_file()), None)
    if file is not None:
        config.read([file, file.with_name("config.local")], encoding="utf-8")
    return config


def has_tracked_data(checkout: Checkout) -> bool:
    """Return whether Git tracks .dvc files: data that no stage produces, and that others get only from a remote."""
    return bool(checkout.git("-C", str(checkout.directory), "ls-files", "--", "*.dvc"))


def find_projects_below(checkout: Checkout) -> tuple[str, ...]:
    """Return the folders below this one that hold a dvc.yaml, as Git tracks them."""
    listed = checkout.git("-C", str(checkout.directory), "ls-files", "-z", "--", "*/dvc.yaml").split("\0")
    return tuple(sorted(str(Path(name).parent) for name in listed if name))
