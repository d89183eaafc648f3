"""What a run tells the person who watches it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Where steps and lines go: a terminal, a folded log on GitHub, or nowhere."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """Mark the step that runs inside the context; its duration is the renderer's to show."""
        ...

    def line(self, text: str, *, ends: bool = False) -> None:
        """Show one line of plain text, written by MetricGate; ``ends``: what earlier lines began is over."""
        ...

    def passthrough(self) -> AbstractContextManager[Callable[[str], None]]:
        """Take the pipeline's own output, untrusted, for as long as the context lasts (see ``fence_output``)."""
        ...


class QuietProgress:
    """Says nothing."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:  # noqa: ARG002  the protocol's parameter
        yield

    def line(self, text: str, *, ends: bool = False) -> None:
        """Drop the line."""

    @contextmanager
    def passthrough(self) -> Iterator[Callable[[str], None]]:
        yield lambda _: None
