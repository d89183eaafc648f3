"""The verdicts before this one on a branch, as the check runs of its last commits remember them."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from metricgate.models.outcome import Verdict
from metricgate.publish.github.client import GitHubClient, Json

MAX_COMMITS = 5
_LINE = re.compile(r"^<!-- metricgate-verdict ([a-z]+) -->$", re.MULTILINE)
_CONCLUSIONS = {"success": Verdict.PASSED, "failure": Verdict.FAILED, "timed_out": Verdict.ERROR}


def remember_verdict(verdict: Verdict) -> str:
    """Return the hidden end of a check's summary, which later runs read."""
    return f"\n<!-- metricgate-verdict {verdict.value} -->\n"


def find_earlier_verdicts(client: GitHubClient, *, name: str, sha: str, run: str) -> tuple[Verdict, ...]:
    """Return the verdicts of completed checks called ``name``, the newest first; ``run`` names this run's own check."""
    commits = client.get(f"{client.path('commits')}?{urlencode({'sha': sha, 'per_page': MAX_COMMITS})}")
    return tuple(verdict for commit in commits for verdict in _read_commit(client, str(commit["sha"]), name, run))


def _read_commit(client: GitHubClient, sha: str, name: str, run: str) -> Iterator[Verdict]:
    path = client.path("commits", sha, "check-runs")
    found = client.get_all(path, key="check_runs", check_name=name, filter="all")
    newest = sorted(found, key=lambda one: int(one["id"]), reverse=True)
    for one in newest:
        if one.get("external_id") != run and one.get("status") == "completed" and (verdict := _read_verdict(one)):
            yield verdict


def _read_verdict(check: Json) -> Verdict | None:
    told = _LINE.findall(str((check.get("output") or {}).get("summary") or ""))
    try:
        return Verdict(told[-1]) if told else _CONCLUSIONS.get(str(check.get("conclusion")))
    except ValueError:
        return None
