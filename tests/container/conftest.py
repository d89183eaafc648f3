"""The image, built once for all workers, and a job with the churn pull request in its workspace."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.base_image import usable_dockerfile
from tests.churn import Churn
from tests.container.container_job import ContainerJob
from tests.github.fake import FakeGitHub

ROOT = Path(__file__).parents[2]
IMAGE = "metricgate-under-test"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """Build the project's own Dockerfile, unchanged but for the digest of a base image that is only a stand-in."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no Docker Engine answers `docker info`: the image was neither built nor run")
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    built = shared / "image.built"
    with (shared / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            with usable_dockerfile() as dockerfile:
                build = ["docker", "build", "--network", "host", "--tag", IMAGE, "--file", str(dockerfile), str(ROOT)]
                done = subprocess.run(build, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert done.returncode == 0, done.stdout[-8000:]
            built.touch()
    return IMAGE


@pytest.fixture
def job(image: str, churn: Churn, tmp_path: Path) -> Iterator[ContainerJob]:
    with FakeGitHub().serve() as fake:
        yield ContainerJob(churn=churn, fake=fake, runner=tmp_path / "runner", image=image)
        assert fake.violations == []
