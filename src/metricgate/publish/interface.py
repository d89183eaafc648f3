"""What a destination of a run promises, and the values that pass between destinations."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from metricgate.errors import CancelledError, MetricgateError
from metricgate.models.outcome import Verdict
from metricgate.report.escape import escape_sentence
from metricgate.report.occasion import EventKind
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Notice:
    """One thing that was not published and why; text from GitHub or a proxy is never ``is_markdown``."""

    text: str
    is_markdown: bool = False

    def render(self) -> str:
        """Return the notice as Markdown."""
        return self.text if self.is_markdown else escape_sentence(self.text)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A finished run as a destination gets it; earlier destinations have added their links and notices.

    Attributes
    ----------
    name : the set-up as people see it, such as ``MetricGate (churn)``
    directory : the report folder; a file may be missing from it
    view_context : the links of the report's views
    earlier : the verdicts published before about the same pull request or branch, the newest first; none if unknown
    """

    report: Report
    directory: Path
    name: str
    kind: EventKind = "gate"
    view_context: ViewContext = field(default_factory=ViewContext)
    comment_url: str = ""
    check_url: str = ""
    pull_request_url: str = ""
    earlier: tuple[Verdict, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def previous(self) -> Verdict | None:
        """The verdict last published; None where there is none or it is unknown."""
        return self.earlier[0] if self.earlier else None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What came of one delivery: ``event`` for the next destination, and whether anything broke."""

    event: Event
    failed: bool = False


class Destination(Protocol):
    """A place where people or systems learn about a run.

    An implementation promises:

    - It delivers within about ``within_s`` seconds, retries included, or gives up.
    - It raises nothing but ``CancelledError``. Its trouble is a notice on the returned event, and ``failed`` if
      something broke; a missing permission is a notice only.
    - It changes neither the report nor its verdict, and removes nothing from the event.
    - It shows a view from ``report/formats/`` and composes no other text about the run.
    - Delivering an event twice has the effect of delivering it once, if the destination can be asked what it has.
    """

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Deliver the event, and return it with what this destination adds."""
        ...


@dataclass
class Notices:
    """Collects the trouble of one destination while the delivery goes on."""

    collected: list[Notice] = field(default_factory=list)
    failed: bool = False

    def add(self, text: str) -> None:
        if Notice(text) not in self.collected:
            self.collected.append(Notice(text))

    def attempt(self, what: str, action: Callable[[], T], *, done: str = "written") -> T | None:
        """Do one thing. What goes wrong becomes a notice, and the next thing is still tried."""
        try:
            return action()
        except CancelledError:
            raise
        except (MetricgateError, OSError) as error:
            problem = f"The {what} could not be {done}. {error}"
        except Exception as error:  # the verdict and the other views must still come out
            problem = f"The {what} could not be {done} because of a bug in MetricGate ({type(error).__name__})."
            log.exception("%s", problem)
        self.failed = True
        self.add(problem)
        return None

    def all(self) -> tuple[Notice, ...]:
        """Return every notice."""
        return tuple(self.collected)
