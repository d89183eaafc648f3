"""A job on a fake GitHub, for every publishing test."""

from pathlib import Path

import pytest

from tests.github.fake import FakeGitHub
from tests.github.fixtures import fake_github
from tests.github.job import Job

__all__ = ["fake_github"]


@pytest.fixture
def job(fake_github: FakeGitHub, tmp_path: Path) -> Job:
    return Job(fake_github, tmp_path)
