"""What stops a first run, each finding with its cure: Git, the pipeline, and the DVC remote that CI reads from."""

import os
import sys
from collections.abc import Iterator, Mapping

from metricgate.errors import MetricgateError
from metricgate.processes.command import run_command, scrub_environment
from metricgate.revisions.baseline_revision import resolve_baseline
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import read_stages
from metricgate.settings.document import read_document
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.starter.checkup_finding import Finding, broken, fine, from_error, notice
from metricgate.starter.dvc_checkup import examine_dvc, find_dvc_folder
from metricgate.starter.monitor_checkup import examine_monitoring
from metricgate.starter.notification_checkup import examine_notifications
from metricgate.starter.policy_checkup import examine_policy
from metricgate.starter.project_survey import has_tracked_data, read_remotes
from metricgate.starter.remote_reach import find_unreachable
from metricgate.starter.requirements_checkup import examine_requirements
from metricgate.starter.workflow_checkup import examine_workflows
from metricgate.trigger import Trigger, TriggerKind

REMOTE_TIMEOUT_S = 90.0
ADD_REMOTE = "dvc remote add --default NAME s3://BUCKET/PATH, dvc push, and commit .dvc/config."


def examine(checkout: Checkout) -> Iterator[Finding]:
    """Check Git, the pipeline and its remote, the policy against the files that exist, the workflows, and who is told."""
    yield from _examine_git(checkout)
    yield from examine_pipeline(checkout)
    yield from examine_requirements(checkout, _read_own_policy(checkout))
    yield from examine_policy(checkout)
    yield from examine_workflows(checkout)
    yield from examine_monitoring(checkout, _read_own_policy(checkout))
    yield from examine_notifications(checkout, os.environ)


def _examine_git(checkout: Checkout) -> Iterator[Finding]:
    try:
        baseline = resolve_baseline(checkout, Trigger(kind=TriggerKind.LOCAL))
    except MetricgateError as error:
        yield from_error(error)
        return
    if baseline is None:
        yield notice(
            "There is no commit before this one, so nothing to compare with.", "Commit, then change something."
        )
    else:
        yield fine(f"Git: the baseline is {baseline.name} ({baseline.sha[:9]}), {baseline.reason}.")


def examine_pipeline(checkout: Checkout) -> Iterator[Finding]:
    """Check that something produces results, and that the DVC remote answers and has what is needed."""
    has_stages = bool(read_stages(checkout.directory))
    if not has_stages:
        yield _describe_command(checkout)
    problems = list(examine_dvc(checkout))
    yield from problems
    if problems and not find_dvc_folder(checkout):
        return
    remotes = read_remotes(checkout.directory, checkout.top)
    if remotes:
        yield from _examine_remote(checkout, *next(iter(remotes.items())))
    elif has_tracked_data(checkout):
        yield broken(
            "DVC has no remote: CI can pull neither the data nor the baseline's results.",
            ADD_REMOTE,
        )
    elif has_stages:
        yield notice(
            "DVC has no remote: CI reproduces the baseline's results for each pull request.",
            ADD_REMOTE,
        )


def _describe_command(checkout: Checkout) -> Finding:
    policy = _read_own_policy(checkout)
    if policy.pipeline.command is not None:
        return fine(f"There is no stage to run: `{policy.pipeline.command}` produces the results.")
    if policy.scoring is not None:
        return fine(f"There is no stage to run: the stored {policy.scoring.model} is scored.")
    if policy.predictions is not None or policy.pipeline.metrics:
        return fine("There is no stage to run: the files in Git are compared.")
    return broken(
        "There is no dvc.yaml with stages in this folder, and nothing else to judge.",
        f"Go to the project's folder, or name `pipeline: {{command: …}}` and `predictions:` in {FILE_NAME}.",
    )


def _read_own_policy(checkout: Checkout) -> Policy:
    """Return this folder's policy, or the default one: examine_policy reports an invalid file."""
    path = checkout.directory / FILE_NAME
    try:
        return read_policy(path.read_text(encoding="utf-8"), origin=FILE_NAME) if path.is_file() else Policy()
    except MetricgateError:
        return Policy()


def _examine_remote(checkout: Checkout, name: str, address: str) -> Iterator[Finding]:
    if "://" not in address:
        yield notice(
            f"The DVC remote {name} is a folder ({address}).",
            "This works on this machine; CI needs a remote that it can reach.",
        )
    if problem := find_unreachable(checkout, name, address):
        yield broken(
            f"The DVC remote {name} cannot be reached: {problem}.",
            "Correct its address in .dvc/config, mount the folder or join the network; if it is new, `dvc push`.",
        )
        return
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
        said = [line for line in done.output.strip().splitlines() if line.strip() and not line.startswith("Having any")]
        yield broken(
            f"The DVC remote {name} does not answer: {said[-1] if said else 'no message'}",
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
        yield broken(f"{_some(added)} not on the DVC remote {name}, and no stage produces it.", "dvc push")
    if made:
        yield notice(f"{_some(made)} not on the DVC remote {name}.", "dvc push, or CI runs the stages that produce it.")
    if missing:
        yield broken(f"{_some(missing)} neither here nor on the DVC remote {name}.", "dvc repro, then dvc push")
    if not new and not missing:
        yield fine(f"The DVC remote {name} answers, and has everything.")


def _read_state(line: str) -> Mapping[str, str]:
    try:
        value = read_document(line, "dvc status").value  # JSON is YAML
    except MetricgateError:
        return {}
    return {str(key): str(kind) for key, kind in value.items()} if isinstance(value, dict) else {}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown}{f' and {len(names) - 3} more' if len(names) > 3 else ''} {'is' if len(names) == 1 else 'are'}"
