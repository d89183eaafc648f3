"""`metricgate monitor`: fresh rows against those that a model was released on."""

import os
from pathlib import Path

import click

from metricgate.cli.report_options import JSON_FILE, OUTPUT
from metricgate.errors import ConfigurationError

FILE = click.Path(path_type=Path)


@click.command(name="monitor")
@click.option("--reference", type=FILE, metavar="FILE", help="Rows that the model was released on.")
@click.option("--current", type=FILE, metavar="FILE", help="Fresh rows, with the same columns.")
@click.option("--again", is_flag=True, help="In a repository: judge rows again that the last run judged.")
@click.option(
    "--backfill", is_flag=True, help="In a repository: judge each past month of the fresh rows, then the last."
)
@OUTPUT
@JSON_FILE
def command(
    *, reference: Path | None, current: Path | None, again: bool, backfill: bool, output: Path, json_file: str | None
) -> int:
    """Watch fresh data (CSV, Parquet or JSON Lines): drifted, stable or inconclusive, column by column.

    Two files need neither Git nor a policy. Without --reference, `monitor:` in metricgate.yaml says what is watched, and
    --current FILE stands in for its fresh rows. A column has drifted where a shift beyond its margin is shown, and is
    stable where such a shift is ruled out, for all columns together.
    """
    from metricgate.cli.terminal_output import write_and_print  # noqa: PLC0415  `--help` stays quick

    if reference is not None:
        if current is None:
            raise ConfigurationError(
                "--reference is given without --current.",
                expected="both files.",
                fix="Add `--current FILE`.",
                topic="what-is-watched",
            )
        from metricgate.monitoring.two_files import watch_files  # noqa: PLC0415

        return write_and_print(watch_files(reference, current), output, json_file)
    from metricgate.cli.terminal_progress import TerminalProgress  # noqa: PLC0415
    from metricgate.monitoring.story import WatchRequest, watch_release  # noqa: PLC0415
    from metricgate.processes.signals import raise_on_signals  # noqa: PLC0415
    from metricgate.revisions.checkout import Checkout  # noqa: PLC0415
    from metricgate.settings.mlflow import MlflowAccess  # noqa: PLC0415

    Checkout.open(Path.cwd())  # outside of a repository there is nothing to report on, and no folder to make
    request = WatchRequest(
        directory=Path.cwd(),
        output=output,
        mlflow=MlflowAccess.of(os.environ),
        current=current,
        again=again,
        backfill=backfill,
    )
    with raise_on_signals():
        report = watch_release(request, TerminalProgress())
    return write_and_print(report, output, json_file)
