"""Output of a pipeline, passed on so that it cannot speak to GitHub's runner."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

MOST_CHARACTERS = 2_000_000


@contextmanager
def fence_output(stream: TextIO, *, github: bool, limit: int = MOST_CHARACTERS) -> Iterator[Callable[[str], None]]:
    """Yield a writer to ``stream`` that stops after ``limit`` characters.

    On GitHub the text stands between ``::stop-commands::TOKEN`` and ``::TOKEN::``; the token is fresh and unknown to
    the process that writes, so no line of it is read as a workflow command.
    """
    token = secrets.token_hex(32)
    left = limit

    def write(text: str) -> None:
        nonlocal left
        if left > 0:
            stream.write(text[:left])
            left -= len(text)
            if left <= 0:
                stream.write("\n… more output is in the log file only\n")
            stream.flush()

    if github:
        stream.write(f"::stop-commands::{token}\n")
        stream.flush()
    try:
        yield write
    finally:
        if github:
            # The newline first: a token in the middle of the pipeline's last line would not be seen.
            stream.write(f"\n::{token}::\n")
            stream.flush()
