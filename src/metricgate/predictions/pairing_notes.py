"""Sentences for the report about how the two sides came together."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from metricgate.models.samples import SamplePair
from metricgate.predictions.label_text import sort_labels
from metricgate.predictions.wording import count_rows, list_names
from metricgate.settings.policy import PredictionsSpec


def describe_other_rows(only_baseline: int, only_candidate: int, label_differs: int) -> list[str]:
    """Return one text that counts the rows whose labels differ or that one side lacks, and says what becomes of them."""
    parts = (
        (only_baseline, "only in the baseline's predictions", "the candidate's worst answers are assumed there"),
        (only_candidate, "only in the candidate's", "shown apart, not judged"),
        (label_differs, "labelled differently on the two sides", "judged by both labels"),
    )
    told = [f"{count_rows(count, 'is')} {where}: {effect}." for count, where, effect in parts if count]
    return [" ".join(told)] if told else []


def describe_value_changes(slices: Mapping[str, int], *, weight: bool, group: bool) -> list[str]:
    """Return sentences about what differs between the sides on common rows.

    Parameters
    ----------
    slices : how many rows have another value in this slice column
    weight, group : whether the weights and the groups differ
    """
    notes = [
        f"{count_rows(count, 'has')} a different {column} in the candidate; the baseline's is used."
        for column, count in slices.items()
        if count
    ]
    if weight:
        notes.append("The weights of the rows differ between baseline and candidate; the baseline's are used.")
    if group:
        notes.append("The groups of the rows differ between baseline and candidate; the baseline's are used.")
    return sorted(notes)


def describe_ignored(*, weight: bool, group: bool, slices: Sequence[str]) -> list[str]:
    """Return a sentence about what only the candidate declares, which judges nothing until the baseline has it."""
    named = [*(["weights"] if weight else []), *(["groups"] if group else [])]
    named += [f"the slice column {column}" for column in slices]
    return [f"Only the candidate declares {list_names(named)}: no comparison uses that yet."] if named else []


def describe_order(pair: SamplePair, method: Literal["id", "order"]) -> list[str]:
    """Return a sentence if only the order of the two files says which rows belong together."""
    unchecked = method == "order" and pair.baseline.label is None
    return ["Rows were joined in file order, with neither ids nor labels to check the order."] if unchecked else []


def describe_missing_classes(side: str, own: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Return a sentence that names the classes that occur on the other side only."""
    missing = sort_labels(set(classes) - set(own))
    return [f"The {side}'s predictions never name the classes {list_names(missing)}."] if missing else []


def describe_lost_classes(pair: SamplePair) -> list[str]:
    """Return a sentence that names the classes that the baseline predicts and the candidate never does."""
    one, other = pair.baseline.prediction, pair.candidate.prediction
    if one is None or other is None or not pair.baseline.classes:
        return []
    counts = [np.bincount(side, minlength=len(pair.baseline.classes)) for side in (one, other)]
    lost = np.flatnonzero((counts[0] > 0) & (counts[1] == 0))
    names = list_names([pair.baseline.classes[code] for code in lost])
    return [f"The candidate never predicts {names}, which the baseline does."] if len(lost) else []


def describe_spec_changes(baseline: PredictionsSpec, candidate: PredictionsSpec) -> list[str]:
    """Return a sentence that names the roles with different columns or values on the two sides."""
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


def merge_notes(baseline: Sequence[str], candidate: Sequence[str]) -> list[str]:
    """Return the notes of both sides: common ones once, the others with the name of their side."""
    shared = [note for note in candidate if note in baseline]
    own = [f"Baseline: {note}" for note in baseline if note not in shared]
    return [*shared, *own, *(f"Candidate: {note}" for note in candidate if note not in shared)]


def describe_spec(spec: PredictionsSpec) -> str:
    """Return which column has which role."""
    scores = list_names(list((spec.scores or {}).values()))
    roles = [("label", spec.label), ("prediction", spec.prediction), ("score", spec.score), ("scores", scores)]
    roles += [("id", list_names(spec.id)), ("slices", list_names(spec.slices))]
    roles += [("group", spec.group), ("weight", spec.weight)]
    named = [f"{role}: {column}" for role, column in roles if column]
    return "; ".join([*named, f"task: {spec.task}" if spec.task else "task: inferred from the label's values"])
