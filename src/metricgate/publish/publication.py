"""A run and its destinations: the place that lists them, and the delivery that no signal prevents."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from metricgate.errors import CancelledError
from metricgate.publish.announcers import make_announcements
from metricgate.publish.files import write_report
from metricgate.publish.github.destination import GitHubDestination, connect
from metricgate.publish.github.issue_destination import IssueDestination
from metricgate.publish.github.response import GitHubError
from metricgate.publish.github.retry_budget import RetryBudget
from metricgate.publish.github.watch_issue import WatchIssueDestination, list_earlier
from metricgate.publish.github.watch_snooze import apply_snoozes, find_snoozes
from metricgate.publish.interface import Destination, Event
from metricgate.publish.pushgateway import group_labels
from metricgate.publish.runner import Runner
from metricgate.publish.subscriptions import Subscriptions
from metricgate.report.failure import report_failure
from metricgate.report.occasion import EventKind
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext
from metricgate.settings.inputs import Inputs
from metricgate.trigger.triggers import Trigger

log = logging.getLogger(__name__)

WITHIN_S = 120.0  # for all destinations together
AT_LEAST_S = 10.0  # for each: what GitHub did not answer can still be said elsewhere


@dataclass(frozen=True, kw_only=True)
class Published:
    """What came of publishing: ``notices`` say what is missing, ``failed`` that something broke (not a permission)."""

    comment_url: str = ""
    check_url: str = ""
    notices: tuple[str, ...] = ()
    failed: bool = False


class Publication:
    """Publishes one run. Nothing here changes the verdict, and a destination's trouble is never raised."""

    def __init__(
        self,
        trigger: Trigger,
        inputs: Inputs,
        environ: Mapping[str, str],
        *,
        model_folder: Path | None = None,
        kind: EventKind = "gate",
        budget: RetryBudget | None = None,
        timeout_s: float = 15,
        emit: Callable[[str], None] = print,
    ) -> None:
        """Prepare to publish; nothing is sent yet.

        ``model_folder`` is where a run on the default branch keeps the model that it judged, for a model registry.
        ``budget`` bounds the waiting for GitHub in total, ``timeout_s`` each response to its last byte; ``emit`` writes
        one line to standard output.
        """
        self._trigger = trigger
        self._inputs = inputs
        self._kind = kind
        self._runner = Runner(environ, emit)
        client = self._client = connect(trigger, inputs, budget=budget, timeout_s=timeout_s)
        self.github = GitHubDestination(trigger, inputs, self._runner, client=client)
        subscriptions = Subscriptions(client, trigger, inputs)
        self.announcements = make_announcements(
            trigger, inputs, client, subscriptions, self.github.run, model_folder=model_folder
        )
        # The order of delivery: GitHub adds the links that the others show; the runner shows everybody's notices.
        self.destinations: tuple[Destination, ...] = (
            self.github,
            WatchIssueDestination(trigger, client=client)
            if kind == "drift"
            else IssueDestination(trigger, subscriptions, client=client),
            self.announcements,
            self._runner,
        )

    def acknowledge(self, report: Report, now: datetime) -> Report:
        """Return a watching run's report as people who may write want it told: a comment on its issue can snooze it."""
        client = self._client
        if (
            client is None
            or report.watch is None
            or not report.watch.issue
            or not self._trigger.is_about_default_branch
        ):
            return report
        try:
            return apply_snoozes(report, find_snoozes(client, report.id, now))
        except GitHubError as error:
            log.warning("Whether somebody snoozed this alarm is not known: %s", error)
            return report

    def publish(self, produce: Callable[[], Report], directory: Path) -> tuple[Report, Published]:
        """Produce a report, write its files and deliver it; a signal shortens this to a few seconds.

        A signal during ``produce`` may already be part of its report. One that arrives before or later is answered
        here, with the report if there is one by then.
        """
        report: Report | None = None
        try:
            report = produce()
            self._write_files(report, directory)
            return report, self.finish(report, directory)
        except CancelledError as error:
            self.github.hurry()
            self.announcements.hurry()
            report = report or report_failure(error, id_=self._inputs.id)
            self._write_files(report, directory)
            return report, self.finish(report, directory)

    def finish(self, report: Report, directory: Path) -> Published:
        """Deliver the report to every destination; ``directory`` is where its files lie."""
        trigger, inputs = self._trigger, self._inputs
        own = {"id": inputs.id}  # a report read from an artifact may claim any
        url = f"{trigger.server_url}/{trigger.repository}" if trigger.repository else ""
        event = Event(
            report=report.model_copy(update=own if inputs.charts != "none" else {**own, "charts": ()}),
            directory=directory,
            name=inputs.check_name,
            kind=self._kind,
            earlier=list_earlier(report),
            view_context=ViewContext(repository_url=url, report_url=trigger.run_url),
        )
        # A version without links and notices first: a process that is killed while a server is silent leaves an answer.
        self._runner.deliver(event, within_s=WITHIN_S)
        failed, ends = False, time.monotonic() + WITHIN_S
        for destination in self.destinations:
            delivery = destination.deliver(event, within_s=max(AT_LEAST_S, ends - time.monotonic()))
            event, failed = delivery.event, failed or delivery.failed
        notices = tuple(notice.text for notice in event.notices)
        for notice in notices:
            log.warning("%s", notice)
        return Published(comment_url=event.comment_url, check_url=event.check_url, notices=notices, failed=failed)

    def _write_files(self, report: Report, directory: Path) -> None:
        try:
            write_report(report, directory, labels=group_labels(self._trigger, report.id))
        except CancelledError:
            raise
        except Exception:
            # A full disk, or a bug in one view: the pull request still gets its answer.
            log.exception("The report folder %s could not be written.", directory)
