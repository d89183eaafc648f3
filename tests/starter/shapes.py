"""Repositories as people have them, small enough to train in a test: what `metricgate init` meets."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from metricgate.cli import commands
from metricgate.errors import MetricgateError
from tests.projects import set_identity, stages_find_python

ROWS = 600

# Every other row is positive; `noise` percent of the scores are on the wrong side. Standard library only.
TRAIN = """\
import csv, json, pathlib, random
noise = int(pathlib.Path("noise.txt").read_text())
draw = random.Random(7)
rows = []
for number in range({rows}):
    label = number % 2
    side = label if draw.random() * 100 >= noise else 1 - label
    rows.append((number, label, round(0.5 * side + 0.5 * draw.random(), 4), "north" if number % 3 else "south"))
pathlib.Path("out").mkdir(exist_ok=True)
with open("out/{predictions}", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["row_id", "label", "score", "region"])
    writer.writerows(rows)
right = sum((score >= 0.5) == bool(label) for _, label, score, _ in rows)
json.dump({{"accuracy": right / len(rows), "rows": len(rows)}}, open("out/metrics.json", "w"))
"""

PIPELINE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py, noise.txt]
    outs: [out/predictions.csv]
    metrics: [out/metrics.json: {cache: false}]
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a MetricGate command ended, and its output."""

    exit_code: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A Git repository with a project in ``folder``, on its default branch."""

    root: Path
    folder: str = "."

    @property
    def project(self) -> Path:
        return self.root / self.folder

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            command,
            cwd=self.project,
            env=os.environ | {"PATH": path},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def must(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def metricgate(self, *arguments: str) -> Answer:
        """Run a MetricGate command in the project's folder: in this process, since a new one imports everything again."""
        with contextlib.chdir(self.project), stages_find_python():
            result = CliRunner().invoke(commands, arguments, standalone_mode=False)
        if isinstance(result.exception, MetricgateError):
            return Answer(exit_code=result.exception.exit_code, output=str(result.exception))
        if result.exception is not None:
            raise result.exception
        return Answer(exit_code=result.return_value, output=result.output)

    def write(self, path: str, text: str) -> None:
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.project / path).read_text(encoding="utf-8")

    def commit(self, message: str) -> None:
        self.must("git", "add", "--all")
        self.must("git", "commit", "--quiet", "--message", message)

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.read("metricgate-report/report.json"))
        return report


def create_repository(
    root: Path,
    files: Mapping[str, str],
    *,
    folder: str = ".",
    branch: str = "main",
    predictions: str = "predictions.csv",
) -> Repository:
    """Create a repository whose project is ``files``, and the training script and its parameter."""
    root.mkdir(parents=True)
    repository = Repository(root=root, folder=folder)
    scripts = {"train.py": TRAIN.format(rows=ROWS, predictions=predictions), "noise.txt": "5\n"}
    for path, text in {**scripts, **files}.items():
        repository.write(path, text)
    repository.must("git", "init", "--quiet", "--initial-branch", branch, str(root))
    set_identity(root)
    return repository


def add_dvc(repository: Repository, remote: Path, *pipelines: str) -> None:
    """Make a DVC project of it, run its pipeline, or several, and push what that made."""
    remote.mkdir()
    repository.must("dvc", "init", "--quiet", *(["--subdir"] if repository.folder != "." else []))
    repository.must("dvc", "remote", "add", "--quiet", "--default", "storage", str(remote))
    repository.must("dvc", "repro", "--quiet", *pipelines)
    repository.must("dvc", "push", "--quiet")
