"""Whether metricgate.yaml fits the files that exist."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from metricgate.comparison.evidence import gather
from metricgate.errors import MetricgateError
from metricgate.execution.metrics_file import read_metrics
from metricgate.execution.model_scoring import try_model
from metricgate.gates.judge import judge_policy
from metricgate.gates.policy_check import check_policy, is_never_found
from metricgate.gates.rules import split_metric
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source, Unreadable
from metricgate.predictions import read_predictions
from metricgate.processes.progress import QuietProgress
from metricgate.revisions.checkout import Checkout
from metricgate.settings.mlflow import is_run_file
from metricgate.settings.policy import FILE_NAME, EvaluationSpec, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import PolicyChoice
from metricgate.starter.checkup_finding import Finding, Level, broken, fine, from_error, notice
from metricgate.starter.project_survey import find_outputs
from metricgate.starter.stored_model import open_trial


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
    if not policy.gates and not policy.judged_sets:
        yield broken(
            f"{FILE_NAME} has no gate and names no predictions: every pull request would pass.",
            "Add a gate, such as `gates: [{metric: metrics.json:accuracy, max_drop: 0.02}]`; "
            "`metricgate init --dry-run` shows what fits.",
        )
        return
    yield fine(f"{FILE_NAME} can be read: {_count_gates(policy)}.")
    if policy.scoring is not None:
        yield from _examine_scoring(checkout, policy, policy.scoring)
        return
    findings = [*_examine_predictions(checkout.directory, policy), *_examine_file_metrics(checkout.directory, policy)]
    yield from findings
    if not any(finding.level is Level.BROKEN for finding in findings):
        paths = {name: checkout.directory / spec.path for name, spec in policy.prediction_sets.items()}
        yield from _examine_gates(paths, policy)


def _examine_scoring(checkout: Checkout, policy: Policy, asked: EvaluationSpec) -> Iterator[Finding]:
    """Check that the stored model can be loaded and scores the data, and the gates against its answers."""
    numbers = list(_examine_file_metrics(checkout.directory, policy))
    yield from numbers
    absent = [name for name in (asked.model, asked.data) if not (checkout.directory / name).exists()]
    for name in absent:
        what = f"`evaluation` names {name}, which is not here"
        yield _describe_missing(checkout.directory, policy, name, what)
    if absent:
        return
    with open_trial(checkout, QuietProgress()) as context:
        try:
            found = try_model(context, policy.pipeline, asked)
        except MetricgateError as error:
            yield from_error(error)
            return
        yield fine(f"The stored {asked.model} scores {asked.data}.")
        if not any(finding.level is Level.BROKEN for finding in numbers):
            yield from _examine_gates({"": found.file}, policy.model_copy(update={"predictions": found.columns}))


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
        if is_run_file(spec.path):
            yield fine(f"{spec.path} is on MLflow: each run reads it there, and this command did not.")
            continue
        if not (folder / spec.path).exists():
            yield _describe_missing(folder, policy, spec.path, f"The predictions {spec.path} are not here")
            continue
        try:
            predictions = read_predictions(folder / spec.path, spec, name=name, shown=spec.path)
        except MetricgateError as error:
            yield from_error(error)
            continue
        yield fine(f"{spec.path}: {predictions.rows:,} rows, and every named column exists.")


def _examine_gates(paths: Mapping[str, Path], policy: Policy) -> Iterator[Finding]:
    """Check every gate, and the anchor, against the predictions that are here."""
    if not all(path.exists() for path in paths.values()):
        return
    here = Snapshot(info=RevisionInfo(revision=None, name="this checkout", source=Source.WORKSPACE), predictions=paths)
    choice = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin=FILE_NAME)
    try:
        evidence = gather(here, here, choice)
        check_policy(policy, evidence)
        nowhere = [gate for gate in judge_policy(policy, evidence) if gate.source == "predictions"]
    except MetricgateError as error:
        yield from_error(error)
        return
    for gate in nowhere:
        if is_never_found(gate):
            yield broken(f"The gate on {gate.metric} judges nothing: {gate.reason}.", "Correct or remove the gate.")


def _examine_file_metrics(folder: Path, policy: Policy) -> Iterator[Finding]:
    for file, key in dict.fromkeys(map(split_metric, policy.metric_names)):
        if file is None:
            continue
        if not (folder / file).exists():
            yield _describe_missing(folder, policy, file, f"A gate reads {file}, which is not here")
            continue
        found = read_metrics(folder / file, file)
        if isinstance(found, Unreadable):
            yield broken(f"A gate reads {file}: {found.reason}.", "dvc pull, or dvc repro; or correct the gate.")
        elif key not in {metric.key for metric in found}:
            keys = [metric.key for metric in found]
            near = get_close_matches(key, keys, n=1)
            cure = f"Perhaps you meant {file}:{near[0]}?" if near else "Correct the gate's metric."
            yield broken(f"A gate reads {key} of {file}, which has {', '.join(keys[:8]) or 'no number'}.", cure)


def _describe_missing(folder: Path, policy: Policy, name: str, what: str) -> Finding:
    """Return a notice for a file that the first run produces, and a fault for one that nothing produces."""
    if policy.pipeline.command is not None:
        return notice(f"{what} yet.", f"`{policy.pipeline.command}` must write it: run it once to see whether it does.")
    if name in {output for output, _ in find_outputs(folder)}:
        return notice(f"{what} yet.", "Nothing to do: the run pulls or produces it. `dvc pull` fetches it now.")
    return broken(f"{what}, and no stage of dvc.yaml produces it.", "Correct the path, or add it to a stage's outs.")
