"""A job on GitHub, as far as publishing sees it: its files, its log, its clock."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import ChartData, ForestRow, GateRow
from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.publish.files import write_report
from metricgate.publish.github.retry_budget import RetryBudget
from metricgate.publish.publication import Publication, Published
from metricgate.report.occasion import EventKind
from metricgate.report.value import Report
from metricgate.settings.inputs import read_inputs
from metricgate.trigger import PullRequest, Trigger, TriggerKind
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.fixtures import SteppedClock

HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40

PUSH: dict[str, Any] = {
    "kind": TriggerKind.PUSH,
    "pull_request": None,
    "sha": HEAD,
    "report_sha": HEAD,
    "ref": "refs/heads/main",
    "default_branch": "main",
    "before": BASE,
}
ASKED = "notify: [{to: issue, mention: [ann, acme/ml]}]"


def ask(fake: FakeGitHub, text: str = ASKED) -> None:
    """Let main's policy say who is told."""
    fake.files[BASE, "metricgate.yaml"] = text


def make_report(verdict: Verdict = Verdict.PASSED, **changes: Any) -> Report:
    exit_code = 1 if verdict is Verdict.FAILED else 0
    return Report(metricgate="0.1.0", verdict=verdict, reason="because", exit_code=exit_code, **changes)


def make_trigger(api_url: str, **changes: Any) -> Trigger:
    pull_request = PullRequest(
        number=7, head_sha=HEAD, head_ref="topic", head_repository=REPOSITORY, base_sha=BASE, base_ref="main"
    )
    fields: dict[str, Any] = {
        "kind": TriggerKind.PULL_REQUEST,
        "sha": MERGE,
        "report_sha": HEAD,
        "repository": REPOSITORY,
        "pull_request": pull_request,
        "run_id": 42,
        "run_url": "https://github.example/acme/churn/actions/runs/42",
        "server_url": "https://github.example",
        "api_url": api_url,
    }
    return Trigger(**{**fields, **changes})


def read_pairs(text: str) -> dict[str, str]:
    """Read what the runner would read from GITHUB_OUTPUT."""
    found, lines = {}, text.split("\n")
    while lines != [""]:
        name, delimiter = lines.pop(0).split("<<")
        end = lines.index(delimiter)
        found[name], lines = "\n".join(lines[:end]), lines[end + 1 :]
    return found


class Job:
    """A job on GitHub: its files, its log, and a publication."""

    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        self._fake = fake
        self._folder = folder
        self.clock = SteppedClock()
        self.log: list[str] = []

    def open(
        self,
        *,
        inputs: Mapping[str, str] | None = None,
        token: str = TOKEN,
        timeout_s: float = 5,
        kind_of_run: EventKind = "gate",
        **trigger: Any,
    ) -> Publication:
        given = {"INPUT_GITHUB-TOKEN": token, **{f"INPUT_{key.upper()}": text for key, text in (inputs or {}).items()}}
        return Publication(
            make_trigger(self._fake.url, **trigger),
            read_inputs(given),
            self.environ,
            kind=kind_of_run,
            budget=RetryBudget(sleep=self.clock.sleep, now=self.clock.now),
            timeout_s=timeout_s,
            emit=self.log.append,
        )

    def publish(self, report: Report, **options: Any) -> Published:
        publication = self.open(**options)
        publication.github.start()
        write_report(report, self.directory)
        return publication.finish(report, self.directory)

    @property
    def directory(self) -> Path:
        return self._folder / "metricgate-report"

    @property
    def environ(self) -> dict[str, str]:
        names = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
        files = {name: str(self._folder / name.lower()) for name in names}
        return {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(self._folder), **files}

    def read(self, name: str) -> str:
        return Path(self.environ[name]).read_text(encoding="utf-8")

    def outputs(self) -> dict[str, str]:
        return read_pairs(self.read("GITHUB_OUTPUT"))


def make_candidate(revision: str) -> RevisionInfo:
    return RevisionInfo(revision=revision, name="topic", source=Source.WORKSPACE)


def make_gate(name: str) -> GateRow:
    """Return a failed gate whose texts are all ``name``."""
    return GateRow(
        rule=name,
        metric=name,
        role=Role.REQUIRED,
        kind="min",
        direction=Direction.HIGHER,
        bound=1,
        outcome=Outcome.FAILED,
        reason=name,
        reason_code=name,
        candidate=0.5,
    )


def make_chart() -> ChartData:
    row = ForestRow(
        label="ROC AUC",
        outcome=Outcome.FAILED,
        better=Direction.HIGHER,
        difference=-0.02,
        low=-0.03,
        high=-0.01,
        margin=-0.01,
    )
    return ChartData(name="forest", kind="forest", title="Differences", alt="ROC AUC fell", forest=(row,))


def make_environ(fake: FakeGitHub, job: Job, **changes: str) -> dict[str, str]:
    """Return the environment that the runner gives a step on pull request 7."""
    head = {"sha": HEAD, "ref": "topic", "repo": {"full_name": REPOSITORY}}
    event = job.directory.parent / "event.json"
    payload = {"pull_request": {"number": 7, "head": head, "base": {"sha": BASE, "ref": "main"}}}
    event.write_text(json.dumps(payload), encoding="utf-8")
    return {
        "GITHUB_API_URL": fake.url,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "42",
        "INPUT_GITHUB-TOKEN": TOKEN,
        **job.environ,
        **changes,
    }
