"""The options of the commands that write a report."""

from pathlib import Path

import click

from metricgate.errors import ConfigurationError

_START = 200  # bytes


def _require_own_folder(_context: click.Context, _option: click.Parameter, output: Path) -> Path:
    if Path.cwd().is_relative_to(output.resolve()):
        raise ConfigurationError(
            f"The report folder {output} is the working directory, or holds it.",
            expected="a folder of its own, as files in it are replaced.",
            fix="Name another one: --output metricgate-report.",
            topic="the-folder-cannot-be-used",
        )
    return output


def _require_own_file(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is None or name == "-" or not Path(name).is_file():
        return name
    with Path(name).open("rb") as file:
        start = file.read(_START)
    if start and b'"schema_version"' not in start:
        raise ConfigurationError(
            f"The file {name} exists, and is not a report.",
            expected="the name of a new file, or of an earlier report.json, which is replaced.",
            fix="Name another one: --json report.json.",
            topic="the-file-is-not-a-report",
        )
    return name


OUTPUT = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="metricgate-report",
    callback=_require_own_folder,
    help="Report folder.",
)
JSON_FILE = click.option(
    "--json",
    "json_file",
    metavar="FILE",
    callback=_require_own_file,
    help="Also write report.json here; - for standard output.",
)
