"""Label, prediction and scores of each row, in the coding of their task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical, FloatArray, Task
from metricgate.predictions.answers import code_labels, read_answers
from metricgate.predictions.labels import canonical_text, choose_positive, sort_labels
from metricgate.predictions.numbers import read_numbers
from metricgate.predictions.profiles import Profile, infer_task, profile_column
from metricgate.predictions.source import Source
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import PredictionsSpec


@dataclass(frozen=True, eq=False, kw_only=True)
class Targets:
    """What a metric is computed from; codings as in ``Sample``. ``numbers``: the columns of a task without labels."""

    task: Task
    label: NDArray[Any] | None = None
    prediction: NDArray[Any] | None = None
    scores: FloatArray | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    numbers: Mapping[str, FloatArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_targets(source: Source, spec: PredictionsSpec) -> Targets:
    """Read the columns that say what was true and what the model answered, after settling the task."""
    for column, role in ((spec.label, "label"), (spec.prediction, "prediction")):
        if column is not None:
            source.require(column, role)
    label = None if spec.label is None else profile_column(source, spec.label)
    prediction = None if spec.prediction is None else profile_column(source, spec.prediction)
    _refuse_probabilities(source, spec, label, prediction)
    task, reason = infer_task(spec, label, prediction)
    if task == "score":
        return _read_score(source, spec)
    if spec.label is None or not (spec.prediction or spec.score or spec.scores):
        raise _missing_roles(source, spec, task, reason)
    if task == "binary":
        return _read_binary(source, spec, spec.label)
    if task == "multiclass":
        return _read_multiclass(source, spec, spec.label)
    return _read_regression(source, spec, spec.label)


def _refuse_probabilities(
    source: Source, spec: PredictionsSpec, label: Profile | None, prediction: Profile | None
) -> None:
    """Refuse to guess between a regression and a score under the name of a prediction."""
    if spec.task is not None or label is None or prediction is None or label.values is None:
        return
    if len(label.values) <= 2 and label.whole and prediction.numeric and not prediction.whole:
        raise PredictionsError(
            f"{source.path}: column '{spec.prediction}' (prediction) has fractions, but '{spec.label}' (label) has the "
            f"values {list_names(sort_labels(label.values))}.",
            expected="predicted labels as `prediction:`, and probabilities as `score:`.",
            fix=f"name the column as `score: {spec.prediction}`, or say `task: regression`.",
        )


def _missing_roles(source: Source, spec: PredictionsSpec, task: Task, reason: str) -> PredictionsError:
    lacking = "`label:`" if spec.label is None else "`prediction:` or `score:`"
    return PredictionsError(
        f"{source.path}: the task is {task} ({reason}), but no column is named as {lacking}.",
        expected="the column with the true label, and one with what the model answered.",
        fix=f"name them under `predictions:`; the file has the columns {list_names(tuple(source.types))}.",
    )


def _read_score(source: Source, spec: PredictionsSpec) -> Targets:
    named = tuple(column for column in (spec.score, spec.prediction) if column is not None)
    return Targets(task="score", numbers=read_numbers(source, named, role="score"))


def _read_regression(source: Source, spec: PredictionsSpec, label: str) -> Targets:
    answer = spec.prediction or spec.score
    if answer is None:
        raise _missing_roles(source, spec, "regression", "see `task`")
    values = read_numbers(source, (label,), role="label") | read_numbers(source, (answer,), role="prediction")
    return Targets(task="regression", label=values[label], prediction=values[answer])


def _read_binary(source: Source, spec: PredictionsSpec, label: str) -> Targets:
    truth, answer = read_answers(source, spec, label, limit=2)
    asked = None if spec.positive is None else canonical_text(spec.positive)
    values = dict.fromkeys((*truth.values, *(answer.values if answer else ())))
    negative, positive = choose_positive(values, asked, path=source.path, column=label)
    scores = None if spec.score is None else read_numbers(source, (spec.score,), role="score")[spec.score]
    prediction, notes = _predict_binary(spec, answer, scores, positive)
    return Targets(
        task="binary",
        label=code_labels(truth, (negative, positive)),
        prediction=prediction,
        scores=scores,
        classes=(negative, positive),
        positive=positive,
        notes=notes,
    )


def _predict_binary(
    spec: PredictionsSpec, answer: Categorical | None, scores: FloatArray | None, positive: str
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Return 0/1 predictions: the file's own, else the score at or above the threshold."""
    if answer is not None:
        lookup = np.array([value == positive for value in answer.values], dtype=np.int8)
        return lookup[answer.codes], ()
    if scores is None:
        return None, ()
    low, high = float(scores.min()), float(scores.max())
    if (low < 0 or high > 1) and "threshold" not in spec.model_fields_set:
        return None, (f"{spec.score} runs from {low:g} to {high:g}: no probability, so `threshold:` has to be set.",)
    return (scores >= spec.threshold).astype(np.int8), (
        f"Predictions are {spec.score} at or above {spec.threshold:g}.",
    )


def _read_multiclass(source: Source, spec: PredictionsSpec, label: str) -> Targets:
    truth, answer = read_answers(source, spec, label)
    columns = {canonical_text(name): column for name, column in (spec.scores or {}).items()}
    seen = {*truth.values, *(answer.values if answer else ()), *columns}
    classes = _find_classes(source, spec, seen, label)
    scores = _read_class_scores(source, columns, classes, set(truth.values)) if columns else None
    if answer is None and scores is None:
        raise _missing_roles(source, spec, "multiclass", "see `task`")
    prediction = code_labels(answer, classes) if answer is not None else np.argmax(scores, axis=1).astype(np.int16)  # type: ignore[arg-type]
    return Targets(
        task="multiclass",
        label=code_labels(truth, classes),
        prediction=prediction,
        scores=scores,
        classes=classes,
        notes=() if answer is not None else ("Predictions are the classes with the highest score.",),
    )


def _find_classes(source: Source, spec: PredictionsSpec, seen: set[str], label: str) -> tuple[str, ...]:
    if spec.classes is None:
        return sort_labels(seen)
    declared = tuple(dict.fromkeys(canonical_text(value) for value in spec.classes))
    extra = sort_labels(seen - set(declared))
    if extra:
        raise PredictionsError(
            f"{source.path}: '{label}', its predictions or `scores:` have classes that are not declared: {list_names(extra)}.",
            expected=f"only the declared `classes`: {list_names(declared)}.",
            fix="add them to `classes:`, or leave `classes:` out to take those that occur.",
        )
    return declared


def _read_class_scores(
    source: Source, columns: Mapping[str, str], classes: Sequence[str], labels: set[str]
) -> FloatArray:
    without = sort_labels(labels - columns.keys())
    if without:
        raise PredictionsError(
            f"{source.path}: `scores:` names no column for the classes {list_names(without)}.",
            expected="one score column for each class that occurs.",
            fix="add `CLASS: COLUMN` under `scores:`.",
        )
    values = read_numbers(source, tuple(columns.values()), role="scores")
    scores = np.zeros((len(next(iter(values.values()))), len(classes)))
    for name, column in columns.items():
        scores[:, classes.index(name)] = values[column]
    return scores
