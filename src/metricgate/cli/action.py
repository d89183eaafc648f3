"""`metricgate action`: the container's entry point. Every pull request gets an answer, whatever fails."""

import json
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from metricgate import __version__
from metricgate.cli.workflow_log import WorkflowProgress, start_log
from metricgate.errors import ConfigurationError, MetricgateError
from metricgate.processes.owner import find_owner, hand_back
from metricgate.processes.signals import raise_on_signals
from metricgate.processes.writable_folders import require_writable_folders
from metricgate.publish.runner import Runner, silence_commands
from metricgate.report.failure import report_failure, report_skip
from metricgate.report.value import Acceptance, Report
from metricgate.settings.inputs import Inputs, read_inputs
from metricgate.trigger import Trigger
from metricgate.trigger.event_reader import read_trigger


@click.command(name="action")
def command() -> int:
    """Judge the checkout as a GitHub Action: inputs, event and token come from the environment."""
    start_log()
    try:
        require_writable_folders(os.environ)
        return run_action(os.environ)
    except MetricgateError as error:
        Runner(os.environ).explain(error)
        raise


def run_action(environ: Mapping[str, str]) -> int:
    """Run one step of a workflow and return its exit code."""
    click.echo(f"MetricGate {__version__}")
    inputs = read_inputs(environ)
    trigger = read_trigger(environ, read_event(environ))
    output = find_workspace(environ) / inputs.working_directory / inputs.output
    try:
        with raise_on_signals():
            if inputs.mode == "publish":
                from metricgate.cli.publish_mode import publish_artifact  # noqa: PLC0415  only this mode needs it

                return publish_artifact(trigger, inputs, environ, output)
            if inputs.mode == "noise":
                from metricgate.cli.noise_mode import measure_in_workflow  # noqa: PLC0415  only this mode needs it

                return measure_in_workflow(trigger, inputs, environ, output)
            if inputs.mode == "retrain":
                from metricgate.cli.retrain_mode import retrain_and_offer  # noqa: PLC0415  only this mode needs it

                return retrain_and_offer(trigger, inputs, environ, output)
            if inputs.mode == "monitor":
                from metricgate.cli.monitor_mode import watch_and_publish  # noqa: PLC0415  only this mode needs it

                return watch_and_publish(trigger, inputs, environ, output)
            return _judge_and_publish(trigger, inputs, environ, output)
    finally:
        hand_back(output, find_owner(find_workspace(environ)))


def _judge_and_publish(trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path) -> int:
    from metricgate.publish.publication import Publication  # noqa: PLC0415  after the first line of the log

    with _open_model_folder(trigger, inputs) as folder:
        publication = Publication(trigger, inputs, environ, model_folder=folder)

        def produce() -> Report:
            publication.github.start()
            accepted = publication.github.find_acceptance()
            report = _judge(trigger, inputs, environ, output, accepted=accepted, model_folder=folder)
            return hide_secrets(report, environ)

        report, _ = publication.publish(produce, output)
    return report.exit_code


@contextmanager
def _open_model_folder(trigger: Trigger, inputs: Inputs) -> Iterator[Path | None]:
    """Yield a folder for the judged model, where a registry gets it."""
    if not (inputs.mlflow and trigger.is_about_default_branch):
        yield None
        return
    from metricgate.run import make_scratch  # noqa: PLC0415

    with make_scratch() as folder:
        yield folder


def _judge(
    trigger: Trigger,
    inputs: Inputs,
    environ: Mapping[str, str],
    output: Path,
    *,
    accepted: Acceptance | None,
    model_folder: Path | None,
) -> Report:
    """Judge, and turn even a bug in MetricGate into a report."""
    from metricgate.revisions.git_command import Access  # noqa: PLC0415
    from metricgate.run import Request, run  # noqa: PLC0415
    from metricgate.trials import ServingInputs  # noqa: PLC0415

    if inputs.skip_drafts and trigger.pull_request and trigger.pull_request.draft:
        return report_skip("the pull request is a draft, and skip-drafts is on", id_=inputs.id)
    try:
        return run(
            Request(
                directory=find_workspace(environ) / inputs.working_directory,
                output=output,
                trigger=trigger,
                access=Access(token=inputs.github_token.get_secret_value(), server_url=trigger.server_url),
                reproduce="if-needed" if inputs.reproduce else "never",
                baseline_results=inputs.baseline_results,
                timeout_s=inputs.timeout_minutes * 60 or None,
                baseline=inputs.baseline or None,
                policy_name=inputs.policy,
                id=inputs.id,
                accepted=accepted,
                push_cache=inputs.push_cache,
                serving=ServingInputs(url=inputs.serving_url, image=inputs.serving_image),
                reuse_stored=True,
                mlflow=inputs.mlflow,
                model_folder=model_folder,
            ),
            WorkflowProgress(),
        )
    except MetricgateError as error:
        return report_failure(error, id_=inputs.id)
    except Exception:  # noqa: BLE001  the pull request gets its answer, the log the traceback
        return report_bug(inputs.id)


def report_bug(id_: str) -> Report:
    """Return the report of a run that a bug in MetricGate ended; the traceback goes to the log."""
    details = traceback.format_exc()
    click.echo(silence_commands(details), err=True)
    bug = MetricgateError(
        "MetricGate itself failed (a bug). Your model was not judged.",
        expected="a verdict.",
        fix="Report it with the last lines of the log.",
        details=details,
    )
    return report_failure(bug, id_=id_)


def hide_secrets(report: Report, environ: Mapping[str, str]) -> Report:
    """Return the report without the step's secrets, which a parameter, a path or an error message might repeat."""
    from metricgate.processes.secret_mask import Mask  # noqa: PLC0415

    return Report.model_validate(Mask.of(environ).hide_in(report.model_dump(mode="json")))


def find_workspace(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())


def read_event(environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return the event's payload from the file at GITHUB_EVENT_PATH, or None where there is none."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The event file {path} cannot be read: {error}.",
            expected="the JSON file that GitHub writes for each run.",
            fix="Run this command as a step of a workflow, or unset GITHUB_EVENT_PATH.",
            topic="the-event-cannot-be-read",
        ) from error
    return event if isinstance(event, dict) else None
