"""What cannot start says so where people look: one annotation, the summary, and an exit code that is not 1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metricgate.errors import ConfigurationError
from tests.github.job import HEAD

HEADS = {
    "head": {"sha": HEAD, "ref": "topic", "repo": {"full_name": "acme/churn"}},
    "base": {"sha": HEAD, "ref": "main"},
}
PULL_REQUEST = {"pull_request": {"number": 7, **HEADS}}


@pytest.mark.parametrize(
    ("event", "inputs", "what"),
    [
        ("pull_request", {"INPUT_COMENT": "never"}, "Did you mean 'comment'"),
        ("pull_request", {"INPUT_MODE": "fast"}, "The input 'mode' is 'fast'"),
        ("pull_request_target", {}, "with the rights of the default branch"),
        ("workflow_run", {}, "with the rights of the default branch"),
        ("issue_comment", {}, "was started by the event 'issue_comment'"),
    ],
)
def test_a_refusal_is_an_annotation_a_summary_and_exit_code_2(
    tmp_path: Path, event: str, inputs: dict[str, str], what: str
) -> None:
    summary = tmp_path / "summary"
    (tmp_path / "event.json").write_text(json.dumps(PULL_REQUEST), encoding="utf-8")
    environ = {
        **os.environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_WORKSPACE": str(tmp_path),
        **inputs,
    }

    done = subprocess.run(
        [sys.executable, "-m", "metricgate", "action"],
        cwd=tmp_path,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )

    [annotation] = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert done.returncode == ConfigurationError.exit_code
    assert what in annotation
    assert "Traceback" not in done.stderr
    assert "## ❌ MetricGate could not start" in summary.read_text(encoding="utf-8")
