"""Mode `monitor` of the action: watch the released model, and tell whoever wants to know."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from metricgate.cli.action import find_workspace, hide_secrets, report_bug
from metricgate.cli.workflow_log import WorkflowProgress
from metricgate.monitoring.story import WatchRequest, watch_release
from metricgate.monitoring.unjudged import asks_for_issue, mark_unjudged
from metricgate.publish.publication import Publication
from metricgate.report.value import Report
from metricgate.revisions.git_command import Access
from metricgate.settings.inputs import Inputs
from metricgate.trigger import Trigger

# No red cross on an innocent commit: a schedule is about the data, and says so in its own run and in the issue.
QUIET: Mapping[str, str] = {"check": "none", "comment": "never"}


def watch_and_publish(
    trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path, *, now: datetime | None = None
) -> int:
    """Watch once, publish the report, and return the exit code. ``now``: what ages are counted to."""
    asked = {name: value for name, value in QUIET.items() if name not in inputs.model_fields_set}
    publication = Publication(trigger, inputs.model_copy(update=asked), environ, kind="drift")

    def produce() -> Report:
        at = now or datetime.now(UTC)
        return hide_secrets(publication.acknowledge(_watch(trigger, inputs, environ, output, at), at), environ)

    report, _ = publication.publish(produce, output)
    return report.exit_code


def _watch(trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path, now: datetime) -> Report:
    """Watch, and turn even a bug in MetricGate into a report."""
    request = WatchRequest(
        directory=find_workspace(environ) / inputs.working_directory,
        output=output,
        now=now,
        trigger=trigger,
        access=Access(token=inputs.github_token.get_secret_value(), server_url=trigger.server_url),
        policy_name=inputs.policy,
        id=inputs.id,
        timeout_s=inputs.timeout_minutes * 60 or None,
        mlflow=inputs.mlflow,
        is_shared=trigger.is_about_default_branch,
    )
    try:
        return watch_release(request, WorkflowProgress())
    except Exception:  # noqa: BLE001  the run gets its answer, the log the traceback
        return mark_unjudged(report_bug(inputs.id), issue=asks_for_issue(request.directory, request.policy_name))
