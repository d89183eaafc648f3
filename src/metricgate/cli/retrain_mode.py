"""Mode `retrain`: train the model again if it is due, and offer it as one pull request."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from metricgate.cli.workflow_log import WorkflowProgress
from metricgate.errors import ConfigurationError, MetricgateError, PublishError
from metricgate.publish.announcers import make_announcements
from metricgate.publish.files import write_report
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.dashboard import Commands, Dashboard
from metricgate.publish.github.destination import connect
from metricgate.publish.github.good_commit import find_good_commit
from metricgate.publish.github.head_views import report_on_head, store_pictures
from metricgate.publish.github.permissions import GitHubNotices
from metricgate.publish.interface import Event
from metricgate.publish.runner import Runner
from metricgate.publish.subscriptions import Subscriptions
from metricgate.report.failure import report_failure, report_skip
from metricgate.report.formats.markdown import COMMENT_LIMITS, compose_page
from metricgate.report.sections.page import page_sections
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext
from metricgate.retraining.dashboard import APPROVE, TRAIN, name_dashboard, render_dashboard
from metricgate.retraining.memory_ref import MemoryConflictError
from metricgate.retraining.offering import Offer, Offering
from metricgate.retraining.project import RetrainRequest
from metricgate.retraining.story import RetrainOutcome, retrain
from metricgate.revisions.git_command import Access
from metricgate.settings.inputs import Inputs
from metricgate.trigger import Trigger
from metricgate.trigger.triggers import TriggerKind

log = logging.getLogger(__name__)

WITHIN_S = 120.0


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What the parts of this mode share."""

    trigger: Trigger
    inputs: Inputs
    environ: Mapping[str, str]
    output: Path
    client: GitHubClient
    notices: GitHubNotices
    now: datetime

    @property
    def run(self) -> str:
        attempt = self.environ.get("GITHUB_RUN_ATTEMPT", "1")
        return f"{self.trigger.run_id}-{attempt}-{self.inputs.id}-retrain"


def retrain_and_offer(
    trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path, *, now: datetime | None = None
) -> int:
    """Run the mode, and return its exit code: the verdict's, or 5 where a passed model could not be offered."""
    job = _open(trigger, inputs, environ, output, now or datetime.now(UTC))
    dashboard = Dashboard(job.client, inputs.id)
    issue = job.notices.attempt_with("issues", "dashboard", dashboard.find, done="read")
    if trigger.kind is TriggerKind.ISSUE and (issue is None or int(issue["number"]) != trigger.issue):
        log.info("Issue %s is not the dashboard of %r: there is nothing to do.", trigger.issue, inputs.id)
        return 0
    editor = trigger.actor if trigger.kind is TriggerKind.ISSUE else ""
    commands = job.notices.attempt_with(
        "issues", "dashboard", lambda: dashboard.read_commands(issue, editor), done="read"
    )
    commands = commands or Commands()
    if commands.refused:
        job.notices.add(
            f"A box of the dashboard was ticked by {commands.refused}, who may not write: it does not count."
        )
    if trigger.kind is TriggerKind.ISSUE and not commands.asked:
        log.info("No box of the dashboard is ticked by somebody who may: there is nothing to do.")
        return 0
    outcome, report = _retrain(job, commands)
    report = _hide_secrets(report, environ)
    write_report(report, output)
    offer = _offer(job, outcome, report) if outcome else None
    if outcome and outcome.spec.dashboard:
        _keep_dashboard(job, dashboard, issue, outcome, offer)
    _tell(job, outcome, report, offer)
    failed = job.notices.failed or bool(offer and offer.problem)
    return PublishError.exit_code if failed and report.exit_code == 0 else report.exit_code


def _open(trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path, now: datetime) -> _Job:
    client = connect(trigger, inputs)
    if client is None or not trigger.is_about_default_branch:
        raise ConfigurationError(
            f"`mode: retrain` runs on {trigger.ref or 'no branch'}{'' if client else ' without a token'}.",
            expected="a run on the default branch (schedule, workflow_dispatch, push or issues), with a token.",
            fix="start from examples/workflows/retrain.yml.",
            topic="retraining-has-no-branch",
        )
    return _Job(
        trigger=trigger,
        inputs=inputs,
        environ=environ,
        output=output,
        client=client,
        notices=GitHubNotices(),
        now=now,
    )


def _retrain(job: _Job, commands: Commands) -> tuple[RetrainOutcome | None, Report]:
    trigger, inputs = job.trigger, job.inputs
    workspace = Path(job.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    # A schedule whose workflow always says `force` must not train without end: there it is no person's wish.
    by_hand = inputs.force and trigger.kind in (TriggerKind.MANUAL, TriggerKind.ISSUE)
    request = RetrainRequest(
        directory=workspace / inputs.working_directory,
        output=job.output,
        now=job.now,
        trigger=trigger,
        access=Access(token=inputs.github_token.get_secret_value(), server_url=trigger.server_url),
        policy_name=inputs.policy,
        id=inputs.id,
        timeout_s=inputs.timeout_minutes * 60 or None,
        force=by_hand or TRAIN in commands.asked,
        approved=APPROVE in commands.asked,
        is_shared=True,
        mlflow=inputs.mlflow,
        hide=lambda report: _hide_secrets(report, job.environ),
    )
    try:
        outcome = retrain(request, WorkflowProgress())
    except MemoryConflictError as error:
        return None, report_skip(error.what, id_=inputs.id)
    except MetricgateError as error:
        return None, report_failure(error, id_=inputs.id)
    return outcome, outcome.report


def _offer(job: _Job, outcome: RetrainOutcome, report: Report) -> Offer | None:
    client, notices = job.client, job.notices
    # What is offered may be an earlier run's, whose charts were not kept.
    waiting = outcome.remembered.report if report.retraining and report.retraining.helped is None else report
    context = ViewContext()
    with client.budget.at_most(WITHIN_S):
        if waiting is not None and outcome.remembered.proposal is not None:
            context = store_pictures(client, job.trigger, job.inputs, waiting, directory=job.output, notices=notices)

        def render(remembered: Report) -> str:
            shown = waiting or remembered
            return compose_page(page_sections(shown, context), COMMENT_LIMITS, context)

        offering = Offering(
            client=client,
            outcome=outcome,
            id=job.inputs.id,
            base=job.trigger.default_branch,
            render=render,
        )
        try:
            offer = notices.attempt_with("contents", "pull request", offering.settle)
        except MemoryConflictError as error:
            notices.add(error.what)
            return None
        if offer is not None and offer.head and waiting is not None:
            report_on_head(
                client,
                job.trigger,
                job.inputs,
                waiting,
                context,
                sha=offer.head,
                run=job.run,
                notices=notices,
            )
    if offer is not None and offer.problem:
        notices.add(offer.problem)
    return offer


def _keep_dashboard(
    job: _Job, dashboard: Dashboard, issue: Mapping[str, object] | None, outcome: RetrainOutcome, offer: Offer | None
) -> None:
    request = offer.pull_request if offer else None
    is_open = offer is not None and offer.result in ("offered", "edited", "moved", "nothing", "another_run")

    def keep() -> str:
        text = render_dashboard(
            outcome.plan,
            (offer.remembered if offer else outcome.remembered).memory,
            offered=request.number if request and is_open else None,
            problem=offer.problem if offer else "",
            back=find_good_commit(job.client, job.trigger.default_branch, job.inputs.check_name),
        )
        return dashboard.put(issue, title=name_dashboard(job.inputs.id), text=text)

    job.notices.attempt_with("issues", "dashboard", keep)


def _tell(job: _Job, outcome: RetrainOutcome | None, report: Report, offer: Offer | None) -> None:
    """Write the runner's outputs and summary, and announce a training."""
    trigger, inputs = job.trigger, job.inputs
    url = f"{trigger.server_url}/{trigger.repository}"
    request = offer.pull_request if offer and offer.result == "offered" else None
    event = Event(
        report=report if inputs.charts != "none" else report.model_copy(update={"charts": ()}),
        directory=job.output,
        name=inputs.check_name,
        kind="retrained",
        view_context=ViewContext(repository_url=url, report_url=request.url if request else trigger.run_url),
        pull_request_url=request.url if request else "",
        notices=job.notices.all(),
    )
    if outcome is None or outcome.plan.helped is not None:
        subscriptions = Subscriptions(job.client, trigger, inputs)
        announcements = make_announcements(trigger, inputs, None, subscriptions, job.run)
        event = announcements.deliver(event, within_s=WITHIN_S).event
    delivery = Runner(job.environ).deliver(replace(event, notices=event.notices), within_s=WITHIN_S)
    for notice in delivery.event.notices:
        log.warning("%s", notice.text)


def _hide_secrets(report: Report, environ: Mapping[str, str]) -> Report:
    from metricgate.processes.secret_mask import Mask  # noqa: PLC0415

    return Report.model_validate(Mask.of(environ).hide_in(report.model_dump(mode="json")))
