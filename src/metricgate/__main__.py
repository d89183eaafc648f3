"""`python -m metricgate`: parse the command line, run, and exit with the code that the errors define."""

import sys
import traceback

from metricgate.errors import MetricgateError

EXIT_BUG = 70
ISSUES = "https://github.com/metricgate/metricgate/issues"


def main() -> None:
    """Run a command. An expected failure is explained; anything else is a bug, shown with its traceback."""
    import click  # noqa: PLC0415  kept out of `import metricgate.__main__`

    from metricgate.cli import commands  # noqa: PLC0415

    try:
        sys.exit(commands.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except MetricgateError as error:
        from metricgate.cli.terminal_output import print_error  # noqa: PLC0415  slow to import, only needed here

        print_error(error)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001  the one place that turns a bug into its exit code
        traceback.print_exc()
        click.echo(
            f"metricgate: this is a bug in MetricGate. Please report it with the lines above: {ISSUES}", err=True
        )
        sys.exit(EXIT_BUG)


if __name__ == "__main__":
    main()
