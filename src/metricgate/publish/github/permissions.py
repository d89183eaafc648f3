"""Trouble with GitHub as notices: the missing permissions in one notice, which says what they would bring."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from metricgate.publish.github.response import GitHubError, Trouble
from metricgate.publish.interface import Notice, Notices

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass
class GitHubNotices(Notices):
    """Collects GitHub's trouble. ``is_fork``: the token of a fork's pull request cannot get more permissions."""

    is_fork: bool = False
    missing: dict[str, str] = field(default_factory=dict)  # permission -> what it would bring

    def attempt_with(self, permission: str, what: str, action: Callable[[], T], *, done: str = "published") -> T | None:
        """Do one thing on GitHub that needs a permission; without the permission nothing has failed."""

        def act() -> T | None:
            try:
                return action()
            except GitHubError as error:
                if error.trouble is Trouble.APP_ONLY:
                    self.add(f"A personal token cannot create a {what}: use the job's token, or `check: status`.")
                elif error.trouble is Trouble.FORBIDDEN:
                    self.missing[permission] = what
                    log.info("The token may not write the %s: %s", what, error.what)
                else:
                    raise
                return None

        return self.attempt(what, act, done=done)

    def all(self) -> tuple[Notice, ...]:
        """Return every notice, the missing permissions as one."""
        return (*self.collected, *([self._explain_missing()] if self.missing else []))

    def _explain_missing(self) -> Notice:
        *first, last = [f"the {what}" for what in self.missing.values()]
        things = f"{', '.join(first)} and {last}" if first else last
        if self.is_fork:
            return Notice(
                f"The token of a pull request from a fork is read-only, so MetricGate could not publish {things}. "
                "To publish, add a second workflow on workflow_run with `mode: publish`: "
                "examples/workflows/forks-publish.yml.",
                is_markdown=True,
            )
        lines = ["permissions:", "  contents: read", *(f"  {permission}: write" for permission in self.missing)]
        if "contents" in self.missing:
            lines.remove("  contents: read")
        block = "\n".join(lines)
        return Notice(
            f"MetricGate would also publish {things} if the job had these permissions:\n\n```yaml\n{block}\n```",
            is_markdown=True,
        )
