"""`metricgate init`: a first metricgate.yaml and workflow, from what the repository has."""

from pathlib import Path

import click


@click.command(name="init")
@click.option("--dry-run", is_flag=True, help="Print the files instead of writing them.")
def command(*, dry_run: bool) -> int:
    """Write a first metricgate.yaml and a workflow for this project. Files that exist are left as they are.

    For those it shows what it would write now. Where there are no predictions, it loads a stored model, as a run would,
    to see whether that can be judged.
    """
    from metricgate.cli.terminal_progress import TerminalProgress  # noqa: PLC0415
    from metricgate.revisions.checkout import Checkout  # noqa: PLC0415
    from metricgate.starter.first_files import prepare_starter, write_starter  # noqa: PLC0415  `--help` stays quick

    starter = prepare_starter(Checkout.open(Path.cwd()), TerminalProgress())
    if not dry_run:
        write_starter(starter)
    for file in starter.files:
        difference = file.show_difference() if file.exists else ""
        click.echo(f"{_label(exists=file.exists, differs=bool(difference), dry_run=dry_run)} {file.path}")
        shown = difference or (file.text if dry_run and not file.exists else "")
        if shown:
            click.echo("".join(f"    {line}\n" for line in shown.splitlines()))
    click.echo("\nNext:")
    for number, step in enumerate(starter.next_steps, 1):
        click.echo(f"  {number}. {step}")
    if starter.prediction_lines:
        click.echo("\nLines like these, where the model is evaluated, write the predictions:\n")
        click.echo("".join(f"    {line}\n" for line in starter.prediction_lines.splitlines()))
    return 0


def _label(*, exists: bool, differs: bool, dry_run: bool) -> str:
    if exists:
        return "kept, differs:" if differs else "kept:       "
    return "would write:" if dry_run else "written:    "
