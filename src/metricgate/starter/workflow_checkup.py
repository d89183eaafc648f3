"""The workflows that use MetricGate: their events, permissions and inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from metricgate.errors import MetricgateError
from metricgate.settings.document import read_document
from metricgate.settings.inputs import input_names
from metricgate.starter.finding import Finding, broken, fine, from_error, notice
from metricgate.workspace.checkout import Checkout

OUR_ACTION = "metricgate/metricgate@"


def examine_workflows(checkout: Checkout) -> Iterator[Finding]:
    """Check the events, permissions and inputs of the workflows that use MetricGate."""
    folder = checkout.top / ".github/workflows"
    ours = []
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"))):
        text = path.read_text(encoding="utf-8", errors="replace")
        if OUR_ACTION in text:
            ours.append(path.name)
            yield from _examine_workflow(path.name, text)
    if not ours:
        yield notice("No workflow uses MetricGate.", "metricgate init")


def _examine_workflow(name: str, text: str) -> Iterator[Finding]:
    try:
        workflow = read_document(text, name).value
    except MetricgateError as error:
        yield from_error(error)
        return
    if not isinstance(workflow, dict):
        yield broken(f"{name} holds no workflow.", "Start from the file that `metricgate init` writes.")
        return
    findings = [*_examine_triggers(name, workflow), *_examine_jobs(name, workflow)]
    yield from findings or [fine(f"{name}: its events, permissions and inputs are right.")]


def _examine_triggers(name: str, workflow: Mapping[Any, Any]) -> Iterator[Finding]:
    events = workflow.get("on", workflow.get(True))
    named = set(events) if isinstance(events, list | dict) else {events}
    if "pull_request_target" in named:
        yield broken(f"{name} runs on pull_request_target, with the rights of the default branch.", "Use pull_request.")
    pull_request = events.get("pull_request") if isinstance(events, dict) else None
    if isinstance(pull_request, dict) and {"paths", "paths-ignore"} & set(pull_request):
        yield notice(
            f"{name} has a paths filter: where it is skipped, a required check stays pending.",
            "Remove it; a pull request that changes nothing the pipeline depends on trains nothing anyway.",
        )


def _examine_jobs(name: str, workflow: Mapping[Any, Any]) -> Iterator[Finding]:
    jobs = workflow.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = [step for step in job.get("steps") or () if OUR_ACTION in str(step.get("uses", ""))]
        for step in steps:
            yield from _examine_step(name, step, job.get("permissions", workflow.get("permissions")))


def _examine_step(name: str, step: Mapping[str, Any], permissions: Any) -> Iterator[Finding]:
    given = step.get("with") or {}
    for unknown in sorted(set(given) - set(input_names())):
        yield broken(
            f"{name} gives the input {unknown!r}, which does not exist.", f"One of: {', '.join(input_names())}."
        )
    if permissions is None or isinstance(permissions, str):
        yield notice(f"{name} has no permissions block for this job.", _permissions_cure(given))
        return
    wanted = {"pull-requests": given.get("comment") != "never", "checks": given.get("check", "run") in ("run", "both")}
    for permission, is_wanted in wanted.items():
        if is_wanted and permissions.get(permission) != "write":
            yield notice(f"{name} does not grant `{permission}: write`.", _permissions_cure(given))


def _permissions_cure(given: Mapping[str, Any]) -> str:
    reading = "actions: read" if given.get("mode") == "publish" else "contents: read"
    return f"permissions: {{{reading}, checks: write, pull-requests: write}} in the job; without, less is published."
