"""Mode `publish`: a trusted job publishes another job's report. It runs no code from the repository."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from metricgate.errors import CancelledError, ConfigurationError, MetricgateError, PublishError, WorkspaceError
from metricgate.gates.verdict import EXIT_CODES, is_acceptable
from metricgate.models.outcome import Verdict
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.destination import connect
from metricgate.publish.github.finished_run import fetch_report, find_pull_request
from metricgate.publish.publication import WITHIN_S, Publication
from metricgate.report.failure import report_failure
from metricgate.report.value import Acceptance, Report
from metricgate.settings.inputs import Inputs
from metricgate.trigger import Trigger

log = logging.getLogger(__name__)

_ACCEPTED = {
    EXIT_CODES[Verdict.FAILED]: Verdict.FAILED,
    WorkspaceError.exit_code: Verdict.ERROR,
}  # any other is inconclusive
_NEVER_RAN = ("skipped", "action_required", "stale")


def publish_artifact(trigger: Trigger, inputs: Inputs, environ: Mapping[str, str], output: Path) -> int:
    """Publish the report in the other job's artifact and return the exit code of its verdict.

    On ``workflow_run`` the report is that of the finished run, and the pull request is found by that run's head. In a
    job of the same workflow (``needs:``) both belong to this run.
    """
    run = trigger.workflow_run
    if run and run.conclusion in _NEVER_RAN:
        log.info("Run %s judged nothing (%s), so there is nothing to publish.", run.run_id, run.conclusion)
        return 0
    client = connect(trigger, inputs)
    if client is None or trigger.run_id is None:
        raise ConfigurationError(
            "There is no `github-token` or no workflow run to publish for.",
            expected="a step of a workflow on GitHub, with a token that may write.",
            fix="Leave `github-token` at its default, and grant the job `pull-requests: write` and `checks: write`.",
            topic="nothing-to-publish-for",
        )
    with client.budget.at_most(WITHIN_S):
        identified = _identify(trigger, client)
    publication = Publication(identified, inputs, environ)
    run_id = run.run_id if run else trigger.run_id
    report, published = publication.publish(lambda: _receive(client, publication, run_id, inputs), output)
    return PublishError.exit_code if published.failed and report.exit_code != 1 else report.exit_code


def _receive(client: GitHubClient, publication: Publication, run_id: int, inputs: Inputs) -> Report:
    try:
        with client.budget.at_most(WITHIN_S):
            report = fetch_report(client, run_id, inputs.artifact)
    except CancelledError:
        raise
    except MetricgateError as error:
        return report_failure(error, id_=inputs.id)
    may_be_accepted = report.accepted or is_acceptable(report.verdict, report.gates)
    return apply_acceptance(report, publication.github.find_acceptance()) if may_be_accepted else report


def apply_acceptance(report: Report, acceptance: Acceptance | None) -> Report:
    """Return a report with the verdict that GitHub's own record of the label leads to, whatever the report says."""
    if acceptance is None and report.accepted is None:
        return report
    exit_code = report.accepted.exit_code if report.accepted else report.exit_code
    if acceptance is None:
        verdict = _ACCEPTED.get(exit_code, Verdict.INCONCLUSIVE)
        return report.model_copy(
            update={"verdict": verdict, "exit_code": exit_code * report.enforced, "accepted": None}
        )
    accepted = acceptance.model_copy(update={"exit_code": exit_code})
    return report.model_copy(update={"verdict": Verdict.PASSED, "exit_code": 0, "accepted": accepted})


def _identify(trigger: Trigger, client: GitHubClient) -> Trigger:
    run = trigger.workflow_run
    if run is None:
        return trigger
    own_code = run.head_repository.lower() == trigger.repository.lower()
    if run.event != "pull_request":
        if own_code:
            return replace(trigger, is_fork=False)
        raise PublishError(
            f"Run {run.run_id} was started by {run.event!r} in {run.head_repository}.",
            expected="a run on pull_request, or a run of this repository's own code.",
            fix="Let the judging workflow run on pull_request.",
            topic="not-a-run-to-publish-for",
        )
    # The token of this job is the repository's own, whatever the pull request's was.
    return replace(trigger, pull_request=find_pull_request(client, run), is_fork=False)
