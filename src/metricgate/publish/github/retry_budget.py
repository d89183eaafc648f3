"""How long publishing may wait for GitHub in total: a required check must not hang because a server does."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass
class RetryBudget:
    """A budget of seconds for waits and for attempts that failed, and a time at which everything ends.

    ``now`` is seconds since the epoch.
    """

    total_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    spent_s: float = field(default=0.0, init=False)
    _ends: float = field(default=math.inf, init=False)

    def spend(self, seconds: float) -> None:
        """Count time that went into an attempt without a result."""
        self.spent_s += max(0.0, seconds)

    def wait(self, seconds: float, why: str) -> bool:
        """Sleep and return True, or return False at once where the budget does not cover it."""
        left_s = min(self.total_s - self.spent_s, self.time_left_s)
        if seconds > left_s:
            log.info("GitHub: %s; not retrying, %.0f s is more than the %.0f s left", why, seconds, max(0.0, left_s))
            return False
        log.info("GitHub: %s; retrying in %.0f s", why, seconds)
        self.sleep(seconds)
        self.spend(seconds)
        return True

    def hurry(self, waiting_s: float, within_s: float) -> None:
        """Leave only this much of the budget for waiting, and of the time for everything."""
        self.total_s = min(self.total_s, self.spent_s + waiting_s)
        self._ends = min(self._ends, self.now() + within_s)

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Limit what runs inside the context to a part of the budget, and of the time."""
        whole, ends = self.total_s, self._ends
        self.total_s = min(whole, self.spent_s + seconds)
        self._ends = min(ends, self.now() + seconds)
        try:
            yield
        finally:
            self.total_s, self._ends = whole, ends

    @property
    def time_left_s(self) -> float:
        """Seconds until everything ends, requests that succeed included."""
        return max(0.0, self._ends - self.now())
