"""Canaries: what must stay secret is planted, and looked for in everything that was written."""

import re
from pathlib import Path

from tests.e2e.workflow import NUMBER, Workflow
from tests.github.fake import TOKEN

WITHHELD = {
    "ACTIONS_RUNTIME_TOKEN": "canary-runtime-5f1d",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary-oidc-77aa",
    "GITHUB_TOKEN": "canary-github-91c3",
    "MLFLOW_TRACKING_PASSWORD": "canary-mlflow-3d18",
    "SLACK_SIGNING": "canary-slack-e6f2",
    "ALERTS_WEBHOOK_URL": "https://chat.example/canary-webhook-4b7a",
    "DATABASE_URL": "postgresql://ann:canary-database-8c0d@db/churn",
}
KEPT = {
    "AWS_SECRET_ACCESS_KEY": "canary-remote-0b2e",
    "REMOTE_PASSWORD": "canary-password-c4d9",
    "SLACK_WEBHOOK_URL": "http://127.0.0.1:9/canary-hook-1a2b",
}
INPUTS = {
    "slack_webhook": "http://127.0.0.1:9/services/canary-slack-3c4d",
    "webhook": "http://127.0.0.1:9/canary-webhook-5e6f",
    "webhook_secret": "canary-signing-7a8b",
    "pushgateway": "http://ann:canary-gateway-9c0d@127.0.0.1:9",
    "mlflow_uri": "http://127.0.0.1:9/canary-tracking-1e2f",
    "mlflow_username": "canary-user-3a4b",
    "mlflow_password": "canary-basic-5c6d",
}

TALKATIVE = """\
import os, sys
for name, value in sorted(os.environ.items()):
    print(f"{name}={value}")
print("::add-mask::x")
print("##[error]forged", file=sys.stderr)
sys.exit("failed with " + os.environ["AWS_SECRET_ACCESS_KEY"])
"""


def read_everything(folder: Path) -> str:
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    return "\n".join(file.read_bytes().decode("utf-8", errors="replace") for file in files)


def test_secrets_reach_neither_the_log_nor_a_file_nor_github(workflow: Workflow) -> None:
    workflow.churn.start_branch("talkative")
    workflow.churn.write("src/train.py", TALKATIVE)
    workflow.churn.commit()
    workflow.open_pull_request()
    workflow.add_variables(**WITHHELD, **KEPT)

    workflow.fake.files[workflow.churn.sha("main"), "metricgate.yaml"] = "notify: [{to: slack}, {to: webhook}]"

    step = workflow.run(**INPUTS)

    [comment], [check] = workflow.fake.comments(NUMBER), workflow.fake.checks(workflow.head)
    written = "\n".join((step.log, read_everything(workflow.runner), comment.body, check.summary, check.title))
    logs = read_everything(workflow.workspace / "metricgate-report" / "logs")
    assert step.exit_code == 4
    assert "AWS_SECRET_ACCESS_KEY=***" in logs
    assert [
        secret for secret in (TOKEN, *WITHHELD.values(), *KEPT.values(), *INPUTS.values()) if secret in written
    ] == []
    assert "The message to Slack could not be sent" in step.summary
    assert "The run on MLflow could not be written. MLflow could not be reached" in step.summary
    assert "canary-" not in step.log + step.summary
    for name in (
        *WITHHELD,
        "INPUT_GITHUB-TOKEN",
        "INPUT_SLACK-WEBHOOK",
        "INPUT_WEBHOOK-SECRET",
        "INPUT_PUSHGATEWAY",
        "INPUT_MLFLOW-URI",
        "INPUT_MLFLOW-PASSWORD",
        "GITHUB_OUTPUT",
        "GITHUB_ENV",
        "GITHUB_STEP_SUMMARY",
    ):
        assert f"{name}=" not in logs


def test_the_pipelines_output_cannot_speak_to_the_runner(workflow: Workflow) -> None:
    """Between stop-commands and its token the runner reads no command, in neither of its two forms."""
    workflow.churn.start_branch("talkative")
    workflow.churn.write("src/train.py", TALKATIVE)
    workflow.churn.commit()
    workflow.open_pull_request()
    workflow.add_variables(**KEPT)

    step = workflow.run()

    outside = re.sub(r"(?s)::stop-commands::([0-9a-f]{64})\n.*?\n::\1::", "", step.log)
    assert "::add-mask::x" in step.log
    assert "::add-mask::" not in outside
    assert "##[" not in outside
