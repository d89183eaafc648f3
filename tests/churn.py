"""The churn project for tests: built once for a whole test session by the demo's own code, copied for each test."""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from metricgate.demo.project import BRANCH, MAIN, create_project


@dataclass(frozen=True, kw_only=True)
class Churn:
    """One copy of the project: a Git checkout on the pull request's branch, and the DVC remote it points to.

    `main` was run and pushed. `bigger-trees`, checked out, edits params.yaml only; run, it loses 0.026 of ROC AUC.
    """

    repository: Path
    remote: Path

    def run(self, *command: str) -> str:
        """Run a program in the checkout, `python` being the tests' own, and return its standard output."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            command, cwd=self.repository, env=os.environ | {"PATH": path}, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).strip()

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def sha(self, revision: str = "HEAD") -> str:
        return self.git("rev-parse", "--verify", f"{revision}^{{commit}}")

    def write(self, path: str, text: str) -> None:
        target = self.repository / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def replace(self, path: str, before: str, after: str) -> None:
        text = (self.repository / path).read_text(encoding="utf-8")
        assert before in text, f"{path} does not hold {before!r}"
        self.write(path, text.replace(before, after))

    def commit(self, message: str = "Change something") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.sha()

    def start_branch(self, name: str, *, start: str = MAIN) -> None:
        self.git("switch", "--quiet", "--create", name, start)
        self.dvc("checkout", "--quiet")

    def clone(self, directory: Path, *options: str) -> "Churn":
        """Clone as CI checks out: the branch this copy is on, no DVC cache, the same remote."""
        subprocess.run(
            ["git", "clone", "--quiet", *options, self.repository.as_uri(), str(directory)],
            check=True,
            capture_output=True,
        )
        clone = Churn(repository=directory, remote=self.remote)
        for key in ("user.name", "user.email", "commit.gpgsign"):
            clone.git("config", key, self.git("config", key))
        clone.use_remote(self.remote)
        return clone

    def use_remote(self, remote: Path | str) -> None:
        # The committed address is the template's; .dvc/config.local is not committed and wins, at every revision.
        self.write(".dvc/config.local", f"['remote \"storage\"']\n    url = {remote}\n")


def _copy_project(template: Path, directory: Path) -> Churn:
    shutil.copytree(template, directory, symlinks=True)
    churn = Churn(repository=directory / "churn", remote=directory / "dvc-remote")
    churn.use_remote(churn.remote)
    return churn


@pytest.fixture(scope="session")
def churn_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the project once for all workers of pytest-xdist; never change it, copy it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    template = shared / "churn-template"
    finished = shared / "churn-template.finished"
    with (shared / "churn-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            # In place: the address of the DVC remote is absolute, and committed. One thread, as in the tests: the
            # stored model names their number.
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OMP_NUM_THREADS", "1")
                create_project(template)
            finished.touch()
    return template


@pytest.fixture
def churn(churn_template: Path, tmp_path: Path) -> Churn:
    """A copy of the churn project, on the branch of the pull request (`bigger-trees`)."""
    churn = _copy_project(churn_template, tmp_path / "project")
    assert churn.git("branch", "--show-current") == BRANCH
    return churn
