"""Mode `noise`: measure the noise floor in a workflow, keep it on origin, and show it in the job summary."""

from collections.abc import Mapping
from pathlib import Path

import click

from metricgate.cli.workflow_log import WorkflowProgress
from metricgate.errors import PublishError
from metricgate.publish.runner import append_summary
from metricgate.report.escape import code_span, escape_sentence
from metricgate.retraining.noise import NoiseRequest, describe_noise, measure_noise
from metricgate.revisions.git_command import Access
from metricgate.settings.inputs import Inputs
from metricgate.trigger import Trigger


def measure_in_workflow(trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path) -> int:
    """Measure the noise floor and return the exit code: 0, or 5 where it could not be kept on origin."""
    workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
    request = NoiseRequest(
        directory=workspace / inputs.working_directory,
        output=output,
        access=Access(token=inputs.github_token.get_secret_value(), server_url=trigger.server_url),
        policy_name=inputs.policy,
        id=inputs.id,
        timeout_s=inputs.timeout_minutes * 60 or None,
        share=trigger.is_about_default_branch,
    )
    measured = measure_noise(request, WorkflowProgress())
    told, rows = describe_noise(measured.result)
    lines = [
        "## Noise floor",
        "",
        escape_sentence(told),
        "",
        "| Metric | Standard deviation | Seeds alone move it by |",
    ]
    lines += ["|---|--:|--:|", *(f"| {code_span(name)} | {sd} | {floor} |" for name, sd, floor in rows)]
    lines += ["", f"> [!WARNING]\n> {escape_sentence(measured.problem)}"] if measured.problem else []
    click.echo(told)
    if file := environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(Path(file), "\n".join(lines))
    return PublishError.exit_code if measured.problem else 0
