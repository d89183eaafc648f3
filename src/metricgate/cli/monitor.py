"""`metricgate monitor`: fresh rows against those that a model was released on."""

from pathlib import Path

import click

from metricgate.cli.report_options import JSON_FILE, OUTPUT

FILE = click.Path(path_type=Path)


@click.command(name="monitor")
@click.option("--reference", type=FILE, required=True, metavar="FILE", help="Rows that the model was released on.")
@click.option("--current", type=FILE, required=True, metavar="FILE", help="Fresh rows, with the same columns.")
@OUTPUT
@JSON_FILE
def command(*, reference: Path, current: Path, output: Path, json_file: str | None) -> int:
    """Watch fresh data (CSV, Parquet or JSON Lines): drifted, stable or inconclusive, column by column.

    Two files need neither Git nor a policy. A column has drifted where a shift beyond its margin is shown, and is
    stable where such a shift is ruled out, for all columns together.
    """
    from metricgate.cli.terminal_output import write_and_print  # noqa: PLC0415  `--help` stays quick
    from metricgate.monitoring.two_files import watch_files  # noqa: PLC0415

    return write_and_print(watch_files(reference, current), output, json_file)
