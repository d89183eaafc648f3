"""The image as a step of Kubernetes runners: a pod that waits, a copied workspace, and a script that starts the action.

Source: actions/runner-container-hooks 0.8, packages/k8s/src/hooks/run-container-step.ts and k8s/utils.ts.
"""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.container_job import ACTION, RUNNER_UID, ContainerJob
from tests.e2e.workflow import NUMBER

pytestmark = pytest.mark.acceptance

FOLDERS = {"_github_home": "home", "_github_workflow": "workflow", "_runner_file_commands": "file_commands"}


@pytest.fixture(params=["0:0", f"{RUNNER_UID}:{RUNNER_UID}"], ids=["root", "not root"])
def pod(request: pytest.FixtureRequest, job: ContainerJob) -> Iterator[str]:
    """Yield a container that waits, as this user, with the runner's folder copied to /__w; remove it in the end."""
    job.open_pull_request()
    name = f"metricgate-pod-{id(job)}"
    start = [
        "docker",
        "run",
        "--detach",
        "--name",
        name,
        "--network",
        "host",
        "--workdir",
        "/__w",
        "--user",
        request.param,
    ]
    for folder in (job.churn.repository, job.churn.remote):  # they stand for servers
        start += ["--volume", f"{folder}:{folder}"]
    run(*start, "--entrypoint", "tail", job.image, "-f", "/dev/null")
    try:
        # Kubernetes mounts both, with the group of the pod's fsGroup.
        run("docker", "exec", "--user", "0", name, "sh", "-c", "mkdir -p /github && chmod 1777 /__w /github")
        packed = subprocess.run(
            ["tar", "-c", "-C", str(job.runner), "_temp", "workspace"], check=True, capture_output=True
        ).stdout
        unpack = [
            "docker",
            "exec",
            "--interactive",
            name,
            "tar",
            "-x",
            "-m",
            "--no-same-owner",
            "--no-same-permissions",
            "-C",
        ]
        subprocess.run([*unpack, "/__w", "-f", "-"], input=packed, check=True)
        yield name
    finally:
        run("docker", "rm", "--force", name)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True)


def write_script(job: ContainerJob) -> str:
    """Return the script that moves the folders to their places, and starts the action with its environment."""
    moves = [f"mv /__w/_temp/{source} /github/{target}" for source, target in FOLDERS.items()]
    environment = [f"{name}={value}" for name, value in job.translate_environment({}).items()]
    start = shlex.join(["exec", "env", *environment, ACTION["entrypoint"], *ACTION["args"]])
    return "\n".join([*moves, "mv /__w/workspace /github/workspace", "cd /github/workspace", start])


def test_the_pull_request_is_blocked_with_comment_and_check(job: ContainerJob, pod: str) -> None:
    command = ["docker", "exec", "--interactive", pod, "sh", "-e", "-s"]

    done = subprocess.run(command, input=write_script(job), check=False, capture_output=True, text=True)

    assert done.returncode == 1, done.stdout + done.stderr
    (comment,) = job.fake.comments(NUMBER)
    assert "ROC AUC is 0.026 lower" in comment.body
    *_, check = job.fake.checks(job.head)
    assert check.conclusion == "failure"
    # The hook copies nothing back: the step's outputs and its report stay in the pod.
    run("docker", "exec", pod, "test", "-f", "/github/workspace/metricgate-report/report.json")
    assert Path(job.variables["GITHUB_OUTPUT"]).read_text(encoding="utf-8") == ""
