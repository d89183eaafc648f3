"""The options of the commands that write a report."""

from pathlib import Path

import click

from metricgate.errors import ConfigurationError


def _require_own_folder(_context: click.Context, _option: click.Parameter, output: Path) -> Path:
    if Path.cwd().is_relative_to(output.resolve()):
        raise ConfigurationError(
            f"The report folder {output} is the working directory, or holds it.",
            expected="a folder of its own, as files in it are replaced.",
            fix="Name another one: --output metricgate-report.",
            topic="the-folder-cannot-be-used",
        )
    return output


OUTPUT = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="metricgate-report",
    callback=_require_own_folder,
    help="Report folder.",
)
JSON_FILE = click.option(
    "--json", "json_file", metavar="FILE", help="Also write report.json here; - for standard output."
)
