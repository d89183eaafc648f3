"""A job on a fake GitHub, and an MLflow server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.fake import FakeGitHub
from tests.github.fixtures import fake_github
from tests.github.job import BASE, HEAD, Job
from tests.mlflow.fake import FakeMlflow
from tests.mlflow.recording import record
from tests.mlflow.repository import access, repository

__all__ = ["access", "fake_github", "record", "repository"]


@pytest.fixture
def mlflow() -> Iterator[FakeMlflow]:
    with FakeMlflow().serve() as server:
        yield server


@pytest.fixture
def job(fake_github: FakeGitHub, tmp_path: Path) -> Job:
    fake_github.open_pull_request(7, HEAD, base_sha=BASE, head_ref="topic")
    return Job(fake_github, tmp_path)
