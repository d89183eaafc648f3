"""A workflow of examples/workflows, whole: act reads it, checks out, and runs the image as the step that it names."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from scripts.base_image import read_base
from tests.churn import Churn
from tests.e2e.workflow import NUMBER
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
ACT = Path(sys.executable).parent / "act"
ACT_IMAGE = "act-dockeraction:latest"  # act's name for the image of `uses: ./`
STEP = "metricgate/metricgate@v1 # better: the full SHA of a release"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def remote_url(churn: Churn) -> Iterator[str]:
    """The DVC remote as a web server: act mounts nothing but the workspace."""
    handler = partial(QuietHandler, directory=str(churn.remote))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def add_workflow(churn: Churn, remote_url: str) -> None:
    """Commit the example workflow, with this action in the place of the released one, and the served remote."""
    text = (ROOT / "examples/workflows/pull-request.yml").read_text(encoding="utf-8")
    assert STEP in text
    churn.write(".github/workflows/gate.yml", text.replace(STEP, "./"))
    for name in ("action.yml", "Dockerfile"):
        churn.write(name, (ROOT / name).read_text(encoding="utf-8"))
    churn.git("remote", "add", "origin", f"https://github.com/{REPOSITORY}.git")
    churn.commit("Add the gate")
    # As after a checkout: no cache, no data. The address is in .dvc/config.local, for main's own names a folder.
    churn.use_remote(remote_url)
    shutil.rmtree(churn.repository / ".dvc/cache")
    for path in ("data/prepared", "models", "eval"):
        shutil.rmtree(churn.repository / path)
    (churn.repository / "data/telco-churn.csv").unlink()
    churn.git("checkout", "--quiet", ".")


def describe_event(churn: Churn) -> dict[str, object]:
    repository = {"full_name": REPOSITORY, "default_branch": "main"}
    head = {"ref": churn.git("branch", "--show-current"), "sha": churn.sha(), "repo": repository}
    base = {"ref": "main", "sha": churn.sha("main"), "repo": repository}
    pull_request = {"number": NUMBER, "draft": False, "body": "", "labels": [], "head": head, "base": base}
    return {"action": "synchronize", "number": NUMBER, "pull_request": pull_request, "repository": repository}


def test_the_example_workflow_blocks_the_pull_request(
    image: str, churn: Churn, remote_url: str, tmp_path: Path
) -> None:
    add_workflow(churn, remote_url)
    event = tmp_path / "event.json"
    event.write_text(json.dumps(describe_event(churn)), encoding="utf-8")
    subprocess.run(["docker", "tag", image, ACT_IMAGE], check=True)
    with FakeGitHub().serve() as fake:
        fake.open_pull_request(NUMBER, churn.sha(), base_sha=churn.sha("main"), head_ref="bigger-trees")
        command = [str(ACT), "pull_request", "--eventpath", str(event), "--rebuild=false", "--pull=false"]
        command += ["--use-gitignore=false"]  # .dvc/config.local
        command += ["--network", "host", "--platform", f"ubuntu-latest={find_base_image()}"]
        command += ["--env", f"GITHUB_API_URL={fake.url}", "--env", "OMP_NUM_THREADS=1"]
        command += ["--container-daemon-socket", find_socket(), "--secret", "GITHUB_TOKEN"]
        done = subprocess.run(
            command,
            cwd=churn.repository,
            env=make_environment(tmp_path),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        assert "exit with `FAILURE`: 1" in done.stdout, done.stdout
        (comment,) = fake.comments(NUMBER)
        assert "ROC AUC is 0.026 lower" in comment.body


def find_base_image() -> str:
    """Return the image that the Dockerfile starts from: it is there, and act only checks out in it."""
    name, _ = read_base()
    return name


def find_socket() -> str:
    """Return the address of the engine that the docker client talks to."""
    command = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def make_environment(home: Path) -> dict[str, str]:
    """Return the environment of act: nothing of this machine's own settings, and the job's token as a secret."""
    return {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "GITHUB_TOKEN": TOKEN}
