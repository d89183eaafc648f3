"""A trained model that waits to be offered: a clone, its origin behind the fake GitHub, and what is remembered."""

import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metricgate.models.outcome import Verdict
from metricgate.models.retraining import Retraining, RetrainReason
from metricgate.publish.github.client import GitHubClient
from metricgate.report.value import Report
from metricgate.retraining.memory import Training
from metricgate.retraining.memory_ref import MemoryRef, Remembered
from metricgate.retraining.offering import Offer, Offering
from metricgate.retraining.proposal import propose
from metricgate.retraining.story import RetrainOutcome
from metricgate.retraining.work_tree import ChangedFile
from metricgate.revisions.checkout import Checkout
from metricgate.settings.retrain import RetrainSpec
from tests.github.fake import FakeGitHub
from tests.github.state import PullRequest
from tests.projects import set_identity

BRANCH, REF = "metricgate/retrain", "refs/heads/metricgate/retrain"
KEY = "1" * 64
REASON = RetrainReason(kind="new_data", text="there are new data for data/rows.csv")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Stage:
    """``files`` are those of main; a training changes dvc.lock and metrics.json, and follows from src and data."""

    fake: FakeGitHub
    client: GitHubClient
    folder: Path
    spec: RetrainSpec = field(default_factory=RetrainSpec)

    @classmethod
    def build(cls, fake: FakeGitHub, client: GitHubClient, folder: Path) -> "Stage":
        origin, work = folder / "origin.git", folder / "work"
        work.mkdir(parents=True)
        git(work, "init", "--quiet", "--initial-branch", "main")
        set_identity(work)
        for name, text in {"dvc.lock": "1\n", "metrics.json": "{}\n", "src/train.py": "1\n", "README": "1\n"}.items():
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_text(text, encoding="utf-8")
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", "First")
        git(folder, "clone", "--quiet", "--bare", str(work), str(origin))
        git(work, "remote", "add", "origin", str(origin))
        fake.use_git(origin)
        return cls(fake=fake, client=client, folder=folder)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def checkout(self) -> Checkout:
        return Checkout.open(self.work)

    @property
    def ref(self) -> MemoryRef:
        return MemoryRef(checkout=self.checkout, id="default", is_shared=True)

    @property
    def head(self) -> str | None:
        return self.fake.refs.get(REF)

    @property
    def pull_requests(self) -> list[PullRequest]:
        return list(self.fake.pull_requests.values())

    @property
    def only(self) -> PullRequest:
        [request] = self.pull_requests
        return request

    def list_changed(self) -> list[str]:
        """Return the files by which the branch differs from its one parent."""
        assert self.head
        return git(self.folder / "origin.git", "diff", "--name-only", f"{self.head}^", self.head).split()

    def push(self, branch: str, path: str, text: str, *options: str) -> str:
        """Push a person's commit to a branch, and return it."""
        git(self.work, "fetch", "--quiet", "origin")
        git(self.work, "switch", "--quiet", "--detach", f"origin/{branch}")
        (self.work / path).write_text(text, encoding="utf-8")
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", "By a person", *options)
        git(self.work, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        sha = git(self.work, "rev-parse", "HEAD")
        git(self.work, "switch", "--quiet", "main")
        return sha

    def train(self, key: str = KEY, lock: str = "2\n", reasons: tuple[str, ...] = ("new_data",)) -> None:
        """Remember a training that helped, and that nobody was asked about yet."""
        checkout = self.checkout
        files = [
            ChangedFile(path=path, mode="100644", blob=checkout.write_blob(text.encode()))
            for path, text in (("dvc.lock", lock), ("metrics.json", '{"accuracy": 1}\n'))
        ]
        report = self.report(self.plan())
        training = Training(
            key=key,
            at=datetime(2026, 11, 26, tzinfo=UTC),
            model=checkout.head_sha,
            reasons=reasons,
            verdict="passed",
            headline="no loss",
            helped=True,
        )
        before = self.ref.read()
        proposal = propose(checkout.head_sha, key, files, report, ["src/train.py"])
        self.ref.write(replace(before, memory=before.memory.add(training), proposal=proposal, report=report))

    def plan(self, **changes: Any) -> Retraining:
        return Retraining(reasons=(REASON,), released="main", helped=True).model_copy(update=changes)

    def report(self, plan: Retraining) -> Report:
        return Report(metricgate="1", verdict=Verdict.PASSED, reason="", exit_code=0, retraining=plan)

    def settle(self, **plan: Any) -> Offer:
        """Do what a run does once it knows what to offer."""
        outcome = RetrainOutcome(
            report=self.report(self.plan(**plan)), remembered=self.read(), spec=self.spec, checkout=self.checkout
        )
        offering = Offering(
            client=self.client, outcome=outcome, id="default", base="main", render=lambda _: "the report"
        )
        return offering.settle()

    def read(self) -> Remembered:
        return self.ref.read()

    def describe(self) -> tuple[Any, ...]:
        """Return what people see: pull requests with head's content and labels, and the number of comments."""
        assert self.head
        return (
            self.list_changed(),
            git(self.folder / "origin.git", "show", f"{self.head}:dvc.lock"),
            [(one.state, one.title, one.labels, len(one.comments)) for one in self.pull_requests],
        )
