"""A judged change whose model is served: its rows are asked of the server that the policy names, and judged."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, MetricgateError, PredictionsError, TimeLimitError, WorkspaceError
from metricgate.execution.file_copies import FileOrigin, fetch_files
from metricgate.execution.snapshots import SnapshotSet
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Snapshot
from metricgate.serving.asked_servers import ask_servers, refuse_address
from metricgate.serving.judged_rows import JudgedRows, read_answers_by_id, read_judged_rows
from metricgate.serving.judged_serving import JudgedServing, judge_serving, refuse_serving
from metricgate.settings.policy import Policy, PredictionsSpec
from metricgate.settings.selection import PolicyChoice
from metricgate.settings.serving import ServingSpec

_OWN = frozenset({"first_policy", "invalid_baseline_policy", "unusable_baseline_policy"})


def serve_change(
    context: RunContext, choice: PolicyChoice, snapshots: SnapshotSet, *, url: str = "", image: str = ""
) -> JudgedServing | None:
    """Ask the server that the judging policy names, or at ``url`` instead; None where the policy names none.

    Whatever fails is a gate in error.
    """
    if choice.judging.serving is None:
        return None
    spec = _replace_address(choice.judging.serving, url)
    is_own = not url and any(warning.code in _OWN for warning in choice.warnings)
    if refused := refuse_address([url for url in (spec.url, spec.baseline_url) if url], is_own=is_own):
        return refuse_serving(spec, f"The server is not asked: {refused}.", image)
    try:
        with context.progress.step("Ask the model server"):
            judged, predictions = _find_rows(context, choice.candidate, spec, snapshots.candidate)
            logs = ask_servers(spec, judged, tell=context.progress.line, limit_s=context.timeout_s)
    except TimeLimitError:
        raise
    except (WorkspaceError, PredictionsError) as error:
        return refuse_serving(spec, f"{error.what} {error.fix[:1].upper()}{error.fix[1:]}", image)
    tail = (1 - choice.judging.confidence) / 2
    earlier = _find_earlier(spec, predictions, snapshots.baseline, choice.baseline, judged)
    return judge_serving(spec, judged, *logs, earlier=earlier, image=image, tail=tail)


def _replace_address(spec: ServingSpec, url: str) -> ServingSpec:
    if not url:
        return spec
    try:
        return ServingSpec.model_validate({**spec.model_dump(), "url": url})
    except ValidationError as error:
        raise ConfigurationError(
            "The input serving-url is not an address.",
            expected="an address such as http://localhost:8080/invocations, without a user.",
            fix="correct it under `with:` in the workflow.",
            topic="an-input-is-not-valid",
        ) from error


def _find_rows(
    context: RunContext, policy: Policy, spec: ServingSpec, snapshot: Snapshot
) -> tuple[JudgedRows, PredictionsSpec]:
    name, predictions = _find_set(policy, spec)
    file = snapshot.predictions.get(name)
    if not isinstance(file, Path):
        raise WorkspaceError(
            "The candidate has no predictions to compare the server's answers with.",
            expected="the predictions that the policy names.",
            fix="name them: `predictions: {path: …}`.",
            topic="nothing-to-compare-the-server-with",
        )
    checkout = context.checkout
    tree = WorkTree(context=context, directory=checkout.directory, files=context.scratch / "serving", name="serving")
    origin = FileOrigin.of_candidate(checkout, snapshot, policy.pipeline)
    (data,) = fetch_files(tree, origin, (spec.data,))
    return read_judged_rows(spec, predictions, file, data), predictions


def _find_set(policy: Policy, spec: ServingSpec) -> tuple[str, PredictionsSpec]:
    sets = policy.prediction_sets
    name = next(iter(sets), "") if spec.set is None else spec.set
    if name not in sets or (spec.set is None and len(sets) > 1):
        raise WorkspaceError(
            "The policy does not say whose rows the server is asked for.",
            expected="`predictions:`, and `set:` below `serving:` where there are several.",
            fix=f"add `set: {next(iter(sets), 'NAME')}` below `serving:`.",
            topic="nothing-to-compare-the-server-with",
        )
    return name, sets[name]


def _find_earlier(
    spec: ServingSpec, predictions: PredictionsSpec, baseline: Snapshot | None, policy: Policy, judged: JudgedRows
) -> dict[str, list[Any]] | None:
    """Return what the baseline's model answered for the same rows, to tell whether it is the one that is served."""
    try:
        name, own = _find_set(policy, spec)
        file = baseline.predictions.get(name) if baseline else None
        return read_answers_by_id(spec, own, file, judged) if isinstance(file, Path) and predictions.id else None
    except MetricgateError:
        return None  # a hint, and no more
