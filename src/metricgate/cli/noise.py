"""`metricgate noise`: how far the metrics move when nothing but the random seed changes."""

from pathlib import Path

import click

from metricgate.cli.report_options import OUTPUT


@click.command(name="noise")
@click.option("--runs", type=click.IntRange(3, 30), metavar="K", help="How many seeds. Default: the policy's.")
@click.option("--share", is_flag=True, help="Push the floor to origin, so that every run finds it.")
@OUTPUT
@click.option("--timeout-minutes", type=float, metavar="N", help="Stop a training after this many minutes.")
def command(*, runs: int | None, share: bool, output: Path, timeout_minutes: float | None) -> int:
    """Train the committed recipe with several seeds (`noise:` in metricgate.yaml), and keep how far they differ.

    Reports then show this noise floor beside each margin, and warn of margins below it.
    """
    from metricgate.cli.terminal_progress import TerminalProgress  # noqa: PLC0415  `--help` stays quick
    from metricgate.processes.signals import raise_on_signals  # noqa: PLC0415
    from metricgate.retraining.noise import NoiseRequest, describe_noise, measure_noise  # noqa: PLC0415

    request = NoiseRequest(
        directory=Path.cwd(),
        output=output,
        runs=runs,
        share=share,
        timeout_s=None if timeout_minutes is None else timeout_minutes * 60,
        use_active=True,
    )
    with raise_on_signals():
        measured = measure_noise(request, TerminalProgress())
    told, rows = describe_noise(measured.result)
    width = max(len(name) for name, _, _ in rows)
    click.echo(told)
    click.echo(f"{'':<{width}}  standard deviation  seeds alone move it by")
    for name, sd, floor in rows:
        click.echo(f"{name:<{width}}  {sd:>18}  {floor:>22}")
    if measured.problem:
        click.secho(f"warning: {measured.problem}", fg="yellow", err=True)
    return 5 if measured.problem else 0
