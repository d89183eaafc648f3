"""What a run shows while it is running."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Where steps and lines go: a terminal, a folded log on GitHub, or nowhere."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """Mark the step that runs inside the context; an implementation may show how long it took."""
        ...

    def line(self, text: str, *, ends: bool = False) -> None:
        """Show one line of plain text, written by MetricGate; ``ends``: what earlier lines began is over."""
        ...

    def passthrough(self) -> AbstractContextManager[Callable[[str], None]]:
        """Yield a writer for the pipeline's own, untrusted output (see ``fence_output``)."""
        ...


class QuietProgress:
    """Shows nothing."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:  # noqa: ARG002  the protocol's parameter
        yield

    def line(self, text: str, *, ends: bool = False) -> None:
        """Drop the line."""

    @contextmanager
    def passthrough(self) -> Iterator[Callable[[str], None]]:
        yield lambda _: None
