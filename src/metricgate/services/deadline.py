"""A limit on the wall time of one call, whatever it waits for."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def finish_within(seconds: float, action: Callable[[], T]) -> T:
    """Return what ``action`` returns, and raise what it raises, if it ends in time.

    The time-outs of sockets cannot do this: each byte that arrives starts them anew, and they do not cover the look-up
    of a name. The action runs in a thread of its own. One that is late is left behind: it never keeps the process
    alive, its result is dropped, and what it uses must not be used again.

    Raises
    ------
    TimeoutError
        After ``seconds``.
    """
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
    ended.wait(max(0.0, seconds))  # not `join`, which takes a thread for ended after a signal (CPython 3.11)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"not finished after {seconds:g} s")
    return results[0]
