"""Progress in a terminal: a line for each thing that happens, and one rewritten in place with its seconds."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from metricgate.processes.process_output import fence_output

CLEAR = "\r\x1b[K"
EVERY_S = 1.0


class LiveLine:
    """Shows a text with its seconds where ``stream`` is a terminal, and nothing elsewhere.

    It never breaks into the pipeline's own output: a progress bar is left alone.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.RLock()
        self._text = ""
        self._since = 0.0
        self._is_shown = False
        self._is_line_open = False

    @contextmanager
    def running(self, text: str) -> Iterator[None]:
        """Show ``text``, and what replaces it, for as long as the context lasts."""
        if not self._stream.isatty():
            yield
            return
        self.say(text)
        ended = threading.Event()
        ticker = threading.Thread(target=self._tick_until, args=(ended,), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            ended.set()
            ticker.join()
            self.say("")

    def say(self, text: str) -> None:
        """Show this text from now on, or none."""
        with self.hidden():
            self._text, self._since = text, self._clock()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Remove the line while something else is written."""
        with self._lock:
            if self._is_shown:
                self._stream.write(CLEAR)
                self._stream.flush()
                self._is_shown = False
            yield

    def follow(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """Return ``write`` for the pipeline's output, which may end in the middle of a line."""

        def write_over(text: str) -> None:
            with self.hidden():
                write(text)
                self._is_line_open = not text.endswith("\n") if text else self._is_line_open

        return write_over

    def tick(self) -> None:
        """Write the line again, with its seconds."""
        with self._lock:
            if self._text and not self._is_line_open:
                width = shutil.get_terminal_size().columns - 1
                self._stream.write(CLEAR + f"  … {self._text}, {self._clock() - self._since:.0f} s"[:width])
                self._stream.flush()
                self._is_shown = True

    def _tick_until(self, ended: threading.Event) -> None:
        while not ended.wait(EVERY_S):
            self.tick()


class TerminalProgress:
    """Shows progress on standard error."""

    def __init__(self) -> None:
        self._live = LiveLine(sys.stderr)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        click.echo(f"· {name} …", err=True)
        with self._live.running(name):
            yield
        click.echo(f"  {name}: {time.monotonic() - started:.1f} s", err=True)

    def line(self, text: str, *, ends: bool = False) -> None:
        with self._live.hidden():
            click.echo(f"  {text}", err=True)
        self._live.say("" if ends else text)

    @contextmanager
    def passthrough(self) -> Iterator[Callable[[str], None]]:
        with fence_output(sys.stderr, github=False) as write:
            yield self._live.follow(write)
