"""Whether metricgate.yaml fits the files that exist."""

from collections.abc import Iterator
from pathlib import Path

from metricgate.errors import MetricgateError
from metricgate.execution.metrics_file import read_metrics
from metricgate.models.snapshot import Unreadable
from metricgate.predictions import read_predictions
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.starter.checkup_finding import Finding, broken, fine, from_error, notice
from metricgate.starter.project_survey import find_outputs


def examine_policy(checkout: Checkout) -> Iterator[Finding]:
    """Check metricgate.yaml, and that the files it names exist and fit."""
    path = checkout.directory / FILE_NAME
    if not path.is_file():
        yield notice(f"There is no {FILE_NAME}: only default guardrails apply.", "metricgate init")
        return
    try:
        policy = read_policy(path.read_text(encoding="utf-8"), origin=FILE_NAME)
    except MetricgateError as error:
        yield from_error(error)
        return
    yield fine(f"{FILE_NAME} is valid: {_count_gates(policy)}.")
    yield from _examine_predictions(checkout.directory, policy)
    yield from _examine_file_metrics(checkout.directory, policy)


def _count_gates(policy: Policy) -> str:
    match len(policy.gates):
        case 0:
            return "no gates, so the main metrics of its predictions are guardrails"
        case 1:
            return "1 gate"
        case several:
            return f"{several} gates"


def _examine_predictions(folder: Path, policy: Policy) -> Iterator[Finding]:
    for name, spec in policy.prediction_sets.items():
        if not (folder / spec.path).exists():
            yield _describe_missing(folder, policy, spec.path, f"The predictions {spec.path} are not here")
            continue
        try:
            predictions = read_predictions(folder / spec.path, spec, name=name, shown=spec.path)
        except MetricgateError as error:
            yield from_error(error)
            continue
        yield fine(f"{spec.path}: {predictions.rows:,} rows, and every named column exists.")


def _examine_file_metrics(folder: Path, policy: Policy) -> Iterator[Finding]:
    for file, key in (gate.metric.split(":", 1) for gate in policy.gates if ":" in gate.metric):
        if not (folder / file).exists():
            yield _describe_missing(folder, policy, file, f"A gate reads {file}, which is not here")
            continue
        found = read_metrics(folder / file, file)
        if isinstance(found, Unreadable):
            yield broken(f"A gate reads {file}: {found.reason}.", "dvc pull, or dvc repro; or correct the gate.")
        elif key not in {metric.key for metric in found}:
            keys = ", ".join(metric.key for metric in found[:8])
            yield broken(f"A gate reads {key} of {file}, which has {keys}.", "Correct the gate's metric.")


def _describe_missing(folder: Path, policy: Policy, name: str, what: str) -> Finding:
    """Return a notice for a file that the first run produces, and a fault for one that nothing produces."""
    if policy.pipeline.command is not None:
        return notice(f"{what} yet.", f"`{policy.pipeline.command}` must write it: run it once to see whether it does.")
    if name in {output for output, _ in find_outputs(folder)}:
        return notice(f"{what} yet.", "Nothing to do: the run pulls or produces it. `dvc pull` fetches it now.")
    return broken(f"{what}, and no stage of dvc.yaml produces it.", "Correct the path, or add it to a stage's outs.")
