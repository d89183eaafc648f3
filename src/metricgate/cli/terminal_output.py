"""What commands print at their end: the report, or an error. Standard output is for results."""

import shutil
import sys
from pathlib import Path

import click

from metricgate.errors import MetricgateError
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Report

WIDTH = 100


def print_error(error: MetricgateError) -> None:
    """Print the three parts of an error, and the last lines of what failed."""
    click.secho(f"{error.title}: ", fg="red", bold=True, nl=False, err=True)
    click.echo(error.what, err=True)
    click.echo(f"  Expected: {error.expected}", err=True)
    click.echo(f"  What to do: {error.fix}", err=True)
    click.echo(f"  More: {error.help_url}", err=True)
    for line in error.details.splitlines():
        click.echo(f"  | {line}", err=True)


def print_report(report: Report, *, to_stderr: bool = False) -> None:
    """Print the report as a table; in colour only in a terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, 2 * WIDTH)
    click.echo(render_terminal(report, color=stream.isatty(), width=width), err=to_stderr, color=stream.isatty())


def write_and_print(report: Report, output: Path, json_file: str | None) -> int:
    """Write the report folder, print the report (as JSON for ``-``) and return the exit code."""
    from metricgate.publish.files import write_report  # noqa: PLC0415  charts are slow to import

    files = write_report(report, output)
    text = report.model_dump_json(indent=2) + "\n"
    print_report(report, to_stderr=json_file == "-")
    if json_file == "-":
        click.echo(text, nl=False)
    elif json_file:
        Path(json_file).write_text(text, encoding="utf-8")
    click.echo(f"Report: {output}  (open {files.html}, or run `metricgate preview {output}`)", err=json_file == "-")
    return report.exit_code
