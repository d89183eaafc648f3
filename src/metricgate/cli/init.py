"""`metricgate init`: a first metricgate.yaml and workflow, from what the repository has."""

from pathlib import Path

import click


@click.command(name="init")
@click.option("--dry-run", is_flag=True, help="Print the files instead of writing them.")
def command(*, dry_run: bool) -> int:
    """Write a first metricgate.yaml and a workflow for this project. Existing files are left alone."""
    from metricgate.revisions.checkout import Checkout  # noqa: PLC0415
    from metricgate.starter.first_files import prepare_starter, write_starter  # noqa: PLC0415  `--help` stays quick

    starter = prepare_starter(Checkout.open(Path.cwd()))
    if not dry_run:
        write_starter(starter)
    for file in starter.files:
        click.echo(f"{_label(exists=file.exists, dry_run=dry_run)} {file.path}")
        if dry_run and not file.exists:
            click.echo("".join(f"    {line}\n" for line in file.text.splitlines()))
    click.echo("\nNext:")
    for number, step in enumerate(starter.next_steps, 1):
        click.echo(f"  {number}. {step}")
    return 0


def _label(*, exists: bool, dry_run: bool) -> str:
    if exists:
        return "kept:       "
    return "would write:" if dry_run else "written:    "
