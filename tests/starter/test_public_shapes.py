"""From `init` through `doctor` to a verdict that is right for a harmless and for a harmful change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.starter.public_shapes import (
    make_folder_dependency,
    make_get_started,
    make_hydra,
    make_nested_metrics,
    make_notebook,
    make_plain_script,
    make_regression,
    make_without_dvc_folder,
)
from tests.starter.shapes import Repository

QUICK = [make_plain_script, make_notebook]
SLOW = [
    make_get_started,
    make_folder_dependency,
    make_nested_metrics,
    make_regression,
    make_without_dvc_folder,
    make_hydra,
]
DVC_INIT = "Run `dvc init`, and commit .dvc."
UNTRACK = "Run `git rm -r --cached model.bin` and commit"


def do_what_was_asked(repository: Repository, output: str) -> None:
    """Do what `init` asked for, and nothing else."""
    if DVC_INIT in output:
        repository.must("dvc", "init", "--quiet")
    if UNTRACK in output:
        repository.must("git", "rm", "-r", "--quiet", "--cached", "model.bin")
        repository.write(".gitignore", "/model.bin\n")


def change(repository: Repository, noise: int) -> None:
    """Commit another share of wrong answers, and where nothing is run here, the numbers that follow."""
    configured = (repository.root / "conf/config.yaml").exists()
    repository.write("conf/config.yaml" if configured else "noise.txt", f"noise: {noise}" if configured else f"{noise}")
    if (repository.root / "work.py").exists():
        repository.must("python", "work.py")
    repository.commit(f"{noise} % of noise")


@pytest.mark.parametrize(
    "make",
    [*QUICK, *(pytest.param(make, marks=pytest.mark.acceptance) for make in SLOW)],
    ids=lambda make: make.__name__.removeprefix("make_"),
)
def test_a_repository_that_somebody_else_wrote(make: Callable[[Path], Repository], tmp_path: Path) -> None:
    repository = make(tmp_path)
    repository.must("git", "switch", "--quiet", "--create", "gate")

    begun = repository.metricgate("init")
    do_what_was_asked(repository, begun.output)
    repository.commit("The gate")
    examined = repository.metricgate("doctor")

    assert begun.exit_code == 0, begun.output
    assert examined.exit_code == 0, examined.output
    change(repository, 6)
    harmless = repository.metricgate("run")
    change(repository, 35)
    harmful = repository.metricgate("run")
    assert harmless.exit_code == 0, harmless.output
    assert "SKIPPED" not in harmless.output
    assert harmful.exit_code == 1, harmful.output
    assert {gate["outcome"] for gate in repository.report()["gates"]} >= {"failed"}
