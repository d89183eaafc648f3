"""`metricgate power`: what the gates of a policy can catch, before you rely on them."""

from pathlib import Path

import click

FILE = click.Path(path_type=Path)


@click.command(name="power")
@click.argument("predictions", type=FILE, nargs=-1)
@click.option("--policy", type=FILE, default="metricgate.yaml", show_default=True, help="The gates and the columns.")
@click.option("--details", is_flag=True, help="Show all numbers as a table too.")
def command(*, predictions: tuple[Path, ...], policy: Path, details: bool) -> int:
    """Show what each relative gate can catch on this test set.

    PREDICTIONS: the files of two models (as different as those of a pull request usually are), or of one; by default
    the file that the policy names, in this folder. With one model, the difference between two is assumed.
    """
    from metricgate.cli.run_files import bring_run_files  # noqa: PLC0415  `--help` stays quick
    from metricgate.compare import assess_files  # noqa: PLC0415

    if len(predictions) > 2:
        raise click.UsageError("Give one or two prediction files.")
    with bring_run_files(predictions) as files:
        click.echo(assess_files(files, policy=policy, details=details))
    return 0
