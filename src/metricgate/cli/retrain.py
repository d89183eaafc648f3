"""`metricgate retrain`: see whether the model is due, and retrain it on a branch of this clone."""

import os
from pathlib import Path

import click

from metricgate.cli.report_options import JSON_FILE, OUTPUT


@click.command(name="retrain")
@click.option("--dry-run", is_flag=True, help="Only say whether the model is due, why, and when it will be.")
@click.option("--local", is_flag=True, help="Retrain, judge, and write the branch in this clone, without GitHub.")
@click.option("--force", is_flag=True, help="Retrain although the model is not due, or something stands against it.")
@OUTPUT
@JSON_FILE
@click.option("--timeout-minutes", type=float, metavar="N", help="Stop the pipeline after this many minutes.")
def command(
    *, dry_run: bool, local: bool, force: bool, output: Path, json_file: str | None, timeout_minutes: float | None
) -> int:
    """Retrain the model if it is due (`retrain:` in metricgate.yaml), and judge it as a person's change is judged.

    Works in a folder of its own, from the commit that is checked out: the workspace stays as it is. On GitHub,
    `mode: retrain` of the action does the same and offers a pull request.
    """
    from metricgate.cli.terminal_output import write_and_print  # noqa: PLC0415  `--help` stays quick
    from metricgate.cli.terminal_progress import TerminalProgress  # noqa: PLC0415
    from metricgate.processes.signals import raise_on_signals  # noqa: PLC0415
    from metricgate.retraining.local_branch import put_branch  # noqa: PLC0415
    from metricgate.retraining.project import RetrainRequest  # noqa: PLC0415
    from metricgate.retraining.story import retrain  # noqa: PLC0415
    from metricgate.settings.mlflow import MlflowAccess  # noqa: PLC0415

    if dry_run == local:
        raise click.UsageError("Say one of --dry-run (only the plan) and --local (retrain, and write the branch).")
    request = RetrainRequest(
        directory=Path.cwd(),
        output=output,
        force=force,
        approved=local,  # by whoever types this
        dry_run=dry_run,
        timeout_s=None if timeout_minutes is None else timeout_minutes * 60,
        mlflow=MlflowAccess.of(os.environ),
    )
    with raise_on_signals():
        outcome = retrain(request, TerminalProgress())
        told = "" if dry_run else put_branch(outcome, request.id)
    exit_code = write_and_print(outcome.report, output, json_file)
    if told:
        click.echo(told, err=json_file == "-")
    return exit_code
