"""The commit status: for rules that a check run, which GitHub may file under another workflow, does not satisfy."""

from metricgate.models.outcome import Verdict
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.report.value import Report

MAX_DESCRIPTION = 140


def choose_state(report: Report) -> str:
    """Yield the state for a verdict; GitHub's statuses know no neutral."""
    if report.verdict is Verdict.INCONCLUSIVE:
        return "success" if report.exit_code == 0 else "failure"
    return {
        Verdict.PASSED: "success",
        Verdict.SKIPPED: "success",
        Verdict.FAILED: "failure",
        Verdict.ERROR: "error",
        Verdict.CANCELLED: "error",
    }[report.verdict]


def post_status(client: GitHubClient, sha: str, *, state: str, description: str, context: str, url: str) -> None:
    """Add a status to a commit; a repeated one is looked for first."""
    body = {"state": state, "description": description[:MAX_DESCRIPTION], "context": context}
    if url:
        body["target_url"] = url

    def find() -> Json | None:
        latest = next(
            (one for one in client.get_all(client.path("commits", sha, "statuses")) if one.get("context") == context),
            None,
        )
        return latest if latest and all(latest.get(key) == value for key, value in body.items()) else None

    client.create(client.path("statuses", sha), body, find=find)
