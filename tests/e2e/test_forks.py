"""A fork, in two stages: its own job may only read, a trusted one publishes what it uploaded."""

import io
import json
import zipfile
from pathlib import Path

from metricgate.cli.action import run_action
from tests.e2e.workflow import EVENT, NUMBER, Workflow
from tests.github.fake import REPOSITORY, TOKEN
from tests.github.state import Artifact, Token

FORK = "mallory/churn"


def make_fork(workflow: Workflow) -> None:
    """Make the pull request one of another repository, as GitHub's event and API then say."""
    workflow.fake.pull_request(NUMBER).head_repository = FORK
    file = workflow.runner / EVENT
    event = json.loads(file.read_text(encoding="utf-8"))
    event["pull_request"]["head"]["repo"] = {"full_name": FORK}
    file.write_text(json.dumps(event), encoding="utf-8")


def zip_folder(folder: Path) -> bytes:
    """Do what actions/upload-artifact does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return buffer.getvalue()


def test_a_fork_is_judged_without_rights_and_answered_by_a_job_that_has_them(
    workflow: Workflow, tmp_path: Path
) -> None:
    head = workflow.open_pull_request()
    make_fork(workflow)
    workflow.fake.tokens[TOKEN] = Token(permissions={"contents": "read"})

    judged = workflow.run()

    assert judged.exit_code == 1, judged.log
    assert workflow.fake.writes == []
    assert "mode: publish" in judged.summary

    report = zip_folder(workflow.workspace / judged.outputs["report"])
    workflow.fake.artifacts.append(Artifact(1, "metricgate-report", 4711, report))
    workflow.fake.tokens[TOKEN] = Token()
    exit_code = run_action(describe_publishing(workflow, head, tmp_path))

    [comment], [check] = workflow.fake.comments(NUMBER), workflow.fake.checks(head)
    assert exit_code == 1
    assert "Blocked: ROC AUC" in comment.body
    assert "<picture>" in comment.body
    assert check.conclusion == "failure"


def describe_run(workflow: Workflow, head: str) -> dict[str, object]:
    """Describe the fork's run as the event of a job on `workflow_run` does."""
    run = {
        "id": 4711,
        "event": "pull_request",
        "head_sha": head,
        "head_branch": workflow.fake.pull_request(NUMBER).head_ref,
        "head_repository": {"full_name": FORK},
        "conclusion": "failure",
        "created_at": "2026-11-01T12:00:00Z",
    }
    return {"workflow_run": run, "repository": {"default_branch": "main"}}


def describe_publishing(workflow: Workflow, head: str, folder: Path) -> dict[str, str]:
    event = folder / "workflow_run.json"
    event.write_text(json.dumps(describe_run(workflow, head)), encoding="utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": workflow.fake.url,
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "4712",
        "GITHUB_WORKSPACE": str(folder),
        "INPUT_GITHUB-TOKEN": TOKEN,
        "INPUT_MODE": "publish",
    }
