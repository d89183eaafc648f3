"""The log of a workflow's step, which GitHub's runner reads for commands: what happens, in folded groups."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from metricgate.processes.process_output import fence_output
from metricgate.publish.runner import SilentFormatter, silence_commands


def start_log() -> None:
    """Send log records to standard error, which the runner reads for commands as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SilentFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class WorkflowProgress:
    """Shows a folded group for each step, and fences the pipeline's output."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        click.echo(f"::group::{_silence_line(name)}")
        try:
            yield
        finally:
            click.echo(f"::endgroup::\n{_silence_line(name)}: {time.monotonic() - started:.1f} s")

    def line(self, text: str, *, ends: bool = False) -> None:  # noqa: ARG002  nothing is rewritten in a log
        click.echo(f"  {_silence_line(text)}")

    @contextmanager
    def passthrough(self) -> Iterator[Callable[[str], None]]:
        with fence_output(sys.stdout, github=True) as write:
            yield write


def _silence_line(text: str) -> str:
    """Return a text, which may hold a name from the repository, on one line without a workflow command."""
    return silence_commands(" ".join(text.split()))
