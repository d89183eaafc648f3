"""The check run, completed whatever happens, and the commit status."""

from typing import Any

from metricgate.models.outcome import Verdict
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.report.formats.check_run import CheckAnnotation, CheckText
from metricgate.report.value import Report

MAX_ANNOTATIONS = 50  # in one request
MAX_DESCRIPTION = 140
_BLOCKING = (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERROR)


def choose_conclusion(report: Report) -> str:
    """Return the check's conclusion for a verdict. GitHub lets a ``neutral`` check merge."""
    if not report.enforced and report.verdict in _BLOCKING:
        return "neutral"
    if report.failure is not None and report.failure.timed_out:
        return "timed_out"
    if report.verdict is Verdict.INCONCLUSIVE:
        return "neutral" if report.exit_code == 0 else "failure"
    return {
        Verdict.PASSED: "success",
        Verdict.FAILED: "failure",
        Verdict.SKIPPED: "neutral",
        Verdict.ERROR: "failure",
        Verdict.CANCELLED: "cancelled",
    }[report.verdict]


class CheckRun:
    """One check run of one workflow run on one commit."""

    def __init__(self, client: GitHubClient, *, name: str, sha: str, run: str, details_url: str) -> None:
        """``run`` identifies this attempt of this workflow run, so that a repeated request finds what it created."""
        self._client = client
        self._name = name
        self._sha = sha
        self._run = run
        self._details_url = details_url
        self.number: int | None = None
        self.url = ""
        self._is_begun = False

    def start(self) -> None:
        """Create it in progress."""
        self._is_begun = True
        self._create({"status": "in_progress"})

    def complete(self, conclusion: str, text: CheckText) -> None:
        """Complete it, even where it could not be created before."""
        annotations = [_annotate(annotation) for annotation in text.annotations[:MAX_ANNOTATIONS]]
        output = {"title": text.title, "summary": text.summary, "annotations": annotations}
        body = {"status": "completed", "conclusion": conclusion, "output": output}
        if self.number is None and self._is_begun and (left := self._find()):
            # GitHub created it, but a signal or a fault lost the response.
            self._keep(left)
        if self.number is None:
            self._create(body)
        else:
            self._keep(self._client.change(self._client.path("check-runs", self.number), body))

    def adopt(self, number: int) -> None:
        """Continue with a check run that an earlier step of this job created."""
        self.number = number

    def _create(self, body: dict[str, Any]) -> None:
        identity = {"name": self._name, "head_sha": self._sha, "external_id": self._run}
        links = {"details_url": self._details_url} if self._details_url else {}
        path = self._client.path("check-runs")
        self._keep(self._client.create(path, {**identity, **links, **body}, find=lambda: self._find(body["status"])))

    def _find(self, status: str = "") -> Json | None:
        runs = self._client.get_all(
            self._client.path("commits", self._sha, "check-runs"), key="check_runs", check_name=self._name
        )
        own = (run for run in runs if run.get("external_id") == self._run)
        return next((run for run in own if status in ("", run.get("status"))), None)

    def _keep(self, run: Json) -> None:
        self.number = int(run["id"])
        self.url = str(run.get("html_url") or "")


def _annotate(annotation: CheckAnnotation) -> Json:
    return {
        "path": annotation.path,
        "start_line": annotation.line,
        "end_line": annotation.line,
        "annotation_level": annotation.level,
        "title": annotation.title,
        "message": annotation.message,
    }


def choose_state(report: Report) -> str:
    """Return the status for a verdict; a commit status cannot be neutral."""
    if not report.enforced and report.verdict in _BLOCKING:
        return "success"
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
    """Add a status to a commit, for rules that a check run does not satisfy.

    GitHub may file a check run under another workflow.
    """
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
