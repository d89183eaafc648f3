"""What a first run trips over, checked beforehand, each finding with its cure."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from metricgate.errors import MetricgateError
from metricgate.models.snapshot import Unreadable
from metricgate.predictions import read_predictions
from metricgate.processes.command import run_command
from metricgate.processes.environment import scrub_environment
from metricgate.settings.document import read_document
from metricgate.settings.inputs import input_names
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.starter.survey import read_remotes
from metricgate.trigger import Trigger, TriggerKind
from metricgate.workspace.baseline import resolve_baseline
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.metrics_file import read_metrics

REMOTE_TIMEOUT_S = 90.0
OUR_ACTION = "metricgate/metricgate@"


class Level(StrEnum):
    """How bad a finding is: fine, worth knowing, or the first run will not work."""

    FINE = "fine"
    NOTICE = "notice"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was checked; ``cure`` is empty where there is nothing to do."""

    level: Level
    what: str
    cure: str = ""


def examine(checkout: Checkout) -> Iterator[Finding]:
    """Check Git, the DVC remote, the policy against the files that exist, and the workflows, in this order."""
    yield from _examine_git(checkout)
    yield from _examine_remote(checkout)
    yield from examine_policy(checkout)
    yield from examine_workflows(checkout)


def _fine(what: str) -> Finding:
    return Finding(level=Level.FINE, what=what)


def _notice(what: str, cure: str) -> Finding:
    return Finding(level=Level.NOTICE, what=what, cure=cure)


def _broken(what: str, cure: str) -> Finding:
    return Finding(level=Level.BROKEN, what=what, cure=cure)


def _from_error(error: MetricgateError) -> Finding:
    return _broken(error.what, error.fix)


def _examine_git(checkout: Checkout) -> Iterator[Finding]:
    try:
        baseline = resolve_baseline(checkout, Trigger(kind=TriggerKind.LOCAL))
    except MetricgateError as error:
        yield _from_error(error)
        return
    if baseline is None:
        yield _notice(
            "There is no commit before this one: nothing to compare with yet.", "Commit, then change something."
        )
    else:
        yield _fine(f"Git: the baseline is {baseline.name} ({baseline.sha[:9]}), {baseline.reason}.")


def _examine_remote(checkout: Checkout) -> Iterator[Finding]:
    if not (checkout.directory / "dvc.yaml").is_file():
        yield _notice(
            "There is no dvc.yaml in this folder.",
            "Go to the project's folder, or name `pipeline: {command: …}` and `predictions:` in metricgate.yaml.",
        )
        return
    remotes = read_remotes(checkout.directory, checkout.top)
    if not remotes:
        yield _broken(
            "DVC has no remote: CI could pull neither data nor the baseline's results.",
            "dvc remote add --default NAME s3://BUCKET/PATH, dvc push, and commit .dvc/config.",
        )
        return
    name, address = next(iter(remotes.items()))
    if "://" not in address:
        yield _notice(
            f"The DVC remote {name} is a folder ({address}).", "Fine on this machine; CI needs one it can reach."
        )
    yield from _ask_remote(checkout, name)


def _ask_remote(checkout: Checkout, name: str) -> Iterator[Finding]:
    done = run_command(
        [sys.executable, "-P", "-m", "dvc", "status", "--cloud", "--json"],
        cwd=checkout.directory,
        env=scrub_environment(os.environ),
        timeout_s=REMOTE_TIMEOUT_S,
        owner=checkout.owner,
    )
    if done.returncode:
        words = done.output.strip().splitlines() or ["it said nothing"]
        yield _broken(
            f"The DVC remote {name} does not answer: {words[-1]}",
            "Check its address and your credentials with `dvc status --cloud --verbose`.",
        )
        return
    lines = done.output.strip().splitlines()
    state = _read_state(lines[-1] if lines else "{}")
    new = sorted(path for path, kind in state.items() if kind == "new")
    missing = sorted(path for path, kind in state.items() if kind == "missing")
    added = [path for path in new if (checkout.directory / f"{path}.dvc").is_file()]
    made = [path for path in new if path not in added]
    if added:
        yield _broken(f"{_some(added)} not on the DVC remote {name}, and no stage makes it.", "dvc push")
    if made:
        yield _notice(f"{_some(made)} not on the DVC remote {name}.", "dvc push, or CI runs the stages that make it.")
    if missing:
        yield _broken(f"{_some(missing)} neither here nor on the DVC remote {name}.", "dvc repro, then dvc push")
    if not new and not missing:
        yield _fine(f"The DVC remote {name} answers, and has everything.")


def _read_state(line: str) -> Mapping[str, str]:
    try:
        value = read_document(line, "dvc status").value  # JSON is YAML
    except MetricgateError:
        return {}
    return {str(key): str(kind) for key, kind in value.items()} if isinstance(value, dict) else {}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown}{f' and {len(names) - 3} more' if len(names) > 3 else ''} {'is' if len(names) == 1 else 'are'}"


def examine_policy(checkout: Checkout) -> Iterator[Finding]:
    """Check metricgate.yaml, and what it names, against the files that are here."""
    path = checkout.directory / FILE_NAME
    if not path.is_file():
        yield _notice(f"There is no {FILE_NAME}: only default guardrails judge.", "metricgate init")
        return
    try:
        policy = read_policy(path.read_text(encoding="utf-8"), origin=FILE_NAME)
    except MetricgateError as error:
        yield _from_error(error)
        return
    yield _fine(f"{FILE_NAME} is valid: {len(policy.gates)} gates.")
    yield from _examine_predictions(checkout.directory, policy)
    yield from _examine_file_metrics(checkout.directory, policy)


def _examine_predictions(folder: Path, policy: Policy) -> Iterator[Finding]:
    for name, spec in policy.prediction_sets.items():
        if not (folder / spec.path).exists():
            yield _broken(
                f"The predictions {spec.path} are not here.", "dvc pull, or dvc repro; or correct their path."
            )
            continue
        try:
            predictions = read_predictions(folder / spec.path, spec, name=name, shown=spec.path)
        except MetricgateError as error:
            yield _from_error(error)
            continue
        yield _fine(f"{spec.path}: {predictions.rows:,} rows, every named column is there.")


def _examine_file_metrics(folder: Path, policy: Policy) -> Iterator[Finding]:
    for file, key in (gate.metric.split(":", 1) for gate in policy.gates if ":" in gate.metric):
        found = read_metrics(folder / file, file)
        if isinstance(found, Unreadable):
            yield _broken(f"A gate reads {file}: {found.reason}.", "dvc pull, or dvc repro; or correct the gate.")
        elif key not in {metric.key for metric in found}:
            keys = ", ".join(metric.key for metric in found[:8])
            yield _broken(f"A gate reads {key} of {file}, which has {keys}.", "Correct the gate's metric.")


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
        yield _notice("No workflow uses MetricGate.", "metricgate init")


def _examine_workflow(name: str, text: str) -> Iterator[Finding]:
    try:
        workflow = read_document(text, name).value
    except MetricgateError as error:
        yield _from_error(error)
        return
    if not isinstance(workflow, dict):
        yield _broken(f"{name} holds no workflow.", "Start from the file that `metricgate init` writes.")
        return
    findings = [*_examine_triggers(name, workflow), *_examine_jobs(name, workflow)]
    yield from findings or [_fine(f"{name}: its events, permissions and inputs are right.")]


def _examine_triggers(name: str, workflow: Mapping[Any, Any]) -> Iterator[Finding]:
    events = workflow.get("on", workflow.get(True))
    named = set(events) if isinstance(events, list | dict) else {events}
    if "pull_request_target" in named:
        yield _broken(
            f"{name} runs on pull_request_target, with the rights of the default branch.", "Use pull_request."
        )
    pull_request = events.get("pull_request") if isinstance(events, dict) else None
    if isinstance(pull_request, dict) and {"paths", "paths-ignore"} & set(pull_request):
        yield _notice(
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
        yield _broken(
            f"{name} gives the input {unknown!r}, which does not exist.", f"One of: {', '.join(input_names())}."
        )
    if permissions is None or isinstance(permissions, str):
        yield _notice(f"{name} has no permissions block for this job.", _permissions_cure(given))
        return
    wanted = {"pull-requests": given.get("comment") != "never", "checks": given.get("check", "run") in ("run", "both")}
    for permission, is_wanted in wanted.items():
        if is_wanted and permissions.get(permission) != "write":
            yield _notice(f"{name} does not grant `{permission}: write`.", _permissions_cure(given))


def _permissions_cure(given: Mapping[str, Any]) -> str:
    reading = "actions: read" if given.get("mode") == "publish" else "contents: read"
    return f"permissions: {{{reading}, checks: write, pull-requests: write}} in the job; without, less is published."
