"""The last commit of a branch whose gate passed, where the newest one's failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from metricgate.publish.github.client import GitHubClient

MAX_COMMITS = 20
_FAILED, _PASSED = ("failure", "timed_out"), ("success",)


@dataclass(frozen=True, kw_only=True)
class GoodCommit:
    """``failing`` is the branch's head; ``good`` the last commit that passed, ``undone`` how many came after it."""

    failing: str
    good: str
    undone: int


def find_good_commit(client: GitHubClient, branch: str, check_name: str) -> GoodCommit | None:
    """Return where to go back to; None where the branch does not fail, or nothing on it is known to have passed."""
    commits = client.get(f"{client.path('commits')}?{urlencode({'sha': branch, 'per_page': MAX_COMMITS})}")
    judged = ((str(one["sha"]), _read_conclusion(client, str(one["sha"]), check_name)) for one in commits)
    return _choose(judged)


def _choose(judged: Iterator[tuple[str, str]]) -> GoodCommit | None:
    head, conclusion = next(judged, ("", ""))
    if conclusion not in _FAILED:
        return None
    for number, (sha, found) in enumerate(judged, start=1):
        if found in _PASSED:
            return GoodCommit(failing=head, good=sha, undone=number)
    return None


def _read_conclusion(client: GitHubClient, sha: str, name: str) -> str:
    path = client.path("commits", sha, "check-runs")
    runs = islice(client.get_all(path, key="check_runs", check_name=name), 100)
    done = [run for run in runs if run.get("status") == "completed"]
    return str(max(done, key=lambda run: int(run["id"])).get("conclusion")) if done else ""
