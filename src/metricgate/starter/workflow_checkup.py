"""The workflows that use MetricGate: their events, permissions and inputs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from metricgate.errors import MetricgateError
from metricgate.revisions.checkout import Checkout
from metricgate.settings.document import read_document
from metricgate.settings.inputs import PREFIX, input_names
from metricgate.starter.checkup_finding import Finding, broken, fine, from_error, notice

ACTION = "metricgate/metricgate@"
REUSABLE = "metricgate/metricgate/.github/workflows/gate.yml@"
REUSABLE_NEEDS = ("actions: read", "checks: write", "contents: write", "pull-requests: write")
COMMAND = "metricgate action"  # without the container
PULL_REQUEST_EVENTS = frozenset({"pull_request", "pull_request_target", "workflow_run"})


@dataclass(frozen=True, kw_only=True)
class WorkflowStep:
    """A step that runs MetricGate: the workflow's file, its inputs, and the job's permissions."""

    workflow: str
    inputs: Mapping[str, Any]
    permissions: Any

    def grants(self, permission: str) -> bool:
        """Return whether the job may write ``permission``."""
        if isinstance(self.permissions, dict):
            return bool(self.permissions.get(permission) == "write")
        return bool(self.permissions == "write-all")


def examine_workflows(checkout: Checkout) -> Iterator[Finding]:
    """Check the events, permissions and inputs of the workflows that use MetricGate."""
    texts = dict(_read_workflows(checkout))
    for name, text in texts.items():
        yield from _examine_workflow(name, text)
    if not texts:
        yield notice("No workflow uses MetricGate.", "metricgate init")
    elif not any(_runs_on_push(name, text) for name, text in texts.items()):
        yield notice(
            "No workflow runs MetricGate on a push: every pull request trains the baseline again, unless Git or the DVC "
            "remote has main's results.",
            "Add `push: {branches: [main]}` to the events, as `metricgate init` writes it, with `contents: write`.",
        )


def _runs_on_push(name: str, text: str) -> bool:
    try:
        workflow = read_document(text, name).value
    except MetricgateError:
        return True  # reported as unreadable
    return not isinstance(workflow, dict) or "push" in _read_events(workflow)


def list_steps(checkout: Checkout) -> Iterator[WorkflowStep]:
    """Yield the steps that run MetricGate; a workflow that cannot be read has none."""
    for name, text in _read_workflows(checkout):
        try:
            workflow = read_document(text, name).value
        except MetricgateError:  # examine_workflows reports it
            continue
        if isinstance(workflow, dict):
            for step, job in _find_steps(workflow):
                permissions = job.get("permissions", workflow.get("permissions"))
                yield WorkflowStep(workflow=name, inputs=_read_inputs(step), permissions=permissions)


def _read_workflows(checkout: Checkout) -> Iterator[tuple[str, str]]:
    folder = checkout.top / ".github/workflows"
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"))):
        text = path.read_text(encoding="utf-8", errors="replace")
        if any(mark in text for mark in (ACTION, REUSABLE, COMMAND)):
            yield path.name, text


def _examine_workflow(name: str, text: str) -> Iterator[Finding]:
    try:
        workflow = read_document(text, name).value
    except MetricgateError as error:
        yield from_error(error)
        return
    if not isinstance(workflow, dict):
        yield broken(f"{name} is not a workflow.", "Start from the file that `metricgate init` writes.")
        return
    findings = [*_examine_triggers(name, workflow), *_examine_jobs(name, workflow)]
    yield from findings or [fine(f"{name}: its events, permissions and inputs are right.")]


def _read_events(workflow: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Return the events that start a workflow, each with its filters."""
    events = workflow.get("on", workflow.get(True))
    if isinstance(events, dict):
        return events
    return dict.fromkeys(map(str, events if isinstance(events, list) else [events]))


def _examine_triggers(name: str, workflow: Mapping[Any, Any]) -> Iterator[Finding]:
    events = _read_events(workflow)
    if "pull_request_target" in events:
        yield broken(f"{name} runs on pull_request_target, with the rights of the default branch.", "Use pull_request.")
    pull_request = events.get("pull_request")
    if isinstance(pull_request, dict) and {"paths", "paths-ignore"} & set(pull_request):
        yield notice(
            f"{name} has a paths filter: when it is skipped, a required check stays pending.",
            "Remove it. A pull request that changes none of the pipeline's inputs trains nothing anyway.",
        )


def _examine_jobs(name: str, workflow: Mapping[Any, Any]) -> Iterator[Finding]:
    for job in _list_jobs(workflow):
        if REUSABLE in str(job.get("uses", "")):
            yield from _examine_call(name, job, workflow)
    for step, job in _find_steps(workflow):
        yield from _examine_step(name, step, job, workflow)


def _list_jobs(workflow: Mapping[Any, Any]) -> list[Mapping[str, Any]]:
    jobs = workflow.get("jobs")
    return [job for job in jobs.values() if isinstance(job, dict)] if isinstance(jobs, dict) else []


def _find_steps(workflow: Mapping[Any, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each step that runs MetricGate, with its job."""
    for job in _list_jobs(workflow):
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict) and _runs_metricgate(step):
                yield step, job


def _examine_call(name: str, job: Mapping[str, Any], workflow: Mapping[Any, Any]) -> Iterator[Finding]:
    """Check what a job grants the reusable workflow: with less, GitHub does not start it."""
    permissions = job.get("permissions", workflow.get("permissions"))
    granted = permissions if isinstance(permissions, dict) else {}
    for needed in REUSABLE_NEEDS:
        permission, _, level = needed.partition(": ")
        if permissions != "write-all" and granted.get(permission) not in (level, "write"):
            yield broken(f"{name} does not grant `{needed}`: GitHub would not start it.", f"Add `{needed}` to the job.")


def _runs_metricgate(step: Mapping[str, Any]) -> bool:
    return ACTION in str(step.get("uses", "")) or COMMAND in str(step.get("run", ""))


def _read_inputs(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the step's inputs, from `with:` or, without the container, from environment variables."""
    variables = step.get("env") or {}
    given = {
        str(name)[len(PREFIX) :].lower(): value for name, value in variables.items() if str(name).startswith(PREFIX)
    }
    return {**given, **(step.get("with") or {})}


def _examine_step(
    name: str, step: Mapping[str, Any], job: Mapping[str, Any], workflow: Mapping[Any, Any]
) -> Iterator[Finding]:
    given = _read_inputs(step)
    permissions = job.get("permissions", workflow.get("permissions"))
    for unknown in sorted(set(given) - set(input_names())):
        yield broken(
            f"{name} sets the input {unknown!r}, which does not exist.", f"One of: {', '.join(input_names())}."
        )
    if permissions is None or isinstance(permissions, str):
        yield notice(f"{name} has no permissions block for this job.", _permissions_cure(given))
        return
    comments = given.get("comment") != "never" and _has_pull_requests(job, workflow)
    usual = "none" if given.get("mode") in ("monitor", "noise") else "run"
    wanted = {"pull-requests": comments, "checks": given.get("check", usual) in ("run", "both")}
    for permission, is_wanted in wanted.items():
        if is_wanted and permissions.get(permission) != "write":
            yield notice(f"{name} does not grant `{permission}: write`.", _permissions_cure(given))


def _has_pull_requests(job: Mapping[str, Any], workflow: Mapping[Any, Any]) -> bool:
    """Return whether the workflow's events and the job's `if:` allow a pull request to comment on."""
    condition = str(job.get("if", ""))
    excluded = set(re.findall(r"event_name != '(\w+)'", condition))
    named = {event for event in _read_events(workflow) if "event_name ==" not in condition or f"'{event}'" in condition}
    return bool(PULL_REQUEST_EVENTS & (named - excluded))


def _permissions_cure(given: Mapping[str, Any]) -> str:
    reading = "actions: read" if given.get("mode") == "publish" else "contents: read"
    return f"permissions: {{{reading}, checks: write, pull-requests: write}} in the job; without it, less is published."
