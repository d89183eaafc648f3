"""What is published about one run: the check while it lasts, and at its end check, comment, status and the rest."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from metricgate.models.outcome import Verdict
from metricgate.publish.files import chart_files
from metricgate.publish.github.acceptance import find_acceptance
from metricgate.publish.github.answer import GitHubError, Trouble
from metricgate.publish.github.check import Check, choose_conclusion
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.conversation import put_comment
from metricgate.publish.github.notices import Notices
from metricgate.publish.github.patience import Patience
from metricgate.publish.github.pictures import PictureStore
from metricgate.publish.github.status import choose_state, post_status
from metricgate.publish.step import Step
from metricgate.report.formats.markdown import CheckText, render_check, render_status, render_summary
from metricgate.report.place import Place
from metricgate.report.value import Acceptance, Report
from metricgate.settings.inputs import Inputs
from metricgate.trigger.triggers import Trigger

log = logging.getLogger(__name__)

STATE = "check-run"  # what the post step finds an open check by


@dataclass(frozen=True, kw_only=True)
class Published:
    """What came of publishing; ``notices`` say what did not, ``failed`` that something broke (not a permission)."""

    comment_url: str = ""
    check_url: str = ""
    notices: tuple[str, ...] = ()
    failed: bool = False


_LEFT_OPEN = CheckText(
    title="The run ended without a verdict",
    summary="The process was killed before it could answer: out of memory, a time limit of the job, or a lost runner. "
    "Re-run the job; its log has the last lines.",
)


def _describe(report: Report, place: Place) -> CheckText:
    """Render the check; where a defect of ours prevents that, the verdict still comes out."""
    try:
        return render_check(report, place)
    except Exception:
        log.exception("The check's text could not be rendered because of a defect in MetricGate.")
        return CheckText(title=f"MetricGate: {report.verdict.value}", summary="The job's log says more.")


class Publication:
    """Publishes one run. Nothing in here changes the verdict, and trouble with GitHub is never raised."""

    def __init__(
        self, trigger: Trigger, inputs: Inputs, step: Step, *, client: GitHubClient | None, attempt: str
    ) -> None:
        self._trigger = trigger
        self._inputs = inputs
        self._step = step
        self._client = client
        self._notices = Notices(is_fork=trigger.is_fork)
        self._check: Check | None = None
        if client and trigger.report_sha:
            self._check = Check(
                client,
                name=inputs.check_name,
                sha=trigger.report_sha,
                run=f"{trigger.run_id}-{attempt}-{inputs.id}",
                details_url=trigger.run_url,
            )

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
        client = connect(trigger, inputs, patience=patience, timeout_s=timeout_s)
        attempt = environ.get("GITHUB_RUN_ATTEMPT", "1")
        return cls(trigger, inputs, Step(environ, emit), client=client, attempt=attempt)

    def start(self) -> None:
        """Show that the run is under way, and learn from GitHub's answer what the token may do."""
        check = self._check
        if check and self._inputs.check in ("run", "both"):
            self._notices.attempt("check run", "checks", check.start)
            if check.number:
                self._step.keep(STATE, str(check.number))
        if self._inputs.check in ("status", "both"):
            self._post_status("pending", "MetricGate is running")

    def find_acceptance(self) -> Acceptance | None:
        """Ask whether a person with the right to accepted a known regression of this pull request."""
        client, pull_request = self._client, self._trigger.pull_request
        if not client or not pull_request:
            return None

        def find() -> Acceptance | None:
            try:
                return find_acceptance(client, pull_request, self._notices)
            except GitHubError as error:
                if error.trouble is not Trouble.FORBIDDEN:
                    raise
                log.info("The token may not read the pull request, so a job that may has to look for the label.")
                return None

        return self._notices.attempt("acceptance label", "pull-requests", find, done="read")

    def hurry(self) -> None:
        """Keep to the few seconds that a cancelled workflow leaves."""
        if self._client:
            self._client.hurry()

    def finish(self, report: Report, directory: Path) -> Published:
        """Publish the report everywhere it belongs; ``directory`` is where its files lie."""
        own = {"id": self._inputs.id}  # a report read from an artifact may claim any
        report = report.model_copy(update=own if self._inputs.charts != "none" else {**own, "charts": ()})
        if report.verdict is Verdict.CANCELLED:
            self.hurry()
        place = self._place_pictures(report, directory)
        check_url = self._complete_check(report, place)
        if self._inputs.check in ("status", "both"):
            self._post_status(choose_state(report), render_status(report))
        comment_url = self._put_comment(report, place)
        if not self._client and self._trigger.repository:
            self._notices.add("There is no `github-token`, so nothing but the job summary is published.")
        self._step.write_outputs(report, directory, comment_url=comment_url, check_url=check_url)
        name = self._inputs.check_name
        self._notices.attempt("annotation", "contents", lambda: self._step.annotate(report, name), done="written")
        self._notices.attempt("job summary", "contents", lambda: self._summarise(report, place), done="written")
        notices = self._notices.all()
        for notice in notices:
            log.warning(notice)
        failed = bool(self._notices.failures)
        return Published(comment_url=comment_url, check_url=check_url, notices=notices, failed=failed)

    def _summarise(self, report: Report, place: Place) -> None:
        self._step.write_summary(render_summary(report, place), self._notices.render())

    def close(self, number: int) -> bool:
        """Complete a check run that was left in progress; yield whether there was something to do."""
        client, check = self._client, self._check
        if not client or not check:
            return False

        def close() -> bool:
            if client.get(client.path("check-runs", number))["status"] == "completed":
                return False
            check.adopt(number)
            check.complete("failure", _LEFT_OPEN)
            return True

        return self._notices.attempt("check run", "checks", close) or False

    def _place_pictures(self, report: Report, directory: Path) -> Place:
        trigger, client = self._trigger, self._client
        url = f"{trigger.server_url}/{trigger.repository}" if trigger.repository else ""
        place = Place(repository_url=url, report_url=trigger.run_url)
        shown = self._inputs.comment != "never" or self._inputs.check in ("run", "both")
        wanted = shown and self._inputs.charts in ("auto", "repository") and report.charts
        if not client or not wanted or report.verdict is Verdict.CANCELLED:
            return place
        scope = f"pull-{trigger.pull_request.number}" if trigger.pull_request else "commits"
        store = PictureStore(
            client,
            repository_url=url,
            scope=f"{scope}/{self._inputs.id.replace('.', '-2e')}",  # a ref may hold no `..` and end with no `.lock`
            run_id=trigger.run_id or 0,
        )
        files = {
            name: pair for name, pair in chart_files(report, directory).items() if all(one.exists() for one in pair)
        }
        with client.patience.at_most(30):
            pictures = self._notices.attempt("pictures", "contents", lambda: store.put(files), done="stored")
        if pictures is None:
            refused = "contents" in self._notices.missing
            why = (
                "Pictures need the permission contents: write."
                if refused
                else "Pictures could not be stored this time."
            )
            return replace(place, picture_note=why)
        return replace(place, pictures=pictures)

    def _complete_check(self, report: Report, place: Place) -> str:
        check = self._check
        if not check or self._inputs.check not in ("run", "both"):
            return ""

        def complete() -> None:
            check.complete(choose_conclusion(report), _describe(report, place))

        self._notices.attempt("check run", "checks", complete)
        return check.url

    def _post_status(self, state: str, description: str) -> None:
        client, sha = self._client, self._trigger.report_sha
        if not client or not sha:
            return
        context, url = self._inputs.check_name, self._trigger.run_url

        def post() -> None:
            post_status(client, sha, state=state, description=description, context=context, url=url)

        self._notices.attempt("commit status", "statuses", post)

    def _put_comment(self, report: Report, place: Place) -> str:
        client, pull_request, inputs = self._client, self._trigger.pull_request, self._inputs
        if not client or not pull_request or inputs.comment == "never":
            return ""

        def put() -> str:
            return put_comment(client, pull_request, report=report, place=place, inputs=inputs, notices=self._notices)

        return self._notices.attempt("comment", "pull-requests", put) or ""


def connect(
    trigger: Trigger, inputs: Inputs, *, patience: Patience | None = None, timeout_s: int = 15
) -> GitHubClient | None:
    """Yield a client for the trigger's repository, or None where there is no repository or no token."""
    token = inputs.github_token.get_secret_value()
    if not trigger.repository or not token:
        return None
    return GitHubClient(
        token=token, api_url=trigger.api_url, repository=trigger.repository, patience=patience, timeout_s=timeout_s
    )
