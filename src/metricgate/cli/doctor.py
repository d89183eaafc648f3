"""`metricgate doctor`: what would stop a first run, and how to fix it."""

from pathlib import Path

import click


@click.command(name="doctor")
def command() -> int:
    """Check Git, the DVC remote, the policy against the files that exist, and the workflow's permissions.

    The exit code is 2 if something is broken, else 0.
    """
    from metricgate.revisions.checkout import Checkout  # noqa: PLC0415
    from metricgate.starter.checkup_finding import Level  # noqa: PLC0415  `--help` stays quick
    from metricgate.starter.project_checkup import examine  # noqa: PLC0415

    signs = {Level.FINE: ("ok    ", "green"), Level.NOTICE: ("note  ", "yellow"), Level.BROKEN: ("broken", "red")}
    broken = 0
    for finding in examine(Checkout.open(Path.cwd())):
        sign, colour = signs[finding.level]
        click.secho(sign, fg=colour, nl=False)
        click.echo(f"  {finding.what}")
        if finding.cure:
            click.echo(f"        {finding.cure}")
        broken += finding.level is Level.BROKEN
    click.echo(f"\n{broken} broken." if broken else "\nReady for a first run.")
    return 2 if broken else 0
