"""One coding of labels for both sides: the same task, the same classes, the same positive label."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import FloatArray
from metricgate.predictions.labels import same_label, sort_labels
from metricgate.predictions.table import Predictions
from metricgate.predictions.wording import list_names


def agree_on_coding(baseline: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, list[str]]:
    """Return both sides with labels in one coding, and notes on classes that one side lacks."""
    if baseline.task != candidate.task:
        raise PredictionsError(
            f"The baseline's predictions are read as {baseline.task}, the candidate's as {candidate.task}.",
            expected="the same task on both sides.",
            fix="say `task:` under `predictions:`, and compare the columns of both files.",
        )
    if baseline.task == "binary":
        return (*_agree_on_positive(baseline, candidate), [])
    if baseline.task == "multiclass":
        return _agree_on_classes(baseline, candidate)
    return baseline, candidate, []


def _agree_on_positive(baseline: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions]:
    for one, other in zip(baseline.classes, candidate.classes, strict=True):
        if one and other and not same_label(one, other):
            raise PredictionsError(
                f"The classes (negative, positive) are {_quote(baseline)} in the baseline's predictions "
                f"and {_quote(candidate)} in the candidate's.",
                expected="the same labels and the same positive label on both sides.",
                fix="give `positive:` the same value on both sides, and write labels in one spelling.",
            )
    classes = tuple(one or other for one, other in zip(baseline.classes, candidate.classes, strict=True))
    return _rename(baseline, classes), _rename(candidate, classes)


def _quote(side: Predictions) -> str:
    return " and ".join(f"'{value}'" for value in side.classes)


def _rename(side: Predictions, classes: tuple[str, ...]) -> Predictions:
    return replace(side, classes=classes, positive_label=classes[1], sample=replace(side.sample, classes=classes))


def _agree_on_classes(baseline: Predictions, candidate: Predictions) -> tuple[Predictions, Predictions, list[str]]:
    if baseline.classes == candidate.classes:
        return baseline, candidate, []
    classes = sort_labels({*baseline.classes, *candidate.classes})
    notes = []
    for side, name in ((baseline, "baseline"), (candidate, "candidate")):
        without = sort_labels(set(classes) - set(side.classes))
        if without:
            notes.append(f"The {name}'s predictions never name the classes {list_names(without)}.")
    return _recode(baseline, classes), _recode(candidate, classes), notes


def _recode(side: Predictions, classes: tuple[str, ...]) -> Predictions:
    sample = side.sample
    lookup = np.array([classes.index(value) for value in side.classes], dtype=np.int16)
    return replace(
        side,
        classes=classes,
        sample=replace(
            sample,
            classes=classes,
            label=None if sample.label is None else lookup[sample.label],
            prediction=None if sample.prediction is None else lookup[sample.prediction],
            scores=None if sample.scores is None else _spread(sample.scores, lookup, len(classes)),
        ),
    )


def _spread(scores: FloatArray, columns: NDArray[Any], width: int) -> FloatArray:
    """Return scores with a column for each class; a class that this side never names has score 0."""
    wide = np.zeros((len(scores), width))
    wide[:, columns] = scores
    return wide
