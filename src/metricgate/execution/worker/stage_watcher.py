"""What DVC does with each stage, learned from its log: its API returns only the list of stages that changed."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from metricgate.models.snapshot import StageState


class Say(Protocol):
    """Shows one line; ``ends``: what an earlier line began is over."""

    def __call__(self, text: str, *, ends: bool = False) -> None: ...


class StageWatcher(logging.Handler):
    """Records the state and the time of each stage that DVC's log mentions."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.INFO)
        self._say = say
        self._current: str | None = None
        self._since = 0.0
        self.states: dict[str, StageState] = {}
        self.seconds: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        template, argument = str(record.msg), record.args[0] if isinstance(record.args, tuple) and record.args else ""
        if template.startswith("Running stage"):
            self._begin(str(argument), "ran")
            self._say(f"running stage {argument}")
        elif "is cached - skipping run" in template:
            self._begin(str(argument), "cached")
            self._say(f"stage {argument} ran before with these inputs: its outputs come from DVC's run cache")
        elif template.startswith("Pulling data for"):
            self._begin(str(getattr(argument, "addressing", argument)), "restored")

    def _begin(self, stage: str, state: StageState) -> None:
        self._end()
        self._current, self._since = stage, time.monotonic()
        self.states[stage] = state

    def _end(self) -> None:
        if self._current is not None:
            seconds = self.seconds[self._current] = time.monotonic() - self._since
            if self.states[self._current] == "ran":
                self._say(f"stage {self._current}: {seconds:.1f} s", ends=True)
            self._current = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Listen to DVC's log while the context lasts."""
        log = logging.getLogger("dvc")
        printers = list(log.handlers)
        for printer in printers:
            printer.addFilter(_is_news)
        log.addHandler(self)
        log.setLevel(logging.INFO)
        try:
            yield
        finally:
            self._end()
            log.removeHandler(self)
            for printer in printers:
                printer.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a line of DVC's log says more than MetricGate's own lines, and is not advice on `git add`."""
    return not str(record.msg).startswith("Running stage") and record.name != "dvc.repo.scm_context"
