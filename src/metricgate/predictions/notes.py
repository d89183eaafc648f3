"""Sentences for the report about how two sides came together."""

import numpy as np

from metricgate.models.samples import SamplePair
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import PredictionsSpec


def describe_order(pair: SamplePair, method: str) -> list[str]:
    """Say where nothing vouches for the pairing but the order of two files."""
    unchecked = method == "order" and pair.baseline.label is None
    return (
        ["Rows were joined in the order of the files, with neither ids nor labels to check it by."] if unchecked else []
    )


def describe_lost_classes(pair: SamplePair) -> list[str]:
    """Name the classes that the baseline predicts and the candidate never does."""
    one, other = pair.baseline.prediction, pair.candidate.prediction
    if one is None or other is None or not pair.baseline.classes:
        return []
    counts = [np.bincount(side, minlength=len(pair.baseline.classes)) for side in (one, other)]
    lost = np.flatnonzero((counts[0] > 0) & (counts[1] == 0))
    names = list_names([pair.baseline.classes[code] for code in lost])
    return [f"The candidate never predicts {names}, which the baseline does."] if len(lost) else []


def describe_spec_changes(baseline: PredictionsSpec, candidate: PredictionsSpec) -> list[str]:
    """Name the roles that are other columns or values on the two sides: they change what is compared."""
    roles = ("id", "label", "prediction", "score", "scores", "threshold", "group", "weight")
    changed = [
        f"{role}: {_show(before)} before, {_show(after)} now"
        for role in roles
        if (before := getattr(baseline, role)) != (after := getattr(candidate, role))
    ]
    return [f"The predictions are described differently: {'; '.join(changed)}."] if changed else []


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return list_names([str(part) for part in value]) or "none"
    return "none" if value is None else str(value)


def merge_notes(baseline: tuple[str, ...], candidate: tuple[str, ...]) -> list[str]:
    shared = [note for note in candidate if note in baseline]
    own = [f"Baseline: {note}" for note in baseline if note not in shared]
    return [*shared, *own, *(f"Candidate: {note}" for note in candidate if note not in shared)]


def describe_spec(spec: PredictionsSpec) -> str:
    """Return one sentence that says which column has which role."""
    scores = list_names(list((spec.scores or {}).values()))
    roles = [("label", spec.label), ("prediction", spec.prediction), ("score", spec.score), ("scores", scores)]
    roles += [("id", list_names(spec.id)), ("slices", list_names(spec.slices))]
    roles += [("group", spec.group), ("weight", spec.weight)]
    named = [f"{role}: {column}" for role, column in roles if column]
    return "; ".join([*named, f"task: {spec.task}" if spec.task else "task: by the label's values"])
