"""GitHub as a destination: the check while the run lasts, and at its end check, status, comment and pictures."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from metricgate.errors import CancelledError
from metricgate.models.outcome import Verdict
from metricgate.publish.files import chart_files
from metricgate.publish.github.acceptance import find_acceptance
from metricgate.publish.github.checks import CheckRun, choose_conclusion, choose_state, post_status
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.comment import put_comment
from metricgate.publish.github.earlier_checks import remember_verdict
from metricgate.publish.github.permissions import GitHubNotices
from metricgate.publish.github.pictures import PictureStore
from metricgate.publish.github.response import GitHubError
from metricgate.publish.github.retry_budget import RetryBudget
from metricgate.publish.interface import Delivery, Event
from metricgate.publish.runner import Runner
from metricgate.report.formats.check_run import CheckText, render_check
from metricgate.report.formats.markdown import render_status
from metricgate.report.value import Acceptance, Report
from metricgate.report.view_context import ViewContext
from metricgate.report.vocabulary import VERDICT_WORDS
from metricgate.settings.inputs import Inputs
from metricgate.trigger.triggers import Trigger

log = logging.getLogger(__name__)

STATE = "check-run"  # the post step's name for the number of this run's check
PICTURES_WITHIN_S = 30
START_WITHIN_S = 60  # the check in progress, and later the label: nothing is judged before

_LEFT_OPEN = CheckText(
    title="The run ended without a verdict",
    summary="The process was killed before it had a verdict: out of memory, the job's time limit, or a lost runner. "
    "Re-run the job; its log has the last lines.",
)


class GitHubDestination:
    """GitHub's views of one run. Acceptance, the post step and hurrying exist only here."""

    def __init__(self, trigger: Trigger, inputs: Inputs, runner: Runner, *, client: GitHubClient | None) -> None:
        self._trigger = trigger
        self._inputs = inputs
        self._runner = runner
        self._client = client
        self._notices = GitHubNotices(is_fork=trigger.is_fork)
        self._check: CheckRun | None = None
        attempt = runner.environ.get("GITHUB_RUN_ATTEMPT", "1")
        self.run = f"{trigger.run_id}-{attempt}-{inputs.id}"  # names this run's check
        if client and trigger.report_sha:
            self._check = CheckRun(
                client,
                name=inputs.check_name,
                sha=trigger.report_sha,
                run=self.run,
                details_url=trigger.run_url,
            )

    def start(self) -> None:
        """Show that the run is under way; GitHub's response shows what the token may do."""
        check = self._check
        with self._at_most(START_WITHIN_S):
            if check and self._shows_check:
                self._notices.attempt_with("checks", "check run", check.start)
                if check.number:
                    self._runner.keep(STATE, str(check.number))
            self._post_status("pending", lambda: "MetricGate is running")

    def find_acceptance(self) -> Acceptance | None:
        """Return who accepted a known regression of this pull request, if a person with the permission did."""
        client, pull_request = self._client, self._trigger.pull_request
        if not client or not pull_request:
            return None

        def find() -> Acceptance | None:
            try:
                return find_acceptance(client, pull_request, self._notices)
            except GitHubError as error:
                if not error.is_forbidden:
                    raise
                log.info("The token may not read the pull request, so the label is not looked for here.")
                return None

        with self._at_most(START_WITHIN_S):
            return self._notices.attempt_with("pull-requests", "acceptance label", find, done="read")

    def hurry(self) -> None:
        """Keep to the few seconds that a cancelled workflow leaves."""
        if self._client:
            self._client.hurry()

    def deliver(self, event: Event, *, within_s: float) -> Delivery:
        """Store the pictures, complete the check, post the status and update the comment."""
        client = self._client
        if client is None:
            if self._trigger.repository:
                self._notices.add("There is no `github-token`, so only the job summary is published.")
        else:
            if event.report.verdict is Verdict.CANCELLED:
                client.hurry()
            with client.budget.at_most(within_s):
                event = self._publish(client, event)
        event = replace(event, notices=(*event.notices, *self._notices.all()))
        return Delivery(event=event, failed=self._notices.failed)

    def close(self, number: int) -> bool:
        """Complete a check run that was left in progress; return whether it was."""
        client, check = self._client, self._check
        if not client or not check:
            return False

        def close() -> bool:
            if client.get(client.path("check-runs", number))["status"] == "completed":
                return False
            check.adopt(number)
            check.complete("failure", _LEFT_OPEN)
            return True

        with self._at_most(START_WITHIN_S):
            return self._notices.attempt_with("checks", "check run", close) or False

    def _at_most(self, seconds: float) -> AbstractContextManager[None]:
        return self._client.budget.at_most(seconds) if self._client else nullcontext()

    def _publish(self, client: GitHubClient, event: Event) -> Event:
        event = replace(event, view_context=self._store_pictures(client, event))
        event = replace(event, check_url=self._complete_check(event.report, event.view_context))
        self._post_status(choose_state(event.report), lambda: render_status(event.report))
        return self._put_comment(client, event)

    def _store_pictures(self, client: GitHubClient, event: Event) -> ViewContext:
        report, view_context, trigger = event.report, event.view_context, self._trigger
        shown = self._inputs.comment != "never" or self._shows_check
        wanted = shown and self._inputs.charts in ("auto", "repository") and report.charts
        if not wanted or report.verdict is Verdict.CANCELLED:
            return view_context
        scope = f"pull-{trigger.pull_request.number}" if trigger.pull_request else "commits"
        store = PictureStore(
            client,
            repository_url=view_context.repository_url,
            scope=f"{scope}/{self._inputs.id.replace('.', '-2e')}",  # a ref may hold no `..` and end with no `.lock`
            run_id=trigger.run_id or 0,
        )
        files = {
            name: pair for name, pair in chart_files(report, event.directory).items() if all(map(Path.exists, pair))
        }
        with client.budget.at_most(PICTURES_WITHIN_S):
            pictures = self._notices.attempt_with("contents", "pictures", lambda: store.put(files), done="stored")
        if pictures is not None:
            return replace(view_context, pictures=pictures)
        is_refused = "contents" in self._notices.missing
        why = "Pictures need the permission contents: write." if is_refused else "The pictures could not be stored."
        return replace(view_context, picture_note=why)

    def _complete_check(self, report: Report, view_context: ViewContext) -> str:
        check = self._check
        if not check or not self._shows_check:
            return ""
        text = _describe(report, view_context)
        self._notices.attempt_with("checks", "check run", lambda: check.complete(choose_conclusion(report), text))
        return check.url

    def _post_status(self, state: str, describe: Callable[[], str]) -> None:
        client, sha = self._client, self._trigger.report_sha
        if not client or not sha or self._inputs.check not in ("status", "both"):
            return
        context, url = self._inputs.check_name, self._trigger.run_url

        def post() -> None:
            post_status(client, sha, state=state, description=describe(), context=context, url=url)

        self._notices.attempt_with("statuses", "commit status", post)

    def _put_comment(self, client: GitHubClient, event: Event) -> Event:
        pull_request, inputs = self._trigger.pull_request, self._inputs
        if not pull_request or inputs.comment == "never":
            return event

        def put() -> Event:
            return put_comment(client, pull_request, event, inputs=inputs, notices=self._notices)

        return self._notices.attempt_with("pull-requests", "comment", put) or event

    @property
    def _shows_check(self) -> bool:
        return self._inputs.check in ("run", "both")


def connect(
    trigger: Trigger, inputs: Inputs, *, budget: RetryBudget | None = None, timeout_s: float = 15
) -> GitHubClient | None:
    """Return a client for the trigger's repository, or None where there is no repository or no token."""
    token = inputs.github_token.get_secret_value()
    if not trigger.repository or not token:
        return None
    return GitHubClient(
        token=token, api_url=trigger.api_url, repository=trigger.repository, budget=budget, timeout_s=timeout_s
    )


def _describe(report: Report, view_context: ViewContext) -> CheckText:
    """Return the check's text; where a bug prevents that, the verdict alone."""
    try:
        text = render_check(report, view_context)
        return replace(text, summary=text.summary + remember_verdict(report.verdict))
    except CancelledError:
        raise
    except Exception:
        log.exception("The check's text could not be rendered because of a bug in MetricGate.")
        return CheckText(title=f"MetricGate: {VERDICT_WORDS[report.verdict]}", summary="The job's log says more.")
