"""SIGINT and SIGTERM as an ordinary error, so that a stopped run still reports what happened."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from metricgate.errors import CancelledError, TimeLimitError


def _raise_cancelled(number: int, _frame: FrameType | None) -> None:
    # Only the first one: a second must not interrupt the clean-up and the report.
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    raise CancelledError(
        f"The run was stopped by {signal.Signals(number).name}.",
        expected="a run that is left to finish.",
        fix="start it again; finished stages are kept in the DVC cache.",
    )


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into CancelledError in the main thread, once, while the context lasts."""
    before = {number: signal.signal(number, _raise_cancelled) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def limit_time(seconds: float | None) -> Iterator[None]:
    """Raise TimeLimitError in the main thread after ``seconds``; no limit is None, and any other thread."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeLimitError(
            f"Reading and comparing the predictions was stopped after {seconds:g} s.",
            expected="a comparison that ends within the time limit.",
            fix="raise timeout-minutes, or let the pipeline write fewer test rows.",
            topic="the-comparison-took-too-long",
        )

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
