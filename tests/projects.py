"""Tiny DVC projects for tests: plain Python stages, built once for a whole test session and copied for each test."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PREPARE = """\
rows = open("data/raw.csv").read().split()
open("data/prepared.csv", "w").write("\\n".join(rows))
"""

# The score of customer i is i/10, moved by the parameter; the label says whether i is 5 or more.
EVALUATE = """\
import csv, json, re
shift = float(re.search(r"shift: (.*)", open("params.yaml").read())[1])
ids = [int(row) for row in open("data/prepared.csv").read().split()]
scores = [round(id / 10 + shift, 3) for id in ids]
hits = [(score >= 0.5) == (id >= 5) for id, score in zip(ids, scores)]
with open("eval/predictions.csv", "w") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "score"])
    writer.writerows((id, int(id >= 5), score) for id, score in zip(ids, scores))
json.dump({"accuracy": sum(hits) / len(hits), "nested": {"rows": len(ids)}}, open("metrics.json", "w"))
json.dump({"shift": shift}, open("eval/cached.json", "w"))
open("eval/curve.csv", "w").write("x,y\\n0,0\\n1,1\\n")
"""

PIPELINE = """\
stages:
  prepare:
    cmd: python src/prepare.py
    deps: [src/prepare.py, data/raw.csv]
    outs: [data/prepared.csv]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, data/prepared.csv]
    params: [shift]
    outs: [eval/predictions.csv]
    metrics:
      - metrics.json: {cache: false}
      - eval/cached.json
    plots:
      - eval/curve.csv: {cache: false, x: x, y: y}
"""

FILES = {
    "data/raw.csv": "\n".join(map(str, range(10))),
    "src/prepare.py": PREPARE,
    "src/evaluate.py": EVALUATE,
    "dvc.yaml": PIPELINE,
    "params.yaml": "shift: 0.0\n",
    "metricgate.yaml": "predictions: {path: eval/predictions.csv, id: id, label: label, score: score}\n",
    "eval/.gitignore": "",
}


@dataclass(frozen=True, kw_only=True)
class TinyProject:
    """A Git checkout and the folder that is its DVC remote. ``main`` was run and pushed to both remotes."""

    root: Path
    remote: Path
    origin: Path

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.root, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).strip()

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def sha(self, revision: str = "HEAD") -> str:
        return self.git("rev-parse", "--verify", f"{revision}^{{commit}}")

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def commit(self, message: str = "Change something") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.sha()

    def start_branch(self, name: str = "change", *, start: str = "main") -> None:
        self.git("switch", "--quiet", "--create", name, start)

    def use_remote(self, url: str) -> None:
        """Point DVC's default remote elsewhere without a commit: config.local wins at every revision."""
        self.write(".dvc/config.local", f"['remote \"storage\"']\n    url = {url}\n")

    def forget_cache(self) -> None:
        """Leave what a fresh clone would have: neither cache nor DVC-tracked files."""
        shutil.rmtree(self.root / ".dvc/cache", ignore_errors=True)
        for path in ("data/raw.csv", "data/prepared.csv", "eval/predictions.csv", "eval/cached.json"):
            (self.root / path).unlink(missing_ok=True)

    def clone(self, directory: Path, *options: str) -> "TinyProject":
        """Clone origin as CI does: no DVC cache, the same DVC remote."""
        subprocess.run(
            ["git", "clone", "--quiet", *options, self.origin.as_uri(), str(directory)], check=True, capture_output=True
        )
        clone = TinyProject(root=directory, remote=self.remote, origin=self.origin)
        set_identity(clone.root)
        clone.use_remote(str(self.remote))
        return clone


def set_identity(root: Path) -> None:
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org"), ("commit.gpgsign", "false")):
        subprocess.run(["git", "config", key, value], cwd=root, check=True)


def create_tiny(directory: Path, files: Mapping[str, str] = FILES) -> TinyProject:
    """Build the project with the real tools: dvc init, add, repro and push, one commit on main."""
    project = TinyProject(root=directory / "work", remote=directory / "remote", origin=directory / "origin.git")
    project.remote.mkdir(parents=True)
    project.root.mkdir()
    for path, text in files.items():
        project.write(path, text)
    project.git("init", "--quiet", "--initial-branch", "main")
    set_identity(project.root)
    project.dvc("init", "--quiet")
    project.write(".dvc/config", "[core]\n    remote = storage\n['remote \"storage\"']\n    url = /nonexistent\n")
    project.use_remote(str(project.remote))
    project.dvc("add", "--quiet", "data/raw.csv")
    project.dvc("repro", "--quiet")
    project.dvc("push", "--quiet")
    project.commit("Add the pipeline")
    subprocess.run(["git", "init", "--quiet", "--bare", str(project.origin)], check=True)
    for key in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
        subprocess.run(["git", "config", key, "true"], cwd=project.origin, check=True)
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/main"], cwd=project.origin, check=True)
    project.git("remote", "add", "origin", str(project.origin))
    project.git("push", "--quiet", "--set-upstream", "origin", "main")
    return project


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the project once for all workers of pytest-xdist; never change it, copy it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "tiny.finished").exists():
            with stages_find_python():
                create_tiny(shared / "tiny")
            (shared / "tiny.finished").touch()
    return shared / "tiny"


class stages_find_python:  # noqa: N801  reads as a statement
    """Stages say ``python``: the one that runs the tests, first on PATH, while the context lasts."""

    def __enter__(self) -> None:
        self._before = os.environ["PATH"]
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), self._before])

    def __exit__(self, *_: object) -> None:
        os.environ["PATH"] = self._before


@pytest.fixture
def make_copy(tmp_path: Path) -> Iterator[Callable[[Path], TinyProject]]:
    """Return a factory of copies of a project that ``create_tiny`` made, each with its own origin and DVC remote."""
    made = 0

    def make(template: Path) -> TinyProject:
        nonlocal made
        made += 1
        directory = tmp_path / f"tiny-{made}"
        shutil.copytree(template, directory, symlinks=True)
        project = TinyProject(root=directory / "work", remote=directory / "remote", origin=directory / "origin.git")
        project.use_remote(str(project.remote))
        project.git("remote", "set-url", "origin", str(project.origin))
        return project

    with stages_find_python():
        yield make


@pytest.fixture
def make_tiny(tiny_template: Path, make_copy: Callable[[Path], TinyProject]) -> Callable[..., TinyProject]:
    """Return a factory of copies of the tiny project."""
    return lambda: make_copy(tiny_template)


@pytest.fixture
def tiny(make_tiny: Callable[..., TinyProject]) -> TinyProject:
    """A copy of the tiny project, on main."""
    return make_tiny()
