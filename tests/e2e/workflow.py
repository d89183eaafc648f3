"""A workflow on the fake GitHub: a pull request of the churn project, checked out as on GitHub, and a step."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from metricgate.demo.project import MAIN
from tests.churn import Churn
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.job import read_pairs

NUMBER = 7
FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
# The runner's folders beside the workspace, by the names it gives them.
HOME, EVENT, COMMANDS = "_temp/_github_home", "_temp/_github_workflow/event.json", "_temp/_runner_file_commands"
TIMEOUT_S = 120


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one step of a workflow left behind."""

    exit_code: int
    log: str
    outputs: Mapping[str, str]
    summary: str
    report: Mapping[str, Any]


@dataclass
class Workflow:
    """Pull request 7 of ``churn`` (whose checked-out branch is the head) and a runner that judges it."""

    churn: Churn
    fake: FakeGitHub
    runner: Path
    head: str = ""
    _env: dict[str, str] = field(default_factory=dict)

    def open_pull_request(self) -> str:
        """Merge the head into main as GitHub does, check the merge commit out with depth 1, and return the head."""
        churn = self.churn
        self.head = churn.sha()
        branch = churn.git("branch", "--show-current")
        base = churn.sha(MAIN)
        tree = churn.git("merge-tree", "--write-tree", MAIN, branch).splitlines()[0]
        merge = churn.git("commit-tree", tree, "-p", base, "-p", self.head, "-m", f"Merge {self.head} into {base}")
        churn.git("update-ref", f"refs/pull/{NUMBER}/merge", merge)
        churn.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.fake.open_pull_request(NUMBER, self.head, base_sha=base, head_ref=branch)
        self._check_out(merge)
        self._env = self._describe(branch, base, merge)
        return self.head

    def push_to_main(self, before: str) -> str:
        """Check main out as a run on `push` does, and return its commit."""
        self.churn.git("config", "uploadpack.allowAnySHA1InWant", "true")
        sha = self.churn.sha(MAIN)
        self._check_out(sha)
        event = {
            "before": before,
            "after": sha,
            "ref": f"refs/heads/{MAIN}",
            "repository": {"full_name": REPOSITORY, "default_branch": MAIN, "fork": False},
        }
        self._env = self._write_event(event) | {
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": f"refs/heads/{MAIN}",
            "GITHUB_SHA": sha,
        }
        return sha

    def queue_merge_group(self) -> str:
        """Check the commit out that a merge queue made of the branch, and return it."""
        head = self.open_pull_request()
        merge = self._env["GITHUB_SHA"]
        base, ref = self.churn.sha(MAIN), f"refs/heads/gh-readonly-queue/{MAIN}/pr-{NUMBER}-{head}"
        group = {"head_sha": merge, "head_ref": ref, "base_sha": base, "base_ref": f"refs/heads/{MAIN}"}
        event = {"action": "checks_requested", "merge_group": group, "repository": {"default_branch": MAIN}}
        self.runner.joinpath(EVENT).write_text(json.dumps(event), encoding="utf-8")
        self.add_variables(GITHUB_EVENT_NAME="merge_group", GITHUB_REF=ref, GITHUB_SHA=merge)
        return merge

    def dispatch(self) -> str:
        """Check out the merge commit with depth 2, as a workflow run by hand on main does; return main's commit."""
        self.open_pull_request()
        merge, main = self._env["GITHUB_SHA"], self.churn.sha(MAIN)
        self._git("fetch", "--quiet", "--no-tags", "--depth=2", "origin", merge)
        event = {
            "inputs": {"pull-request": str(NUMBER)},
            "ref": f"refs/heads/{MAIN}",
            "repository": {"full_name": REPOSITORY, "default_branch": MAIN, "fork": False},
        }
        self.runner.joinpath(EVENT).write_text(json.dumps(event), encoding="utf-8")
        self.add_variables(GITHUB_EVENT_NAME="workflow_dispatch", GITHUB_REF=f"refs/heads/{MAIN}", GITHUB_SHA=main)
        return main

    @property
    def variables(self) -> Mapping[str, str]:
        """What the runner gives the step in its environment, without inputs."""
        return dict(self._env)

    def add_variables(self, **variables: str) -> None:
        """Set what a workflow's `env:` or an earlier step would."""
        self._env.update(variables)

    @property
    def workspace(self) -> Path:
        return self.runner / "workspace"

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.workspace, check=True, capture_output=True)

    def _check_out(self, sha: str) -> None:
        self.workspace.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch", "main")
        self._git("remote", "add", "origin", self.churn.repository.as_uri())
        self._git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", f"+{sha}:refs/remotes/pull/{NUMBER}/merge")
        self._git("checkout", "--quiet", "--force", f"refs/remotes/pull/{NUMBER}/merge")
        if (self.workspace / ".dvc").is_dir():
            Churn(repository=self.workspace, remote=self.churn.remote).use_remote(self.churn.remote)

    def _describe(self, branch: str, base: str, merge: str) -> dict[str, str]:
        """Return the environment that GitHub's runner sets, with a real payload in its event file."""
        repository = {"full_name": REPOSITORY, "default_branch": MAIN, "fork": False}
        event = {
            "action": "synchronize",
            "number": NUMBER,
            "repository": repository,
            "pull_request": {
                "number": NUMBER,
                "draft": False,
                "body": "A change.",
                "labels": [],
                "head": {"sha": self.head, "ref": branch, "repo": repository},
                "base": {"sha": base, "ref": MAIN, "repo": repository},
            },
        }
        return self._write_event(event) | {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REF": f"refs/pull/{NUMBER}/merge",
            "GITHUB_SHA": merge,
        }

    def _write_event(self, event: Mapping[str, Any]) -> dict[str, str]:
        for path in (HOME, Path(EVENT).parent, COMMANDS):
            self.runner.joinpath(path).mkdir(parents=True)
        self.runner.joinpath(EVENT).write_text(json.dumps(event), encoding="utf-8")
        for name in FILES:
            self._command_file(name).touch()
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.fake.url,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(self.runner / EVENT),
            "GITHUB_RUN_ID": "4711",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKSPACE": str(self.workspace),
            "INPUT_GITHUB-TOKEN": TOKEN,
            **{name: str(self._command_file(name)) for name in FILES},
        }

    def _command_file(self, name: str) -> Path:
        return self.runner / COMMANDS / name.lower()

    def start(self, **inputs: str) -> subprocess.Popen[str]:
        """Start the step; ``inputs`` are the action's, with ``_`` for ``-``."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        given = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
        return subprocess.Popen(
            [sys.executable, "-m", "metricgate", "action"],
            cwd=self.workspace,
            env={**os.environ, **self._env, "PATH": path, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, **inputs: str) -> Step:
        return self.finish(self.start(**inputs))

    def finish(self, process: subprocess.Popen[str]) -> Step:
        try:
            log, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            raise
        report = self.workspace / "metricgate-report" / "report.json"
        return Step(
            exit_code=process.returncode,
            log=log,
            outputs=read_pairs(self._command_file("GITHUB_OUTPUT").read_text(encoding="utf-8")),
            summary=self._command_file("GITHUB_STEP_SUMMARY").read_text(encoding="utf-8"),
            report=json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {},
        )


@pytest.fixture
def workflow(churn: Churn, tmp_path: Path) -> Iterator[Workflow]:
    with FakeGitHub().serve() as fake:
        yield Workflow(churn=churn, fake=fake, runner=tmp_path / "runner")
        assert fake.violations == []
