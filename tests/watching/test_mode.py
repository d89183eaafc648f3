"""`mode: monitor` of the action as the example's workflow runs it: clones, the fake GitHub before a real repository."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metricgate.cli.monitor_mode import watch_and_publish
from metricgate.settings.inputs import read_inputs
from metricgate.trigger import Trigger, TriggerKind
from tests.e2e.example import read_steps
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.job import read_pairs
from tests.github.state import Token
from tests.watching.tables import write_csv
from tests.watching.test_story import POLICY, ROWS, make_month

pytestmark = pytest.mark.acceptance
FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


@dataclass
class Jobs:
    """Scheduled runs, one a week, each in a clone of its own; the last month pushed is what they see."""

    folder: Path
    fake: FakeGitHub
    runs: int = 0
    shift: float = 0.0

    def git(self, *args: str, cwd: Path | None = None) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *identity, *args], cwd=cwd or self.work, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    def create(self) -> None:
        for name in ("data", "eval"):
            (self.work / name).mkdir(parents=True)
        write_csv(self.work / "data/release.csv", make_month(ROWS, 1))
        write_csv(self.work / "eval/predictions.csv", make_month(ROWS, 1))
        (self.work / "metricgate.yaml").write_text(
            POLICY + "  issue: true\n  shown: {features: fail}\n", encoding="utf-8"
        )
        self.git("init", "-q", "-b", "main")
        self.push_month(2)
        self.git("clone", "-q", "--bare", str(self.work), str(self.origin))
        self.git("remote", "add", "origin", str(self.origin))
        self.fake.use_git(self.origin)
        [step] = read_steps("monitor")
        self.fake.tokens[TOKEN] = Token(permissions=dict(step.permissions))

    def push_month(self, seed: int, shift: float = 0.0) -> None:
        write_csv(self.work / "data/fresh.csv", make_month(ROWS, seed, shift=shift))
        self.git("add", "-A")
        self.git("commit", "-qm", f"month {seed}")
        if self.origin.exists():
            self.git("push", "-q", "origin", "main")

    def run(self) -> dict[str, str]:
        """Check main out as CI does, and run the step; return its outputs."""
        self.runs += 1
        clone = self.folder / f"run-{self.runs}"
        self.git("clone", "-q", "--depth", "1", f"file://{self.origin}", str(clone))
        sha = self.git("rev-parse", "HEAD", cwd=clone)
        files = {name: str(self.folder / f"{name.lower()}-{self.runs}") for name in FILES}
        for file in files.values():
            Path(file).touch()
        trigger = Trigger(
            kind=TriggerKind.SCHEDULE,
            sha=sha,
            report_sha=sha,
            ref="refs/heads/main",
            repository=REPOSITORY,
            default_branch="main",
            run_id=self.runs,
            run_url=f"https://github.example/{REPOSITORY}/actions/runs/{self.runs}",
            server_url="https://github.example",
            api_url=self.fake.url,
        )
        now = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(weeks=self.runs)
        environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(clone), **files}
        inputs = read_inputs({"INPUT_GITHUB-TOKEN": TOKEN, "INPUT_MODE": "monitor"})
        code = watch_and_publish(trigger, inputs, environ, clone / "metricgate-report", now=now)
        summary = Path(files["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
        outputs = read_pairs(Path(files["GITHUB_OUTPUT"]).read_text(encoding="utf-8"))
        return {**outputs, "exit": str(code), "summary": summary}


def test_month_that_moved_opens_one_issue_and_no_check(fake_github: FakeGitHub, tmp_path: Path) -> None:
    jobs = Jobs(folder=tmp_path, fake=fake_github)
    jobs.create()

    quiet, again = jobs.run(), jobs.run()
    jobs.push_month(3, shift=12)
    moved = jobs.run()
    jobs.push_month(4, shift=12.1)
    still = jobs.run()

    assert (quiet["verdict"], again["verdict"]) == ("passed", "skipped"), quiet["summary"]
    assert "no rows are newer" in again["summary"]
    assert (moved["verdict"], moved["exit"]) == ("failed", "1")
    assert still["verdict"] == "failed"
    [issue] = fake_github.issues.values()
    assert "tenure" in issue.title
    assert "to accept it: `features: {tenure: {" in issue.body
    assert issue.comments == []
    assert fake_github.checks(jobs.git("rev-parse", "HEAD")) == []
    assert "refs/metricgate/monitor/default" in jobs.git("for-each-ref", cwd=jobs.origin)


def test_run_that_ends_in_an_error_opens_the_issue(fake_github: FakeGitHub, tmp_path: Path) -> None:
    jobs = Jobs(folder=tmp_path, fake=fake_github)
    jobs.create()
    (jobs.work / "data/fresh.csv").write_text("", encoding="utf-8")
    jobs.git("commit", "-qam", "the query broke")
    jobs.git("push", "-q", "origin", "main")

    broken = jobs.run()

    assert (broken["verdict"], broken["exit"]) == ("error", "3")
    [issue] = fake_github.issues.values()
    assert "Could not judge: data/fresh.csv" in issue.title
