"""The churn project as a team would have it: a main branch with pushed results, and a branch with a worse model."""

import os
import shutil
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from metricgate.bundled import EXAMPLES
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.processes.command import run_command, scrub_environment
from metricgate.settings.policy import FILE_NAME

CHURN = EXAMPLES / "churn"
DATA = "data/telco-churn.csv"
MAIN = "main"
BRANCH = "bigger-trees"

# The training loss falls, and so does the ROC AUC on the held-out customers: by 0.026, where 0.010 is allowed.
WORSE_PARAMETERS = {
    "max_iter: 100": "max_iter: 300",
    "learning_rate: 0.06": "learning_rate: 0.1",
    "max_leaf_nodes: 8": "max_leaf_nodes: 31",
}

_REQUIREMENTS = "pipeline:\n  requirements: requirements.txt  # installed for the stages, where they are not yet\n"
_TESTS = "tests: pytest tests/model  # what the model must know, whatever its metrics say\n"


@dataclass(frozen=True, kw_only=True)
class DemoProject:
    """Where the project is: the Git repository, checked out at ``branch``, and its DVC remote, a plain folder."""

    repository: Path
    remote: Path
    main: str = MAIN
    branch: str = BRANCH


def find_free_directory(parent: Path) -> Path:
    """Return the first of metricgate-demo, metricgate-demo-2, … that does not exist in ``parent``."""
    names = (f"metricgate-demo-{number}" if number > 1 else "metricgate-demo" for number in count(1))
    return next(parent / name for name in names if not (parent / name).exists())


def create_project(directory: Path, *, names_requirements: bool = False, runs_tests: bool = False) -> DemoProject:
    """Create the churn project in ``directory``, which must be new or empty.

    With ``names_requirements`` its policy does, as one by `metricgate init` would: then it runs on any machine. Without,
    its stages use the first Python on PATH. Where it ``runs_tests``, the policy names the four tests of the model, which
    need pytest.

    Runs the real tools: `git init`, `dvc init`, `dvc add`, `dvc repro`, `dvc push`, and a commit for each branch. The
    branch only edits params.yaml, as a person does who leaves the training to CI.

    Raises
    ------
    ConfigurationError
        If the directory is not empty.
    WorkspaceError
        If one of the tools fails.
    """
    directory = require_free(directory)
    project = DemoProject(repository=directory / "churn", remote=directory / "dvc-remote")
    project.remote.mkdir(parents=True)
    shutil.copytree(CHURN, project.repository, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    if names_requirements:
        _append(project.repository / FILE_NAME, _REQUIREMENTS)
    if runs_tests:
        _append(project.repository / FILE_NAME, _TESTS)
        _append(project.repository / "requirements.txt", "pytest>=8\n")
    _create_main(project)
    _create_branch(project)
    return project


def require_free(directory: Path) -> Path:
    """Return the folder's absolute path; raise ConfigurationError where it holds anything."""
    directory = directory.absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(
            f"{directory} exists and is not empty.",
            expected="a new or empty folder for the demo.",
            fix="Name another folder, or remove this one.",
            topic="the-folder-cannot-be-used",
        )
    return directory


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)


def create_repository(project: DemoProject) -> None:
    """Make the project's folder a Git repository with an author of its own."""
    run_git(project.repository, "init", "--quiet", "--initial-branch", project.main)
    for key, value in (
        ("user.name", "MetricGate demo"),
        ("user.email", "demo@metricgate.example"),
        ("commit.gpgsign", "false"),
    ):
        run_git(project.repository, "config", key, value)


def _create_main(project: DemoProject) -> None:
    repository = project.repository
    create_repository(project)
    _dvc(repository, "init", "--quiet")
    # Absolute: DVC resolves a relative remote against the checkout, and finds nothing when it reads another revision.
    _dvc(repository, "remote", "add", "--quiet", "--default", "storage", str(project.remote))
    _dvc(repository, "add", "--quiet", DATA)
    _dvc(repository, "repro", "--quiet")
    run_git(repository, "add", ".")
    run_git(repository, "commit", "--quiet", "--message", "Add the churn pipeline")
    _dvc(repository, "push", "--quiet")


def _create_branch(project: DemoProject) -> None:
    repository = project.repository
    run_git(repository, "switch", "--quiet", "--create", project.branch)
    parameters = repository / "params.yaml"
    text = parameters.read_text(encoding="utf-8")
    for before, after in WORSE_PARAMETERS.items():
        text = text.replace(before, after)
    parameters.write_text(text, encoding="utf-8")
    run_git(
        repository, "commit", "--quiet", "--all", "--message", "Grow more and bigger trees, for a lower training loss"
    )


def run_git(directory: Path, *arguments: str) -> None:
    """Run a Git command in a demo's repository."""
    _run(["git", *arguments], directory)


def _dvc(directory: Path, *arguments: str) -> None:
    _run([sys.executable, "-m", "dvc", *arguments], directory)


def _run(command: list[str], directory: Path) -> None:
    # The stages call `python`: let it be this one, which has scikit-learn.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = run_command(command, cwd=directory, env=scrub_environment(os.environ) | {"PATH": path})
    if done.returncode:
        raise WorkspaceError(
            f"`{' '.join(command)}` ended with exit code {done.returncode} in {directory}.",
            expected="the demo's project to be created.",
            fix="Read the last lines of its output.",
            details=done.output,
            topic="the-demo-could-not-be-created",
        )
