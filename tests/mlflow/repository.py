"""A project in Git alone, without DVC, and the server that has its runs."""

import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from metricgate.processes.progress import QuietProgress
from metricgate.report.value import Report
from metricgate.run import Request, run
from metricgate.settings.mlflow import MlflowAccess
from tests.mlflow.fake import FakeMlflow

POLICY = """\
predictions: {path: p.csv, id: id, label: y, score: s}
evaluation: {command: "true", model: model.pkl, data: p.csv}
gates: [{metric: roc_auc, max_drop: 0.5}]
"""


class Repository:
    """A project in Git alone: predictions and a model."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, shift: float, policy: str = POLICY, predictions: str = "p.csv") -> str:
        (self.root / "metricgate.yaml").write_text(policy, encoding="utf-8")
        (self.root / "model.pkl").write_bytes(f"model {shift}".encode())
        (self.root / predictions).write_text(write_rows(shift), encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Shift by {shift}")
        return self.git("rev-parse", "HEAD")


def write_rows(shift: float = 0.0) -> str:
    rows = "".join(
        f"{number},{number % 2},{(number * 7 % 100) / 100 + shift * (number % 2)}\n" for number in range(400)
    )
    return f"id,y,s\n{rows}"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


@pytest.fixture
def access(mlflow: FakeMlflow) -> MlflowAccess:
    return MlflowAccess(uri=SecretStr(mlflow.url))


def judge(repository: Repository, folder: Path, access: MlflowAccess, **fields: object) -> Report:
    request = Request(directory=repository.root, output=folder / "report", mlflow=access, **fields)  # type: ignore[arg-type]
    return run(request, QuietProgress())
