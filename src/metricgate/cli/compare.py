"""`metricgate compare`: two prediction files, no Git and no DVC."""

from pathlib import Path
from typing import Any

import click

from metricgate.cli.report_options import JSON_FILE, OUTPUT

FILE = click.Path(path_type=Path)


@click.command(name="compare")
@click.argument("baseline", type=FILE)
@click.argument("candidate", type=FILE)
@click.option("--policy", type=FILE, metavar="FILE", help="metricgate.yaml with the columns and the gates.")
@OUTPUT
@JSON_FILE
@click.option("--label", metavar="COLUMN", help="Column with the true label.")
@click.option("--prediction", metavar="COLUMN", help="Column with the predicted label or value.")
@click.option("--score", metavar="COLUMN", help="Column with the score; of a log, the scorer or metric by its name.")
@click.option(
    "--format",
    type=click.Choice(["inspect", "lm-eval", "promptfoo", "deepeval"]),
    help="Tool that wrote the logs. Default: found from their content.",
)
@click.option("--where", metavar="COLUMN=VALUE", multiple=True, help="Only the rows with this value (repeatable).")
@click.option("--id", "id_", metavar="COLUMN", multiple=True, help="Column that joins both files (repeatable).")
@click.option("--slice", "slices", metavar="COLUMN", multiple=True, help="Column to judge separately (repeatable).")
@click.option("--positive", metavar="VALUE", help="The positive label. Default: 1, True, Yes or yes.")
@click.option("--task", type=click.Choice(["binary", "multiclass", "regression", "score"]), help="Inferred if absent.")
@click.option("--group", metavar="COLUMN", help="Column that groups rows which are not independent.")
@click.option("--weight", metavar="COLUMN", help="Column with the weight of each row.")
def command(
    *, baseline: Path, candidate: Path, policy: Path | None, output: Path, json_file: str | None, **columns: Any
) -> int:
    """Compare the predictions of two models on the same test rows (CSV, Parquet or JSON Lines).

    Or two logs of Inspect, lm-evaluation-harness, promptfoo or DeepEval: a file, a folder, or a pattern in quotes.

    A file is a path, or mlflow:runs/ID/PATH for an artifact of a run on the server at MLFLOW_TRACKING_URI.

    Without a policy, every metric that the columns allow is reported, and a loss shown to exceed 0.01 blocks.
    """
    from metricgate.cli.run_files import bring_run_files  # noqa: PLC0415
    from metricgate.cli.terminal_output import write_and_print  # noqa: PLC0415  `--help` stays quick
    from metricgate.compare import compare_files  # noqa: PLC0415

    with bring_run_files((baseline, candidate)) as (before, after):
        names = (str(baseline), str(candidate))
        report = compare_files(before, after, policy=policy, columns=columns, names=names)
    return write_and_print(report, output, json_file)
