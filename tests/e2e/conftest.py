"""The workflow fixture, for every end-to-end test."""

from tests.e2e.workflow import workflow

__all__ = ["workflow"]
