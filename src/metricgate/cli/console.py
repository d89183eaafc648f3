"""What commands print: progress as it happens, the outcome, errors. Standard output is for results."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from metricgate.cli.live import LiveLine
from metricgate.errors import MetricgateError
from metricgate.processes.process_output import fence_output
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Report

WIDTH = 100


def print_error(error: MetricgateError) -> None:
    """Print the three sentences of an error, and the last lines of what failed."""
    click.secho(f"{error.title}: ", fg="red", bold=True, nl=False, err=True)
    click.echo(error.what, err=True)
    click.echo(f"  Expected: {error.expected}", err=True)
    click.echo(f"  What to do: {error.fix}", err=True)
    click.echo(f"  More: {error.help_url}", err=True)
    for line in error.details.splitlines():
        click.echo(f"  | {line}", err=True)


class TerminalProgress:
    """Progress on standard error: a line for each thing that happens, and below it, in a terminal, its seconds."""

    def __init__(self) -> None:
        self._live = LiveLine(sys.stderr)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        click.echo(f"· {name} …", err=True)
        with self._live.running(name):
            yield
        click.echo(f"  {name}: {time.monotonic() - started:.1f} s", err=True)

    def line(self, text: str) -> None:
        with self._live.hidden():
            click.echo(f"  {text}", err=True)
        self._live.say("" if text.endswith(" s") else text)  # a duration is the end of something

    @contextmanager
    def passthrough(self) -> Iterator[Callable[[str], None]]:
        with fence_output(sys.stderr, github=False) as write:
            yield self._live.follow(write)


def print_report(report: Report, *, to_stderr: bool = False) -> None:
    """Print the report as a table; colour only where there is a terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, 2 * WIDTH)
    click.echo(render_terminal(report, color=stream.isatty(), width=width), err=to_stderr, color=stream.isatty())


def deliver(report: Report, output: Path, json_file: str | None) -> int:
    """Write the report folder, print the outcome (the JSON for ``-``) and return the exit code."""
    from metricgate.publish.files import write_report  # noqa: PLC0415  charts are costly to import

    files = write_report(report, output)
    text = report.model_dump_json(indent=2) + "\n"
    print_report(report, to_stderr=json_file == "-")
    if json_file == "-":
        click.echo(text, nl=False)
    elif json_file:
        Path(json_file).write_text(text, encoding="utf-8")
    click.echo(f"Report: {output}  (open {files.html}, or run `metricgate preview {output}`)", err=json_file == "-")
    return report.exit_code
