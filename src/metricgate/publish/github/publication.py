"""What is published about one run: the check while it lasts, and at its end check, comment, status and the rest."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from metricgate.models.outcome import Verdict
from metricgate.publish.annotations import Annotation, render_annotations
from metricgate.publish.github.answer import GitHubError
from metricgate.publish.github.check import Check, choose_conclusion
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.comment import CommentThread
from metricgate.publish.github.memory import add_memory, read_memory
from metricgate.publish.github.notices import Notices
from metricgate.publish.github.patience import Patience
from metricgate.publish.github.status import choose_state, post_status
from metricgate.publish.outputs import append_pairs
from metricgate.publish.summary import append_summary
from metricgate.report.escape import escape_sentence
from metricgate.report.headline import headline
from metricgate.report.markdown import comment_marker, render_check, render_comment, render_status, render_summary
from metricgate.report.place import PastRun, Place
from metricgate.report.value import Report
from metricgate.settings.inputs import Inputs
from metricgate.trigger.value import Trigger

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What came of publishing; ``notices`` say what did not, ``failed`` that something broke (not a permission)."""

    comment_url: str = ""
    check_url: str = ""
    notices: tuple[str, ...] = ()
    failed: bool = False


class Publication:
    """Publishes one run. Nothing in here changes the verdict, and trouble with GitHub is never raised."""

    def __init__(
        self,
        trigger: Trigger,
        inputs: Inputs,
        environ: Mapping[str, str],
        *,
        patience: Patience | None = None,
        timeout_s: int = 15,
        emit: Callable[[str], None] = print,
    ) -> None:
        self._trigger = trigger
        self._inputs = inputs
        self._environ = environ
        self._emit = emit
        self._notices = Notices(is_fork=trigger.is_fork)
        self._client = self._connect(patience, timeout_s)
        self._check = self._prepare_check()

    @classmethod
    def open(
        cls,
        trigger: Trigger,
        inputs: Inputs,
        environ: Mapping[str, str],
        *,
        patience: Patience | None = None,
        timeout_s: int = 15,
        emit: Callable[[str], None] = print,
    ) -> Self:
        """Prepare to publish; nothing is sent yet.

        ``patience`` bounds the waiting for GitHub in total, ``timeout_s`` each answer; ``emit`` writes one line to
        standard output.
        """
        return cls(trigger, inputs, environ, patience=patience, timeout_s=timeout_s, emit=emit)

    def start(self) -> None:
        """Show that the run is under way, and learn from GitHub's answer what the token may do."""
        check = self._check
        if check is not None and self._inputs.check in ("run", "both"):
            self._notices.attempt("check run", "checks", check.start)
            self._append("GITHUB_STATE", {"check-run": str(check.number)} if check.number else {})
        if self._inputs.check in ("status", "both"):
            self._post_status("pending", "MetricGate is running")

    def finish(self, report: Report, directory: Path) -> Published:
        """Publish the report everywhere it belongs; ``directory`` is where its files lie."""
        report = report.model_copy(update={"id": self._inputs.id})  # one read from an artifact may claim any
        place = Place(repository_url=self._repository_url, report_url=self._trigger.run_url)
        check_url = self._complete_check(report, place)
        comment_url = self._put_comment(report, place)
        if self._inputs.check in ("status", "both"):
            self._post_status(choose_state(report), render_status(report))
        notices = self._notices.all()
        self._write_summary(report, place, notices)
        self._annotate(report)
        self._write_outputs(report, directory, comment_url, check_url)
        for notice in notices:
            log.warning(notice)
        return Published(
            comment_url=comment_url, check_url=check_url, notices=notices, failed=bool(self._notices.failures)
        )

    @property
    def _repository_url(self) -> str:
        return f"{self._trigger.server_url}/{self._trigger.repository}" if self._trigger.repository else ""

    def _connect(self, patience: Patience | None, timeout_s: int) -> GitHubClient | None:
        token = self._inputs.github_token.get_secret_value()
        if not self._trigger.repository:
            return None
        if not token:
            self._notices.add("There is no `github-token`, so nothing but the job summary is published.")
            return None
        return GitHubClient(
            token=token,
            api_url=self._trigger.api_url,
            repository=self._trigger.repository,
            patience=patience,
            timeout_s=timeout_s,
        )

    def _prepare_check(self) -> Check | None:
        if self._client is None or self._trigger.report_sha is None:
            return None
        attempt = self._environ.get("GITHUB_RUN_ATTEMPT", "1")
        return Check(
            self._client,
            name=self._inputs.check_name,
            sha=self._trigger.report_sha,
            run=f"{self._trigger.run_id}-{attempt}-{self._inputs.id}",
            details_url=self._trigger.run_url,
        )

    def _complete_check(self, report: Report, place: Place) -> str:
        check = self._check
        if check is None or self._inputs.check not in ("run", "both"):
            return ""

        def complete() -> None:
            text = render_check(report, place)
            annotations = [
                {
                    "path": one.path,
                    "start_line": one.line,
                    "end_line": one.line,
                    "annotation_level": one.level,
                    "title": one.title,
                    "message": one.message,
                }
                for one in text.annotations
            ]
            check.complete(choose_conclusion(report), title=text.title, summary=text.summary, annotations=annotations)

        self._notices.attempt("check run", "checks", complete)
        return check.url

    def _put_comment(self, report: Report, place: Place) -> str:
        client, pull_request = self._client, self._trigger.pull_request
        if client is None or pull_request is None or self._inputs.comment == "never":
            return ""

        def put() -> str:
            current = client.get(client.path("pulls", pull_request.number))["head"]["sha"]
            if current != pull_request.head_sha:
                self._notices.add(f"The pull request has moved on to {current[:7]}, so the comment is left to its run.")
                return ""
            thread = CommentThread(client, pull_request.number, self._inputs.id)
            found = thread.find()
            if self._inputs.comment == "on-failure" and not found and report.verdict in _QUIET:
                return ""
            history = tuple(
                run for run in (read_memory(found[0].body) if found else ()) if run.revision != pull_request.head_sha
            )
            body = render_comment(report, replace(place, history=history))
            now = PastRun(revision=pull_request.head_sha, verdict=report.verdict, headline=headline(report))
            try:
                return thread.put(add_memory(body, (*history, now))).url
            except GitHubError as error:
                if "too long" not in error.what:
                    raise
                self._notices.add("GitHub found the comment too long, so it only has the headline.")
                return thread.put(_shorten_comment(report, place)).url

        return self._notices.attempt("comment", "pull-requests", put) or ""

    def _post_status(self, state: str, description: str) -> None:
        client, sha = self._client, self._trigger.report_sha
        if client is None or sha is None:
            return
        self._notices.attempt(
            "commit status",
            "statuses",
            lambda: post_status(
                client,
                sha,
                state=state,
                description=description,
                context=self._inputs.check_name,
                url=self._trigger.run_url,
            ),
        )

    def _write_summary(self, report: Report, place: Place, notices: tuple[str, ...]) -> None:
        file = self._environ.get("GITHUB_STEP_SUMMARY")
        if file:
            said = "".join(f"\n> [!NOTE]\n{_quote(notice)}\n" for notice in notices)
            append_summary(Path(file), render_summary(report, place) + said)

    def _annotate(self, report: Report) -> None:
        level = _LEVELS.get(report.verdict)
        if level is None or self._environ.get("GITHUB_ACTIONS") != "true":
            return
        text = headline(report)
        if report.failure:
            text = f"{text}\n{report.failure.what} Expected: {report.failure.expected} What to do: {report.failure.fix}"
        for line in render_annotations([Annotation(level=level, title=self._inputs.check_name, message=text)]):
            self._emit(line)

    def _write_outputs(self, report: Report, directory: Path, comment_url: str, check_url: str) -> None:
        workspace = Path(self._environ.get("GITHUB_WORKSPACE", "."))
        folder = directory.relative_to(workspace) if directory.is_relative_to(workspace) else directory
        self._append(
            "GITHUB_OUTPUT",
            {
                "verdict": report.verdict.value,
                "report": folder.as_posix(),
                "comment-url": comment_url,
                "check-url": check_url,
                "baseline-sha": (report.baseline.revision or "") if report.baseline else "",
            },
        )

    def _append(self, variable: str, pairs: Mapping[str, str]) -> None:
        file = self._environ.get(variable)
        if file and pairs:
            append_pairs(Path(file), pairs)


_QUIET = (Verdict.PASSED, Verdict.SKIPPED)
_LEVELS: dict[Verdict, Literal["error", "warning", "notice"]] = {
    Verdict.FAILED: "error",
    Verdict.ERROR: "error",
    Verdict.CANCELLED: "error",
    Verdict.INCONCLUSIVE: "warning",
}


def _shorten_comment(report: Report, place: Place) -> str:
    where = f"[the job summary]({place.report_url})" if place.report_url else "the job summary"
    return f"{comment_marker(report.id)}\n## {escape_sentence(headline(report))}\n\nThe whole report is in {where}.\n"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
