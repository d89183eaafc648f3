"""A small project that imports its data: months of customers, a model of one number, quick stages in plain Python."""

import fcntl
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.projects import TinyProject, set_identity, stages_find_python

PREPARE = """\
import csv
rows = list(csv.DictReader(open("data/customers.csv")))
last = max(int(row["month"]) for row in rows)
parts = {"train": [], "test": []}
for row in rows:
    if row["churned"] == "":
        continue
    if int(row["month"]) == last:
        parts["train" if int(row["id"]) % 3 else "test"].append(row)
for name, part in parts.items():
    with open(f"data/{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "month", "usage", "churned"])
        writer.writeheader()
        writer.writerows(part)
"""

# The cut at which most rows are on the right side, sought on a grid.
TRAIN = """\
import csv, json, re
offset = float(re.search(r"offset: (.*)", open("params.yaml").read())[1])
rows = [(float(row["usage"]), int(row["churned"])) for row in csv.DictReader(open("data/train.csv"))]
def hits(cut, sign):
    return sum((sign * (usage - cut) > 0) == bool(churned) for usage, churned in rows)
cut, sign = max(((c / 20, s) for c in range(-40, 41) for s in (1, -1)), key=lambda one: hits(*one))
json.dump({"cut": cut + offset, "sign": sign}, open("models/model.json", "w"))
"""

EVALUATE = """\
import csv, json, math
model = json.load(open("models/model.json"))
right = total = 0
with open("eval/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "churned", "score"])
    for row in csv.DictReader(open("data/test.csv")):
        score = 1 / (1 + math.exp(-3 * model["sign"] * (float(row["usage"]) - model["cut"])))
        writer.writerow([row["id"], row["churned"], round(score, 6)])
        right += (score >= 0.5) == (row["churned"] == "1")
        total += 1
json.dump({"accuracy": right / max(total, 1)}, open("metrics.json", "w"))
"""

PIPELINE = """\
stages:
  prepare:
    cmd: python src/prepare.py
    deps: [src/prepare.py, data/customers.csv]
    outs: [data/train.csv, data/test.csv]
  train:
    cmd: python src/train.py
    deps: [src/train.py, data/train.csv]
    params: [offset]
    outs: [models/model.json]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, data/test.csv, models/model.json]
    outs: [eval/predictions.csv]
    metrics:
      - metrics.json: {cache: false}
"""

POLICY = """\
predictions: {path: eval/predictions.csv, id: id, label: churned, score: score}
gates:
  - {metric: accuracy, max_drop: 0.03}
evaluation:
  command: python src/evaluate.py
  model: models/model.json
  data: data/test.csv
  train: data/train.csv
retrain:
  when: {max_age: 90d, new_data: true}
"""

FILES = {
    "src/prepare.py": PREPARE,
    "src/train.py": TRAIN,
    "src/evaluate.py": EVALUATE,
    "dvc.yaml": PIPELINE,
    "params.yaml": "offset: 0.0\n",
    "metricgate.yaml": POLICY,
    "models/.gitignore": "",
    "eval/.gitignore": "",
    "data/.gitignore": "",
    ".gitignore": "/metricgate-report\n/.metricgate\n",
}
IMPORT = "data/customers.csv.dvc"
ROWS_A_MONTH = 1500


def make_month(month: int, *, cut: float = 0.0, labelled: bool = True, seed: int = 1) -> list[str]:
    """Return the rows of a month: customers whose usage is above ``cut`` churn, but for one in ten."""
    chance = random.Random(f"{seed}-{month}")
    rows = []
    for number in range(ROWS_A_MONTH):
        usage = chance.gauss(0, 1)
        churned = (usage > cut) != (chance.random() < 0.1)
        rows.append(f"{month * 10_000 + number},{month},{usage:.4f},{int(churned) if labelled else ''}")
    return rows


@dataclass(frozen=True, kw_only=True)
class RetrainProject(TinyProject):
    """A checkout on main whose model was trained on month 1; ``source`` is where its import comes from."""

    source: Path

    def add_month(self, month: int, **kind: float) -> None:
        """Let the source have one more month; the project does not know of it."""
        with self.source.open("a", encoding="utf-8") as file:
            file.write("\n".join(make_month(month, **kind)) + "\n")  # type: ignore[arg-type]

    def use_places(self) -> None:
        lines = (
            f"['remote \"storage\"']\n    url = {self.remote}\n['remote \"lake\"']\n    url = {self.source.parent}\n"
        )
        self.write(".dvc/config.local", lines)

    def write_policy(self, text: str) -> str:
        """Commit a policy on main, push it, and return the commit."""
        self.write("metricgate.yaml", text)
        sha = self.commit("Change the policy")
        self.git("push", "--quiet", "origin", "main")
        return sha

    def state(self) -> str:
        """Return what a person would notice: branch, commit, and changed or unknown files."""
        return self.git("status", "--porcelain=v2", "--branch", "--untracked-files=all", "--ignored=no")


def create_project(directory: Path) -> RetrainProject:
    """Build the project with the real tools: import, repro and push, one commit on main."""
    project = RetrainProject(
        root=directory / "work",
        remote=directory / "remote",
        origin=directory / "origin.git",
        source=directory / "lake" / "customers.csv",
    )
    for folder in (project.remote, project.root, project.source.parent):
        folder.mkdir(parents=True)
    project.source.write_text("id,month,usage,churned\n", encoding="utf-8")
    project.add_month(1)
    for path, text in FILES.items():
        project.write(path, text)
    project.git("init", "--quiet", "--initial-branch", "main")
    set_identity(project.root)
    project.dvc("init", "--quiet")
    project.write(
        ".dvc/config",
        "[core]\n    remote = storage\n['remote \"storage\"']\n    url = /nonexistent\n"
        "['remote \"lake\"']\n    url = /nonexistent-lake\n",
    )
    project.use_places()
    project.dvc("import-url", "--quiet", "remote://lake/customers.csv", "data/customers.csv")
    project.dvc("repro", "--quiet")
    project.dvc("push", "--quiet")
    project.commit("Train the first model")
    subprocess.run(["git", "init", "--quiet", "--bare", str(project.origin)], check=True)
    subprocess.run(["git", "config", "uploadpack.allowAnySHA1InWant", "true"], cwd=project.origin, check=True)
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/main"], cwd=project.origin, check=True)
    project.git("remote", "add", "origin", str(project.origin))
    project.git("push", "--quiet", "--set-upstream", "origin", "main")
    return project


@pytest.fixture(scope="session")
def retrain_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the project once for all workers of pytest-xdist; never change it, copy it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "retrain.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "retrain.finished").exists():
            with stages_find_python():
                create_project(shared / "retrain")
            (shared / "retrain.finished").touch()
    return shared / "retrain"


@pytest.fixture
def make_project(retrain_template: Path, tmp_path: Path) -> Iterator[Callable[[], RetrainProject]]:
    def make() -> RetrainProject:
        directory = tmp_path / "project"
        shutil.copytree(retrain_template, directory, symlinks=True)
        project = RetrainProject(
            root=directory / "work",
            remote=directory / "remote",
            origin=directory / "origin.git",
            source=directory / "lake" / "customers.csv",
        )
        project.use_places()
        project.git("remote", "set-url", "origin", str(project.origin))
        return project

    with stages_find_python():
        yield make


@pytest.fixture
def project(make_project: Callable[[], RetrainProject]) -> RetrainProject:
    return make_project()


def run_metricgate(project: RetrainProject, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "metricgate", *arguments],
        cwd=project.root,
        env=os.environ,
        check=False,
        capture_output=True,
        text=True,
    )
