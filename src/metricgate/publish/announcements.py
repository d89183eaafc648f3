"""The destinations beyond GitHub, all at once: bounded together, and none of them able to fail the run."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from metricgate.publish.interface import Delivery, Destination, Event, Notice

log = logging.getLogger(__name__)

EACH_S = 10.0
TOGETHER_S = 20.0
HURRIED_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Announcer:
    """One destination with its name, for the notice about one that is late, and the seconds that it may take."""

    name: str
    destination: Destination
    within_s: float = EACH_S


@dataclass
class Announcements:
    """Delivers to several destinations in parallel.

    What goes wrong is a notice, and never ``failed``: a service that is down must not give the step another exit code.
    A second delivery, after a signal, repeats none that was begun.
    """

    announcers: Sequence[Announcer]
    prepare: Callable[[Event], Event] = lambda event: event
    now: Callable[[], float] = time.monotonic
    _most_s: float = math.inf
    _begun: dict[str, threading.Thread] = field(default_factory=dict)
    _notices: dict[str, tuple[Notice, ...]] = field(default_factory=dict)

    def hurry(self) -> None:
        """Keep to the few seconds that a cancelled workflow leaves."""
        self._most_s = HURRIED_S

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Start every delivery, and wait for all of them together."""
        if not self.announcers:
            return Delivery(event=event)
        together_s = max(TOGETHER_S, *(one.within_s for one in self.announcers))
        ends = self.now() + min(within_s, together_s, self._most_s)
        prepared = self.prepare(event)
        for announcer in self.announcers:
            if announcer.name not in self._begun:
                self._begin(announcer, prepared, max(0.1, min(announcer.within_s, ends - self.now())))
        notices = list(prepared.notices)
        for name, thread in self._begun.items():
            thread.join(max(0.0, ends - self.now()))
            notices += self._notices.get(name, (Notice(f"{name} did not answer in time, and may not have been told."),))
        return Delivery(event=replace(event, notices=tuple(dict.fromkeys(notices))))

    def _begin(self, announcer: Announcer, event: Event, within_s: float) -> None:
        def work() -> None:
            try:
                told = announcer.destination.deliver(replace(event, notices=()), within_s=within_s)
                self._notices[announcer.name] = told.event.notices
            except Exception as error:  # a destination promises not to; the others must still be told
                problem = f"{announcer.name} could not be told because of a bug in MetricGate"
                log.exception("%s.", problem)
                self._notices[announcer.name] = (Notice(f"{problem} ({type(error).__name__})."),)

        thread = threading.Thread(target=work, name=announcer.name, daemon=True)
        self._begun[announcer.name] = thread
        thread.start()
