"""What a run shows about a commit that it made itself: pictures, check run and status.

Workflows of a pull request that the job's token opened wait for a person's approval: without these, nothing would be
reported on its head.
"""

from dataclasses import replace
from pathlib import Path

from metricgate.publish.files import chart_files
from metricgate.publish.github.checks import CheckRun, choose_conclusion, choose_state, post_status
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.earlier_checks import remember_verdict
from metricgate.publish.github.permissions import GitHubNotices
from metricgate.publish.github.pictures import PictureStore
from metricgate.report.formats.check_run import render_check
from metricgate.report.formats.markdown import render_status
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext
from metricgate.settings.inputs import Inputs
from metricgate.trigger.triggers import Trigger


def store_pictures(
    client: GitHubClient, trigger: Trigger, inputs: Inputs, report: Report, *, directory: Path, notices: GitHubNotices
) -> ViewContext:
    """Return a view context with the addresses of the report's pictures, as far as they could be stored."""
    url = f"{trigger.server_url}/{trigger.repository}"
    context = ViewContext(repository_url=url, report_url=trigger.run_url)
    if inputs.charts not in ("auto", "repository") or not report.charts:
        return context
    scope = f"retrain/{inputs.id.replace('.', '-2e')}"
    store = PictureStore(client, repository_url=url, scope=scope, run_id=trigger.run_id or 0)
    files = {name: pair for name, pair in chart_files(report, directory).items() if all(map(Path.exists, pair))}
    pictures = notices.attempt_with("contents", "pictures", lambda: store.put(files), done="stored")
    return context if pictures is None else replace(context, pictures=pictures)


def report_on_head(
    client: GitHubClient,
    trigger: Trigger,
    inputs: Inputs,
    report: Report,
    context: ViewContext,
    *,
    sha: str,
    run: str,
    notices: GitHubNotices,
) -> str:
    """Complete a check run on ``sha`` and set its status, as the inputs ask; return the check run's address."""
    check = CheckRun(client, name=inputs.check_name, sha=sha, run=run, details_url=trigger.run_url)
    if inputs.check in ("run", "both"):
        text = render_check(report, context)
        text = replace(text, summary=text.summary + remember_verdict(report.verdict))
        notices.attempt_with("checks", "check run", lambda: check.complete(choose_conclusion(report), text))
    if inputs.check in ("status", "both"):

        def post() -> None:
            post_status(
                client,
                sha,
                state=choose_state(report),
                description=render_status(report),
                context=inputs.check_name,
                url=trigger.run_url,
            )

        notices.attempt_with("statuses", "commit status", post)
    return check.url
