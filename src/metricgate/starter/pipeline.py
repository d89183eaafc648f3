"""How a project makes its results: a DVC pipeline or a script, what they write, where DVC keeps it, what they need."""

import configparser
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import list_paths, list_stages, read_dvc_yaml

# Run one after the other where both lie beside each other.
TRAINING = ("train.py", "src/train.py", "scripts/train.py", "training.py", "src/training.py")
EVALUATION = ("evaluate.py", "eval.py", "evaluation.py")
METRIC_STEMS = ("metrics", "scores", "results", "summary")
METRIC_SUFFIXES = (".json", ".yaml", ".yml", ".toml")
DEEPEST = 3  # folders below the project's own
NOT_THE_PROJECTS = {"node_modules", "site-packages", "venv", "env", "__pycache__", "metricgate-report", "mlruns"}


def find_outputs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each output's path and its kind (outs or metrics); templated names cannot be known without DVC."""
    pipeline = read_dvc_yaml(folder)
    for section in (pipeline, *list_stages(pipeline)):
        for kind in ("outs", "metrics"):
            yield from ((name, kind) for name in list_paths(section, kind) if "${" not in name)


def find_command(folder: Path) -> str | None:
    """Return the shell command that seems to train, and to evaluate, where there is no DVC pipeline."""
    script = next((name for name in TRAINING if (folder / name).is_file()), None)
    if script is None:
        return None
    beside = (str(Path(script).with_name(name)) for name in EVALUATION)
    evaluation = next((name for name in beside if (folder / name).is_file()), None)
    return " && ".join(f"python {name}" for name in (script, evaluation) if name)


def list_files(folder: Path) -> tuple[str, ...]:
    """Return the files of a project by their paths, the nearest first; no hidden folders, environments, or deep ones."""
    found: list[str] = []
    for root, folders, names in os.walk(folder):
        here = Path(root).relative_to(folder)
        known = [name for name in folders if not name.startswith(".") and name not in NOT_THE_PROJECTS]
        folders[:] = sorted(known) if len(here.parts) < DEEPEST else []
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


def find_requirements(folder: Path) -> str | None:
    """Return the file that names the packages of the stages; a pyproject.toml only where it names some."""
    named = next((name for name in ("uv.lock", "requirements.txt") if (folder / name).is_file()), None)
    return named or ("pyproject.toml" if _names_packages(folder / "pyproject.toml") else None)


def _names_packages(path: Path) -> bool:
    try:
        return bool(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def read_remotes(folder: Path, top: Path) -> dict[str, str]:
    """Return the DVC remotes' names and addresses from .dvc/config, the default one first."""
    config = configparser.ConfigParser(interpolation=None)
    roots = [root for root in (folder, *folder.parents) if root.is_relative_to(top)]
    file = next((root / ".dvc/config" for root in roots if (root / ".dvc/config").is_file()), None)
    if file is None:
        return {}
    config.read([file, file.with_name("config.local")], encoding="utf-8")
    found = {
        section.strip("'").removeprefix("remote ").strip('"'): config.get(section, "url", fallback="")
        for section in config.sections()
        if section.startswith("'remote ")
    }
    default = config.get("core", "remote", fallback="")
    return dict(sorted(found.items(), key=lambda item: item[0] != default))


def has_tracked_data(checkout: Checkout) -> bool:
    """Tell whether Git tracks .dvc files: data that no stage makes, and that only a remote can give to others."""
    return bool(checkout.git("-C", str(checkout.directory), "ls-files", "--", "*.dvc"))


def find_projects_below(checkout: Checkout) -> tuple[str, ...]:
    """Return the folders below this one that hold a dvc.yaml, as Git tracks them."""
    listed = checkout.git("-C", str(checkout.directory), "ls-files", "-z", "--", "*/dvc.yaml").split("\0")
    return tuple(sorted(str(Path(name).parent) for name in listed if name))
