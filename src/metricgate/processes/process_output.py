"""A process's output: kept in a bounded file, its last lines for the report, and fenced off from GitHub's runner."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from metricgate.processes.safe_files import open_new

MAX_SHOWN_CHARACTERS = 2_000_000
HEAD_CHARACTERS = 5_000_000
TAIL_CHARACTERS = 500_000
LAST_LINES = 40
LAST_CHARACTERS = 6_000


class OutputLog:
    """Keeps the start and the end of an output in a file, whatever its length."""

    def __init__(self, path: Path | None, *, head: int = HEAD_CHARACTERS, tail: int = TAIL_CHARACTERS) -> None:
        self._file = None
        if path is not None:
            self._file = open_new(path)
        self._head_left = head
        self._tail: deque[str] = deque()
        self._tail_length = 0
        self._tail_limit = tail
        self._left_out = 0

    def write(self, text: str) -> None:
        if self._file is not None and self._head_left > 0:
            self._file.write(text[: self._head_left])
            self._file.flush()
        beyond = text[self._head_left :] if self._head_left > 0 else text
        self._head_left = max(0, self._head_left - len(text))
        self._remember(text)
        if beyond and self._head_left == 0:
            self._left_out += len(beyond)

    def _remember(self, text: str) -> None:
        self._tail.append(text)
        self._tail_length += len(text)
        while self._tail_length - len(self._tail[0]) >= self._tail_limit:
            self._tail_length -= len(self._tail.popleft())

    def last_lines(self) -> str:
        text = "".join(self._tail)[-LAST_CHARACTERS:]
        return "\n".join(text.splitlines()[-LAST_LINES:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._file is None:
            return
        if self._left_out:
            end = "".join(self._tail)[-min(self._left_out, self._tail_limit) :]
            dropped = self._left_out - len(end)
            self._file.write((f"\n… {dropped} characters left out …\n" if dropped else "") + end)
        self._file.close()


@contextmanager
def fence_output(stream: TextIO, *, github: bool, limit: int = MAX_SHOWN_CHARACTERS) -> Iterator[Callable[[str], None]]:
    """Yield a writer to ``stream`` that stops after ``limit`` characters.

    On GitHub the text is written between ``::stop-commands::TOKEN`` and ``::TOKEN::``. The token is new and unknown to
    the process that writes, so none of its lines is read as a workflow command.
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
