"""The pull request's conversation: whether to comment, and with what."""

from dataclasses import replace

from metricgate.models.outcome import Verdict
from metricgate.publish.github.answer import GitHubError
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.comment import CommentThread
from metricgate.publish.github.memory import add_memory, read_memory
from metricgate.publish.github.notices import Notices
from metricgate.report.escape import escape_sentence
from metricgate.report.formats.markdown import comment_marker, render_comment
from metricgate.report.headline import headline
from metricgate.report.place import Place
from metricgate.report.sections.history import remember_run
from metricgate.report.value import Report
from metricgate.settings.inputs import Inputs
from metricgate.trigger.triggers import PullRequest

_QUIET = (Verdict.PASSED, Verdict.SKIPPED)


def put_comment(
    client: GitHubClient, pull_request: PullRequest, *, report: Report, place: Place, inputs: Inputs, notices: Notices
) -> str:
    """Bring the set-up's comment up to date and yield its address, or an empty text where there is none."""
    current = str(client.get(client.path("pulls", pull_request.number))["head"]["sha"])
    if current != pull_request.head_sha:
        notices.add(f"The pull request has moved on to {current[:7]}, so the comment is left to its run.")
        return ""
    thread = CommentThread(client, pull_request.number, inputs.id)
    found = thread.find()
    if inputs.comment == "on-failure" and not found and report.verdict in _QUIET:
        return ""
    remembered = read_memory(found[0].body) if found else ()
    history = tuple(run for run in remembered if run.revision != pull_request.head_sha)
    body = render_comment(report, replace(place, history=history))
    try:
        return thread.put(add_memory(body, (*history, remember_run(report, pull_request.head_sha)))).url
    except GitHubError as error:
        if "too long" not in error.what:
            raise
        notices.add("GitHub found the comment too long, so it only has the headline.")
        return thread.put(_shorten(report, place)).url


def _shorten(report: Report, place: Place) -> str:
    where = f"[the job summary]({place.report_url})" if place.report_url else "the job summary"
    return f"{comment_marker(report.id)}\n## {escape_sentence(headline(report))}\n\nThe whole report is in {where}.\n"
