"""`metricgate run`: the gate on a laptop, in Jenkins or in GitLab CI."""

import os
from pathlib import Path

import click

from metricgate.cli.report_options import JSON_FILE, OUTPUT


@click.command(name="run")
@click.option(
    "--baseline",
    metavar="REV",
    help="Revision to compare with, or mlflow:MODEL@ALIAS. Default: the merge base with main.",
)
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="Judge by this policy file instead.")
@OUTPUT
@JSON_FILE
@click.option("--repro/--no-repro", default=True, help="Run the pipeline first, or judge the existing results.")
@click.option("--timeout-minutes", type=float, metavar="N", help="Stop the pipeline after this many minutes.")
def command(
    *,
    baseline: str | None,
    policy: Path | None,
    output: Path,
    json_file: str | None,
    repro: bool,
    timeout_minutes: float | None,
) -> int:
    """Judge this checkout: reproduce the pipeline, fetch the baseline's results, compare, decide, report.

    Rewrites outputs and dvc.lock as `dvc repro` does; --no-repro leaves every file as it is.
    """
    from metricgate.cli.terminal_output import write_and_print  # noqa: PLC0415  `--help` stays quick
    from metricgate.cli.terminal_progress import TerminalProgress  # noqa: PLC0415
    from metricgate.processes.signals import raise_on_signals  # noqa: PLC0415
    from metricgate.revisions.checkout import Checkout  # noqa: PLC0415
    from metricgate.run import Request, run  # noqa: PLC0415
    from metricgate.settings.mlflow import MlflowAccess  # noqa: PLC0415

    Checkout.open(Path.cwd())  # outside of a repository there is nothing to report on, and no folder to make
    request = Request(
        directory=Path.cwd(),
        output=output,
        reproduce="if-needed" if repro else "never",
        timeout_s=None if timeout_minutes is None else timeout_minutes * 60,
        baseline=baseline,
        policy=policy,
        mlflow=MlflowAccess.of(os.environ),
    )
    with raise_on_signals():
        report = run(request, TerminalProgress())
    return write_and_print(report, output, json_file)
