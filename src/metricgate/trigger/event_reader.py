"""Read the trigger from GitHub's environment variables and event payload. Pure: no file, no network.

Source: docs.github.com, "Events that trigger workflows" and "Variables".
"""

from collections.abc import Mapping
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.trigger.event_payload import Payload
from metricgate.trigger.triggers import PullRequest, Trigger, TriggerKind, WorkflowRun

PUBLISH_SETUP = """\
on:
  workflow_run:
    workflows: [model]       # the workflow that runs MetricGate on pull_request
    types: [completed]
jobs:
  publish:
    runs-on: ubuntu-latest
    permissions: {actions: read, checks: write, pull-requests: write}
    steps:
      - uses: metricgate/metricgate@v1
        with: {mode: publish}"""

_NO_COMMIT = "0" * 40


def read_trigger(environ: Mapping[str, str], event: Mapping[str, Any] | None) -> Trigger:
    """Return why MetricGate runs, and on which commit.

    ``environ`` holds the variables that GitHub Actions sets; without GITHUB_ACTIONS the run is local. ``event`` is the
    parsed file at GITHUB_EVENT_PATH.

    Raises
    ------
    ConfigurationError
        If the event is unknown, its payload lacks what it must have, or running repository code on it would hand a
        pull request the rights of the default branch.
    """
    if environ.get("GITHUB_ACTIONS", "").lower() != "true":
        return Trigger(kind=TriggerKind.LOCAL)
    name = environ.get("GITHUB_EVENT_NAME", "")
    _refuse_privileged(name, environ.get("INPUT_MODE", "").strip() or "run")
    _refuse_issues(name, environ.get("INPUT_MODE", "").strip() or "run")
    kind = _read_kind(name)
    payload = Payload(event or {}, name)
    pull_request = _read_pull_request(payload) if kind is TriggerKind.PULL_REQUEST else None
    workflow_run = _read_workflow_run(payload.part("workflow_run")) if kind is TriggerKind.WORKFLOW_RUN else None
    group = payload.part("merge_group") if kind is TriggerKind.MERGE_GROUP else None
    repository = environ.get("GITHUB_REPOSITORY", "")
    server_url = environ.get("GITHUB_SERVER_URL") or "https://github.com"
    run_id = environ.get("GITHUB_RUN_ID", "")
    sha = environ.get("GITHUB_SHA") or None
    return Trigger(
        kind=kind,
        sha=sha,
        report_sha=_choose_report_sha(pull_request, workflow_run, group, sha),
        ref=environ.get("GITHUB_REF", ""),
        repository=repository,
        default_branch=payload.optional_part("repository").optional_text("default_branch"),
        before=_read_before(payload) if kind is TriggerKind.PUSH else None,
        merge_group_base=group.sha("base_sha") if group else None,
        pull_request=pull_request,
        workflow_run=workflow_run,
        issue=payload.part("issue").number("number") if kind is TriggerKind.ISSUE else None,
        actor=payload.optional_part("sender").optional_text("login"),
        is_fork=_is_fork(pull_request, workflow_run, repository),
        run_id=int(run_id) if run_id.isdecimal() else None,
        run_url=f"{server_url}/{repository}/actions/runs/{run_id}" if run_id else "",
        server_url=server_url,
        api_url=environ.get("GITHUB_API_URL") or "https://api.github.com",
    )


def _refuse_privileged(name: str, mode: str) -> None:
    if name == "pull_request_target":
        raise ConfigurationError(
            "This workflow runs on pull_request_target, with the rights of the default branch.",
            expected="MetricGate runs the pull request's code, so it must not hold those rights (on: pull_request).",
            fix="Run MetricGate on pull_request; to comment on forks, add a second workflow that publishes:\n"
            + PUBLISH_SETUP,
            topic="the-event-has-too-many-rights",
        )
    if name == "workflow_run" and mode != "publish":
        raise ConfigurationError(
            f"This workflow runs on workflow_run, with the rights of the default branch, in mode {mode!r}.",
            expected="On workflow_run MetricGate runs no repository code: only `mode: publish`.",
            fix="Run MetricGate on pull_request, and publish from this workflow:\n" + PUBLISH_SETUP,
            topic="the-event-has-too-many-rights",
        )


def _refuse_issues(name: str, mode: str) -> None:
    if name == "issues" and mode != "retrain":
        raise ConfigurationError(
            f"This workflow runs on issues, in mode {mode!r}.",
            expected="`mode: retrain`, which reads the boxes of its dashboard: nothing else is about an issue.",
            fix="Run MetricGate on pull_request, or set `mode: retrain`.",
            topic="the-event-has-too-many-rights",
        )


def _read_kind(name: str) -> TriggerKind:
    known = [kind.value for kind in TriggerKind if kind is not TriggerKind.LOCAL]
    if name not in known:
        raise ConfigurationError(
            f"The workflow was started by the event {name!r} (GITHUB_EVENT_NAME).",
            expected=f"one of {', '.join(known)}.",
            fix="Change `on:` in the workflow, or run `metricgate run` in a step of your own.",
            topic="the-event-is-not-known",
        )
    return TriggerKind(name)


def _read_pull_request(payload: Payload) -> PullRequest:
    part = payload.part("pull_request")
    is_labeling = payload.optional_text("action") == "labeled"
    head, base = part.part("head"), part.part("base")
    return PullRequest(
        number=part.number("number"),
        head_sha=head.sha("sha"),
        head_ref=head.text("ref"),
        # A fork that was deleted since has no repository; it then counts as another repository, never as this one.
        head_repository=head.optional_part("repo").optional_text("full_name"),
        base_sha=base.sha("sha"),
        base_ref=base.text("ref"),
        draft=part.flag("draft"),
        body=part.optional_text("body"),
        labels=tuple(label.text("name") for label in part.parts("labels")),
        head_seen_at=part.optional_text("updated_at"),
        label_just_set=payload.optional_part("label").optional_text("name") if is_labeling else "",
    )


def _read_workflow_run(part: Payload) -> WorkflowRun:
    return WorkflowRun(
        run_id=part.number("id"),
        event=part.text("event"),
        head_sha=part.sha("head_sha"),
        head_branch=part.optional_text("head_branch"),
        head_repository=part.optional_part("head_repository").optional_text("full_name"),
        conclusion=part.optional_text("conclusion"),
        created_at=part.optional_text("created_at"),
    )


def _read_before(payload: Payload) -> str | None:
    before = payload.sha("before")
    return None if before == _NO_COMMIT else before


def _choose_report_sha(
    pull_request: PullRequest | None, workflow_run: WorkflowRun | None, group: Payload | None, sha: str | None
) -> str | None:
    if pull_request:
        return pull_request.head_sha
    if workflow_run:
        return workflow_run.head_sha
    return group.sha("head_sha") if group else sha


def _is_fork(pull_request: PullRequest | None, workflow_run: WorkflowRun | None, repository: str) -> bool:
    source = pull_request or workflow_run
    return source is not None and source.head_repository.lower() != repository.lower()
