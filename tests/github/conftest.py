"""Fixtures are in tests/github/fixtures.py, so that other rooms' tests can use them too."""

from tests.github.fixtures import fake_github, make_client  # noqa: F401
