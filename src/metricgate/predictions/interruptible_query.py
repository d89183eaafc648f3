"""Queries that a signal or a time limit can end: DuckDB returns to Python only with its result."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LAST_WORDS_S = 10.0


def run_interruptibly(action: Callable[[], T], interrupt: Callable[[], object]) -> T:
    """Return what ``action`` returns, in a thread of its own; ``interrupt`` ends it where this one is stopped."""
    results: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def work() -> None:
        try:
            results.append(action())
        except BaseException as error:  # noqa: BLE001  raised below, in the caller's thread
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=work, daemon=True).start()
    try:
        ended.wait()  # not `join`, which takes a thread for ended after a signal (CPython 3.11)
    except BaseException:
        interrupt()
        ended.wait(_LAST_WORDS_S)
        raise
    if errors:
        raise errors[0]
    return results[0]
