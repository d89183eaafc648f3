"""The verdicts of past pull requests, from the check runs that stand on their heads."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from metricgate.publish.github.client import GitHubClient, Json
from metricgate.report.headline import BLOCKED, UNDECIDED, UNJUDGED, WOULD_BLOCK

PastAnswer = Literal["blocked", "undecided", "error", "passed"]
_STARTS: tuple[tuple[str, PastAnswer], ...] = (
    (BLOCKED, "blocked"),
    (WOULD_BLOCK, "blocked"),
    (UNDECIDED, "undecided"),
    (UNJUDGED, "error"),
)


@dataclass(frozen=True, kw_only=True)
class PastCheck:
    """What MetricGate last said about a pull request; ``merged`` is whether it was merged nevertheless."""

    number: int
    title: str
    url: str
    headline: str
    answer: PastAnswer
    merged: bool


def list_past_checks(client: GitHubClient, name: str, last: int) -> Iterator[PastCheck | None]:
    """Yield the check named ``name`` of each of the ``last`` pull requests, the newest first; None where it has none.

    One request per pull request: a token that may read checks suffices, and a public repository's are open to all.
    """
    newest = client.get_all(client.path("pulls"), state="all", sort="created", direction="desc")
    for pull_request in islice(newest, last):
        path = client.path("commits", str(pull_request["head"]["sha"]), "check-runs")
        runs = list(client.get_all(path, key="check_runs", check_name=name))
        done = [run for run in runs if run.get("status") == "completed" and (run.get("output") or {}).get("title")]
        yield _read_check(pull_request, max(done, key=lambda run: int(run["id"]))) if done else None


def _read_check(pull_request: Json, run: Json) -> PastCheck:
    headline = str(run["output"]["title"])
    return PastCheck(
        number=int(pull_request["number"]),
        title=str(pull_request.get("title", "")),
        url=str(pull_request.get("html_url", "")),
        headline=headline,
        answer=next((answer for start, answer in _STARTS if headline.startswith(start)), "passed"),
        merged=bool(pull_request.get("merged_at")),
    )
