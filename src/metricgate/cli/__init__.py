"""The commands a person types, and `action`, the container's entry point. Each is imported when it is called."""

import os
import sys
from importlib import import_module
from typing import Any

import click

from metricgate import __version__

COMMANDS = {
    "run": "Judge this checkout against its baseline.",
    "compare": "Compare two prediction files, without Git or DVC.",
    "monitor": "Watch fresh data: has it moved away from what the model was released on?",
    "demo": "See a worse model blocked, in a real project in a new folder.",
    "preview": "Open a report's page in the browser.",
    "report": "Render a report.json again, as any view.",
    "power": "Show what the gates can catch on a test set.",
    "init": "Write a first metricgate.yaml and workflow for this project.",
    "noise": "Measure how far another random seed moves the metrics.",
    "retrain": "Retrain the model if it is due, and judge it.",
    "history": "Count what past pull requests' gates blocked, or would have.",
    "doctor": "Find what would stop a first run, and how to fix it.",
    "notify": "Send a test message to Slack, Teams, a webhook or a Pushgateway.",
    "verify": "Verify before a deployment that exactly this model passed.",
    "action": "Run as a GitHub Action: inputs and event from the environment.",
}


EXIT_UNREAD = 141  # that of a program ended by SIGPIPE; click would exit with 1, which is a verdict


class LazyGroup(click.Group):
    """A group whose commands are modules of this package, imported on demand so that `--help` is quick."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where its output is no longer read (`| head`), end without a verdict."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _end_unread()
            raise SystemExit(EXIT_UNREAD) from None
        return result

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"metricgate.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(f"No command {name!r}. {_suggest(name)}", ctx)
        return super().resolve_command(ctx, args)


def _end_unread() -> None:
    """Write a message to standard error, and let go of the pipes, or Python complains at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    try:
        click.echo("metricgate: the output was closed too early; the run ended without a verdict.", err=True)
    except BrokenPipeError:  # `2>&1 | head`
        os.dup2(nowhere, sys.stderr.fileno())


def _suggest(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only after a typo

    near = get_close_matches(name, COMMANDS, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"The commands are: {', '.join(COMMANDS)}."


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="metricgate")
def commands() -> None:
    """Judge models: block one that is worse than the one you have by more than you allow.

    Exit codes: 0 passed (or nothing to compare), 1 the gates say no, 2 configuration, 3 predictions,
    4 Git, DVC or the pipeline, 5 publishing, 6 undecided if the policy says so, 70 a bug in MetricGate, 130 stopped.
    """
