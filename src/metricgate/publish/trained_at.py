"""When the judged results were made: in this run, by an earlier one, or with the last change of dvc.lock."""

import posixpath
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from metricgate.report.value import Report

if TYPE_CHECKING:
    from metricgate.publish.github.client import GitHubClient


def read_trained_at(report: Report, ended_at: float) -> float | None:
    """Return the time that the report itself knows, in seconds since 1970."""
    made = report.candidate.made if report.candidate else ""
    if made:
        return _parse(made)
    return ended_at if any(stage.state == "ran" for stage in report.candidate_stages) else None


def ask_trained_at(client: "GitHubClient", folder: str, revision: str) -> float | None:
    """Return when dvc.lock was last committed, which a shallow checkout does not know."""
    path = posixpath.normpath(posixpath.join(folder, "dvc.lock"))
    query = urlencode({"sha": revision, "path": path, "per_page": 1})
    commits = client.get(f"{client.path('commits')}?{query}")
    dates = [str(one["commit"]["committer"]["date"]) for one in commits[:1]]
    return _parse(dates[0]) if dates else None


def _parse(text: str) -> float | None:
    for form in ("%Y-%m-%d %H:%M UTC", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None
