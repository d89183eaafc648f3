"""Who is told: `notify:` against the workflows' inputs and permissions, and the addresses that are at hand here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from metricgate.errors import MetricgateError
from metricgate.revisions.checkout import Checkout
from metricgate.services.http_client import HttpClient
from metricgate.services.mlflow_error import MlflowError
from metricgate.services.mlflow_runs import find_any_experiment
from metricgate.services.mlflow_server import MlflowServer
from metricgate.services.service_error import ServiceError, ServiceTrouble
from metricgate.settings.inputs import PREFIX, Inputs, read_inputs, spell_inputs
from metricgate.settings.mlflow import MlflowAccess
from metricgate.settings.notify import NotifySpec, read_notify
from metricgate.settings.policy import FILE_NAME
from metricgate.starter.checkup_finding import Finding, broken, fine, notice
from metricgate.starter.workflow_checkup import WorkflowStep, list_steps

ADDRESSES: Final = {"slack": "slack-webhook", "teams": "teams-webhook", "webhook": "webhook"}
SERVICES: Final = {
    "slack-webhook": "Slack",
    "teams-webhook": "Microsoft Teams",
    "webhook": "The webhook",
    "pushgateway": "The Pushgateway",
    "mlflow-uri": "MLflow",
}
OTHER_SECRETS: Final = ("webhook-secret", "mlflow-token", "mlflow-password")
PLAIN: Final = ("pushgateway", "mlflow-uri")  # an address may be known
WITHIN_S = 10.0
TRY_IT = "`metricgate notify --test` sends a message."


def examine_notifications(checkout: Checkout, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check what is configured; nothing is said where nothing is."""
    specs, steps = _read_specs(checkout), tuple(list_steps(checkout))
    yield from _examine_specs(specs, steps)
    yield from _examine_steps(specs, steps)
    yield from _examine_addresses(environ)


def _read_specs(checkout: Checkout) -> tuple[NotifySpec, ...]:
    path = checkout.directory / FILE_NAME
    try:
        return read_notify(path.read_text(encoding="utf-8"), origin=FILE_NAME) if path.is_file() else ()
    except (MetricgateError, UnicodeDecodeError):  # examine_policy reports it
        return ()


def _examine_specs(specs: Sequence[NotifySpec], steps: Sequence[WorkflowStep]) -> Iterator[Finding]:
    for spec in specs:
        if spec.to == "issue":
            if not any(step.grants("issues") for step in steps):
                yield notice(
                    "`notify:` asks for an issue, but no job that runs MetricGate has `issues: write`.",
                    "Grant it to the job that runs on pushes to the default branch.",
                )
        elif not any(ADDRESSES[spec.to] in step.inputs for step in steps):
            yield notice(
                f"`notify:` names {spec.to}, but no workflow sets the input `{ADDRESSES[spec.to]}`.",
                f"{ADDRESSES[spec.to]}: ${{{{ secrets.NAME }}}} under `with:`.",
            )


def _examine_steps(specs: Sequence[NotifySpec], steps: Sequence[WorkflowStep]) -> Iterator[Finding]:
    named = {ADDRESSES[spec.to] for spec in specs if spec.to in ADDRESSES}
    for step in steps:
        for name in (*SERVICES, *OTHER_SECRETS):
            value = str(step.inputs.get(name, ""))
            if value and "${{" not in value and name not in PLAIN:
                yield broken(f"{step.workflow} has the input `{name}` in plain text.", "Keep it as a secret.")
        for name in ADDRESSES.values():
            if name in step.inputs and name not in named:
                yield notice(
                    f"{step.workflow} sets `{name}`, but `notify:` in {FILE_NAME} does not name it: nothing is sent.",
                    f"notify: [{{to: {name.removesuffix('-webhook')}}}]",
                )
        if "webhook" in step.inputs and "webhook-secret" not in step.inputs:
            yield broken(f"{step.workflow} sets `webhook` without `webhook-secret`: nothing is sent.", "Add a secret.")


def _examine_addresses(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Ask the services whose addresses are in this environment, without sending a message."""
    wanted = {
        name: value
        for name, value in spell_inputs(environ).items()
        if (known := name.removeprefix(PREFIX).lower()) in SERVICES or known.startswith("mlflow-")
    }
    if not wanted:
        return
    inputs: Inputs = read_inputs(wanted)
    for name, service in SERVICES.items():
        address = getattr(inputs, name.replace("-", "_")).get_secret_value()
        if address and name == "mlflow-uri":
            yield _ask_mlflow(inputs.mlflow)
        elif address:
            yield _ask(name, service, address)


def _ask_mlflow(access: MlflowAccess) -> Finding:
    try:
        find_any_experiment(MlflowServer.connect(access, within_s=WITHIN_S))
    except MlflowError as error:
        return broken(error.what, error.fix)
    return fine("MLflow answers, and knows the user. Only `metricgate notify --test` shows whether it may write.")


def _ask(name: str, service: str, address: str) -> Finding:
    client = HttpClient(service=service, within_s=WITHIN_S)
    try:
        if name == "slack-webhook":
            # Slack refuses an empty message with 400, and an address that it does not know with 403, 404 or 410.
            client.send("POST", address, b"{}", {"Content-Type": "application/json"})
        elif name == "pushgateway":
            client.send("GET", f"{address.rstrip('/')}/-/ready")
            return fine("The Pushgateway is ready.")
        else:
            client.send("GET", address)
    except ServiceError as error:
        if name == "slack-webhook" and error.status == 400:
            return fine("Slack knows the address: it refused a dry run only because that had no text.")
        is_reached = name in ("teams-webhook", "webhook") and error.trouble is ServiceTrouble.REFUSED
        if not is_reached:
            return broken(error.what, error.fix)
    return fine(f"{service} answers. Only a test message can show whether it accepts messages: {TRY_IT}")
