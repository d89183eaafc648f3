"""Fixtures are in tests/github/fixtures.py, so that other rooms' tests can use them too."""

from pathlib import Path

import pytest

from tests.github.fake import FakeGitHub
from tests.github.fixtures import fake_github, make_client
from tests.github.job import HEAD, Job

__all__ = ["fake_github", "make_client"]


@pytest.fixture
def job(fake_github: FakeGitHub, tmp_path: Path) -> Job:  # pytest's way to name a fixture
    """Open pull request 7, and yield a job that publishes for it."""
    fake_github.open_pull_request(7, HEAD)
    return Job(fake_github, tmp_path)
