"""Mode `publish`: a trusted job publishes the report of another one. It runs no code of the repository."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from metricgate.cli.delivery import deliver
from metricgate.errors import CancelledError, ConfigurationError, MetricgateError, PublishError
from metricgate.models.outcome import Verdict
from metricgate.publish.github.artifact import fetch_report
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.identity import find_pull_request
from metricgate.publish.github.publication import Publication, connect
from metricgate.report.failure import report_failure
from metricgate.report.value import Acceptance, Report
from metricgate.settings.inputs import Inputs
from metricgate.trigger import Trigger

log = logging.getLogger(__name__)

_NEVER_RAN = ("skipped", "action_required", "stale")


def relay_report(trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path) -> int:
    """Publish the report in the other job's artifact and return the exit code of its verdict.

    On ``workflow_run`` the report is of the run that ended, and the pull request is looked up by that run's head; in a
    job of the same workflow (``needs:``) both are this run's own.
    """
    run = trigger.workflow_run
    if run and run.conclusion in _NEVER_RAN:
        log.info("The run %s did not judge anything (%s), so there is nothing to publish.", run.run_id, run.conclusion)
        return 0
    client = connect(trigger, inputs)
    if client is None or trigger.run_id is None:
        raise ConfigurationError(
            "There is no `github-token` or no workflow run to publish for.",
            expected="a step of a workflow on GitHub, with a token that may write.",
            fix="Leave `github-token` at its default, and grant the job `pull-requests: write` and `checks: write`.",
        )
    identified = _identify(trigger, client)
    publication = Publication.open(identified, inputs, environ)
    run_id = run.run_id if run else trigger.run_id
    report, published = deliver(
        publication, lambda: _receive(client, publication, run_id, inputs), output, set_up=inputs.id
    )
    return PublishError.exit_code if published.failed and report.exit_code != 1 else report.exit_code


def _receive(client: GitHubClient, publication: Publication, run_id: int, inputs: Inputs) -> Report:
    try:
        report = fetch_report(client, run_id, inputs.artifact)
    except CancelledError:
        raise
    except MetricgateError as error:
        return report_failure(error, id_=inputs.id)
    may_be_accepted = report.accepted or report.verdict is Verdict.FAILED
    return settle_acceptance(report, publication.find_acceptance()) if may_be_accepted else report


def settle_acceptance(report: Report, acceptance: Acceptance | None) -> Report:
    """Yield a failed report, or one that says it was accepted, as GitHub's own record of the label has it."""
    if acceptance is None:
        return report.model_copy(update={"verdict": Verdict.FAILED, "exit_code": 1, "accepted": None})
    return report.model_copy(update={"verdict": Verdict.PASSED, "exit_code": 0, "accepted": acceptance})


def _identify(trigger: Trigger, client: GitHubClient) -> Trigger:
    run = trigger.workflow_run
    if run is None:
        return trigger
    own_code = run.head_repository.lower() == trigger.repository.lower()
    if run.event != "pull_request":
        if own_code:
            return replace(trigger, is_fork=False)
        raise PublishError(
            f"The run {run.run_id} was started by {run.event!r} in {run.head_repository}.",
            expected="a run on pull_request, or one of this repository.",
            fix="Let the workflow that judges run on pull_request.",
        )
    # The token is this repository's own here, whatever the pull request's was.
    return replace(trigger, pull_request=find_pull_request(client, run), is_fork=False)
