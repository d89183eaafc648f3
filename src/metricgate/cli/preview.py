"""`metricgate preview`: open a report's page in the browser."""

from pathlib import Path

import click


@click.command(name="preview")
@click.argument("folder", type=click.Path(path_type=Path), default="metricgate-report")
def command(folder: Path) -> int:
    """Open report.html of the report FOLDER in a browser, and print its address."""
    import webbrowser  # noqa: PLC0415  only here

    from metricgate.errors import ConfigurationError  # noqa: PLC0415

    page = folder / "report.html"
    if not page.is_file():
        raise ConfigurationError(
            f"The file {page} does not exist.",
            expected="a report folder written by a run.",
            fix="Run `metricgate run` first, or name the folder.",
            topic="the-file-is-not-a-report",
        )
    address = page.resolve().as_uri()
    click.echo(address)
    webbrowser.open(address)
    return 0
