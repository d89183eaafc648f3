"""Every route of the fake GitHub: importing this registers them."""

from tests.github import conversation, issues, releases, storage, verdicts
from tests.github.routing import Answer, Request, dispatch

__all__ = ["Answer", "Request", "conversation", "dispatch", "issues", "releases", "storage", "verdicts"]
