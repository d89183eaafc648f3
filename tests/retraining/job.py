"""A scheduled run of `mode: retrain` on GitHub: a fresh clone, the fake GitHub in front of a real repository."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from metricgate.cli.retrain_mode import retrain_and_offer
from metricgate.retraining.memory import Memory
from metricgate.settings.inputs import read_inputs
from metricgate.trigger import Trigger, TriggerKind
from tests.e2e.example import read_steps
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.job import read_pairs
from tests.github.state import Issue, PullRequest, Token
from tests.retraining.projects import RetrainProject

FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True, kw_only=True)
class JobResult:
    exit_code: int
    outputs: Mapping[str, str]
    summary: str


@dataclass
class RetrainJobs:
    """Runs of the workflow, one after the other; ``now`` is what their clocks say."""

    project: RetrainProject
    fake: FakeGitHub
    folder: Path
    now: datetime = datetime(2026, 11, 26, tzinfo=UTC)
    runs: int = field(default=0)
    fresh: str = ""  # rows that arrive where they are watched, before each run

    @classmethod
    def build(cls, project: RetrainProject, fake: FakeGitHub, folder: Path) -> "RetrainJobs":
        fake.use_git(project.origin)
        [step] = read_steps("retrain")  # the example's rights, and no others
        fake.tokens[TOKEN] = Token(permissions=dict(step.permissions))
        return cls(project=project, fake=fake, folder=folder)

    @property
    def main(self) -> str:
        return self.fake.refs["refs/heads/main"]

    @property
    def open_requests(self) -> list[PullRequest]:
        return [one for one in self.fake.pull_requests.values() if one.state == "open"]

    @property
    def dashboard(self) -> Issue:
        [issue] = [one for one in self.fake.issues.values() if "metricgate-dashboard" in one.body]
        return issue

    def run(
        self, kind: TriggerKind = TriggerKind.SCHEDULE, *, actor: str = "", issue: int | None = None, **inputs: str
    ) -> JobResult:
        """Check main out as CI does, and run the step."""
        self.runs += 1
        workspace = self.folder / f"run-{self.runs}"
        clone = self.project.clone(workspace)
        RetrainProject.use_places(
            RetrainProject(root=workspace, remote=clone.remote, origin=clone.origin, source=self.project.source)
        )
        if self.fresh:
            clone.write("fresh/rows.csv", self.fresh)
        files = {name: str(self.folder / f"{name.lower()}-{self.runs}") for name in FILES}
        for file in files.values():
            Path(file).touch()
        trigger = Trigger(
            kind=kind,
            sha=clone.sha(),
            report_sha=clone.sha(),
            ref="refs/heads/main",
            repository=REPOSITORY,
            default_branch="main",
            run_id=self.runs,
            run_url=f"https://github.example/{REPOSITORY}/actions/runs/{self.runs}",
            server_url="https://github.example",
            api_url=self.fake.url,
            actor=actor,
            issue=issue,
        )
        given = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
        environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(workspace), **files}
        exit_code = retrain_and_offer(
            trigger,
            read_inputs({"INPUT_GITHUB-TOKEN": TOKEN, "INPUT_MODE": "retrain", **given}),
            environ,
            workspace / "metricgate-report",
            now=self.now,
        )
        result = JobResult(
            exit_code=exit_code,
            outputs=read_pairs(Path(files["GITHUB_OUTPUT"]).read_text(encoding="utf-8")),
            summary=Path(files["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8"),
        )
        shutil.rmtree(workspace)
        return result

    def count_trainings(self) -> int:
        """Return how many trainings the runs remember."""
        return len(self.read_memory().trainings) if "refs/metricgate/retrain/default" in self.fake.refs else 0

    def read_memory(self) -> Memory:
        """Return what the runs remember."""
        assert self.fake.git
        return Memory.model_validate_json(self.fake.git.run("show", "refs/metricgate/retrain/default:memory.json"))

    def merge(self) -> str:
        """Merge the open pull request at the present time; return main's new head."""
        [request] = self.open_requests
        assert self.fake.git
        self.fake.git.date = self.now.isoformat()
        return self.fake.merge(request.number)
