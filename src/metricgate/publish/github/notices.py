"""What could not be published, and what it would take: said once, never the end of the run."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from metricgate.errors import CancelledError
from metricgate.publish.github.answer import GitHubError, Trouble
from metricgate.report.escape import escape_sentence

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass
class Notices:
    """Collects trouble while publishing goes on. ``is_fork``: its token can never be given more."""

    is_fork: bool = False
    texts: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)  # permission -> what it would bring
    failures: list[GitHubError] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)

    def attempt(self, what: str, permission: str, action: Callable[[], T], *, done: str = "published") -> T | None:
        """Do one thing on GitHub; what goes wrong becomes a notice, and the next thing is still tried."""
        try:
            return action()
        except GitHubError as error:
            if error.trouble is Trouble.FORBIDDEN and "GitHub App" in error.what:
                self.add(f"A personal token creates no {what}: use the job's own token, or `check: status`.")
            elif error.trouble is Trouble.FORBIDDEN:
                self.missing[permission] = what
                log.info("The token may not write the %s: %s", what, error.what)
            else:
                self.failures.append(error)
                self.add(f"The {what} could not be {done}. {error}")
        except CancelledError:
            raise
        except Exception as error:  # the verdict and the other views must still come out
            log.exception("The %s could not be %s because of a defect in MetricGate.", what, done)
            self.failures.append(_as_defect(what, done, error))
            self.add(self.failures[-1].what)
        return None

    def all(self) -> tuple[str, ...]:
        """Yield every notice, the missing permissions as one."""
        return (*self.texts, *([self._explain_missing()] if self.missing else []))

    def _explain_missing(self) -> str:
        *first, last = [f"the {what}" for what in self.missing.values()]
        things = f"{', '.join(first)} and {last}" if first else last
        if self.is_fork:
            return (
                f"The token of a pull request from a fork only reads, so MetricGate could not publish {things}. "
                "A second workflow, on workflow_run with `mode: publish`, does it: examples/workflows/forks-publish.yml."
            )
        lines = ["permissions:", "  contents: read", *(f"  {permission}: write" for permission in self.missing)]
        if "contents" in self.missing:
            lines.remove("  contents: read")
        block = "\n".join(lines)
        return f"MetricGate would also publish {things} if the job had these permissions:\n\n```yaml\n{block}\n```"

    def render(self) -> tuple[str, ...]:
        """Yield every notice as Markdown: what GitHub or a proxy said in it is only text."""
        return (*map(escape_sentence, self.texts), *([self._explain_missing()] if self.missing else []))


def _as_defect(what: str, done: str, error: Exception) -> GitHubError:
    return GitHubError(
        f"The {what} could not be {done} because of a defect in MetricGate ({type(error).__name__}).",
        trouble=Trouble.REFUSED,
        status=0,
        expected="no defect.",
        fix="Report it with the traceback in the log.",
    )
