"""`metricgate notify --test`: one message to each address, so that nobody waits for a failure to see whether it works."""

import os

import click


@click.command(name="notify")
@click.option("--test", "is_test", is_flag=True, required=True, help="Send one test message to each address.")
def command(*, is_test: bool) -> int:  # noqa: ARG001  a message of any other kind comes from a run
    """Send a test message to each address in the environment.

    Addresses are the action's inputs: INPUT_SLACK_WEBHOOK, INPUT_TEAMS_WEBHOOK, INPUT_WEBHOOK with
    INPUT_WEBHOOK_SECRET, INPUT_PUSHGATEWAY, which gets a group, and INPUT_MLFLOW_URI (with INPUT_MLFLOW_TOKEN, or
    INPUT_MLFLOW_USERNAME and INPUT_MLFLOW_PASSWORD), which gets a run; both are deleted again. The exit code is 5 if one of
    them did not accept it.
    """
    from metricgate.publish.trial import send_test_messages  # noqa: PLC0415  `--help` stays quick
    from metricgate.settings.inputs import read_inputs, spell_inputs  # noqa: PLC0415

    failed = 0
    for result in send_test_messages(read_inputs(spell_inputs(os.environ)), os.environ.get("GITHUB_REPOSITORY", "")):
        click.secho("broken" if result.problem else "ok    ", fg="red" if result.problem else "green", nl=False)
        click.echo(f"  {result.problem or result.success}")
        failed += bool(result.problem)
    return 5 if failed else 0
