"""Fixtures of the watching tests."""

from tests.github.fixtures import fake_github, make_client

__all__ = ["fake_github", "make_client"]
