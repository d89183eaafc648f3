"""The pipeline, and the DVC remote that gives CI its data and the baseline's results."""

import os
import sys
from collections.abc import Iterator, Mapping

from metricgate.errors import MetricgateError
from metricgate.processes.command import run_command, scrub_environment
from metricgate.revisions.checkout import Checkout
from metricgate.settings.document import read_document
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.starter.finding import Finding, broken, fine, notice
from metricgate.starter.pipeline import has_tracked_data, read_remotes

REMOTE_TIMEOUT_S = 90.0


def examine_pipeline(checkout: Checkout) -> Iterator[Finding]:
    """Check that there is something that makes results, and that the DVC remote answers and has what is needed."""
    has_stages = (checkout.directory / "dvc.yaml").is_file()
    if not has_stages:
        yield _describe_command(checkout)
    remotes = read_remotes(checkout.directory, checkout.top)
    if remotes:
        yield from _examine_remote(checkout, *next(iter(remotes.items())))
    elif has_tracked_data(checkout):
        yield broken(
            "DVC has no remote: CI could pull neither data nor the baseline's results.",
            "dvc remote add --default NAME s3://BUCKET/PATH, dvc push, and commit .dvc/config.",
        )
    elif has_stages:
        yield notice(
            "DVC has no remote: CI makes the baseline's results again for each pull request.",
            "dvc remote add --default NAME s3://BUCKET/PATH, dvc push, and commit .dvc/config.",
        )


def _describe_command(checkout: Checkout) -> Finding:
    policy = _read_own_policy(checkout)
    if policy.pipeline.command is not None:
        return fine(f"There is no dvc.yaml: `{policy.pipeline.command}` makes the results.")
    if policy.predictions is not None:
        return fine("There is no dvc.yaml: what Git holds is compared, and nothing is run.")
    return broken(
        "There is no dvc.yaml in this folder, and nothing else that could be judged.",
        f"Go to the project's folder, or name `pipeline: {{command: …}}` and `predictions:` in {FILE_NAME}.",
    )


def _read_own_policy(checkout: Checkout) -> Policy:
    """Return the policy that lies here; an invalid one is told of where the policy is checked."""
    path = checkout.directory / FILE_NAME
    try:
        return read_policy(path.read_text(encoding="utf-8"), origin=FILE_NAME) if path.is_file() else Policy()
    except MetricgateError:
        return Policy()


def _examine_remote(checkout: Checkout, name: str, address: str) -> Iterator[Finding]:
    if "://" not in address:
        yield notice(
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
        yield broken(
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
        yield broken(f"{_some(added)} not on the DVC remote {name}, and no stage makes it.", "dvc push")
    if made:
        yield notice(f"{_some(made)} not on the DVC remote {name}.", "dvc push, or CI runs the stages that make it.")
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
