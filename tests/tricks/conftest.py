"""A project whose worse model is far worse (AUC −0.3 on 300 rows), and a run of a pull request of it."""

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from metricgate.processes.progress import QuietProgress
from metricgate.report.formats.markdown import render_comment
from metricgate.report.value import Report
from metricgate.run import Request, run
from tests.projects import TinyProject, create_tiny, stages_find_python

TRAIN = """\
import json, re
from common import read_noise
json.dump({"noise": read_noise()}, open("model.json", "w"))
"""
COMMON = """\
import re
def read_noise():
    return float(re.search(r"noise: (.*)", open("params.yaml").read())[1])
"""
# A row's score is its id, shuffled by the noise; the label says whether the id is in the upper half.
EVALUATE = """\
import csv, json, os
import helpers
noise = json.load(open("model.json"))["noise"]
ids = [int(row) for row in open("data/prepared.csv").read().split()]
scores = [(1 - noise) * id / 300 + noise * (id * 7919 % 300) / 300 for id in ids]
labels = [int(id >= 150) for id in ids]
os.makedirs("eval", exist_ok=True)
with open("eval/predictions.csv", "w") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "score"])
    writer.writerows(zip(ids, labels, (f"{score:.6f}" for score in scores)))
json.dump({"accuracy": helpers.accuracy(labels, scores)}, open("metrics.json", "w"))
"""
HELPERS = """\
def accuracy(labels, scores):
    return sum((score >= 0.5) == bool(label) for label, score in zip(labels, scores)) / len(labels)
"""
PIPELINE = """\
stages:
  prepare:
    cmd: python src/prepare.py
    deps: [src/prepare.py, data/raw.csv]
    outs: [data/prepared.csv]
  train:
    cmd: python src/train.py
    deps: [src/train.py, src/common.py, data/prepared.csv]
    params: [noise]
    outs: [model.json]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, model.json, data/prepared.csv]
    outs: [eval/predictions.csv]
    metrics:
      - metrics.json: {cache: false}
"""
POLICY = """\
predictions: {path: eval/predictions.csv, id: id, label: label, score: score}
gates:
  - {metric: roc_auc, max_drop: 0.02}
"""
PREPARE = 'rows = open("data/raw.csv").read().split()\nopen("data/prepared.csv", "w").write("\\n".join(rows))\n'
FILES = {
    "data/raw.csv": "\n".join(map(str, range(300))),
    "src/prepare.py": PREPARE,
    "src/train.py": TRAIN,
    "src/common.py": COMMON,
    "src/evaluate.py": EVALUATE,
    "src/helpers.py": HELPERS,
    "dvc.yaml": PIPELINE,
    "params.yaml": "noise: 0.0\n",
    "metricgate.yaml": POLICY,
    ".gitignore": "__pycache__/\n",
}


@pytest.fixture(scope="session")
def judged_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "judged.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "judged.finished").exists():
            with stages_find_python():
                create_tiny(shared / "judged", FILES)
            (shared / "judged.finished").touch()
    return shared / "judged"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a pull request got."""

    report: Report

    @property
    def comment(self) -> str:
        return render_comment(self.report)

    @property
    def top(self) -> str:
        """What stands above the first table."""
        return self.comment.split("\n| ", 1)[0].split("<details>", 1)[0]

    @property
    def codes(self) -> set[str]:
        return {warning.code for warning in self.report.warnings}

    def text(self, code: str) -> str:
        [warning] = [warning for warning in self.report.warnings if warning.code == code]
        return warning.text

    @property
    def states(self) -> dict[str, str]:
        return {stage.name: stage.state for stage in self.report.candidate_stages}


@dataclass(frozen=True)
class PullRequest:
    """A branch of the project with a trick in it; ``judge`` runs MetricGate as CI does, in a fresh clone."""

    project: TinyProject
    folder: Path

    def make_worse(self) -> None:
        self.project.write("params.yaml", "noise: 0.8\n")

    def edit(self, path: str, before: str, after: str) -> None:
        text = self.project.read(path)
        assert before in text, f"{path} does not hold {before!r}"
        self.project.write(path, text.replace(before, after))

    def judge(self, *, push: bool = True, **options: object) -> Answer:
        self.project.commit("A trick")
        self.project.git("push", "--quiet", "origin", "HEAD")
        if push:
            self.project.dvc("push", "--quiet")
        return self.judge_again("clone", **options)

    def judge_again(self, name: str, **options: object) -> Answer:
        clone = self.project.clone(self.folder / name, "--branch", "change")
        request = Request(
            directory=clone.root,
            output=self.folder / f"{name}-report",
            baseline="origin/main",
            **options,  # type: ignore[arg-type]
        )
        return Answer(report=run(request, QuietProgress()))


@pytest.fixture
def change(judged_template: Path, make_copy: Callable[[Path], TinyProject], tmp_path: Path) -> PullRequest:
    project = make_copy(judged_template)
    project.start_branch()
    return PullRequest(project, tmp_path)
