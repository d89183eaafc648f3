"""Label, prediction and scores of each row, coded as their task needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical, FloatArray, Task
from metricgate.predictions.column_profiles import Profile, infer_task, profile_column
from metricgate.predictions.column_values import read_categories, read_numbers, unusable_values
from metricgate.predictions.label_text import canonical_text, choose_positive, sort_labels, spell_booleans_as_numbers
from metricgate.predictions.prediction_table import PredictionTable
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import PredictionsSpec


@dataclass(frozen=True, eq=False, kw_only=True)
class Targets:
    """What metrics are computed from: n rows, shapes and codings as in ``Sample``.

    ``numbers`` has the columns of a task without labels, by name.
    """

    task: Task
    label: NDArray[Any] | None = None
    prediction: NDArray[Any] | None = None
    scores: FloatArray | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    numbers: Mapping[str, FloatArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_targets(table: PredictionTable, spec: PredictionsSpec) -> Targets:
    """Return the labels, and what the model answered, in the coding of the task.

    Raises
    ------
    PredictionsError
        If a column is missing or unusable, the task lacks a role, predictions are not spelled like labels, or classes
        or the positive label do not fit.
    """
    for column, role in ((spec.label, "label"), (spec.prediction, "prediction")):
        if column is not None:
            table.require(column, role)
    label = None if spec.label is None else profile_column(table, spec.label)
    prediction = None if spec.prediction is None else profile_column(table, spec.prediction)
    _refuse_probabilities(table, spec, label, prediction)
    task, reason = infer_task(spec, label, prediction)
    if task == "score":
        return _read_score(table, spec)
    if spec.label is None or not (spec.prediction or spec.score or spec.scores):
        raise _missing_roles(table, spec, task, reason)
    if task == "binary":
        return _read_binary(table, spec, spec.label)
    if task == "multiclass":
        return _read_multiclass(table, spec, spec.label, reason)
    return _read_regression(table, spec, spec.label, reason)


def _refuse_probabilities(
    table: PredictionTable, spec: PredictionsSpec, label: Profile | None, prediction: Profile | None
) -> None:
    """Raise PredictionsError if `prediction:` could name probabilities as well as the numbers of a regression."""
    if spec.task is not None or label is None or prediction is None or label.values is None:
        return
    if len(label.values) <= 2 and label.whole and prediction.numeric and not prediction.whole:
        raise PredictionsError(
            f"{table.path}: column '{spec.prediction}' (prediction) has fractions, but '{spec.label}' (label) has the "
            f"values {list_names(sort_labels(label.values))}.",
            expected="predicted labels as `prediction:`, and probabilities as `score:`.",
            fix=f"name the column as `score: {spec.prediction}`, or set `task: regression`.",
            topic="the-task-does-not-fit-the-columns",
        )


def _missing_roles(table: PredictionTable, spec: PredictionsSpec, task: Task, reason: str) -> PredictionsError:
    lacking = "`label:`" if spec.label is None else "`prediction:` or `score:`"
    return PredictionsError(
        f"{table.path}: the task is {task} ({reason}), but no column is named as {lacking}.",
        expected="the column with the true label, and one with the model's answer.",
        fix=f"name them under `predictions:`; the file has the columns {list_names(tuple(table.types))}.",
        topic="the-task-does-not-fit-the-columns",
    )


def _read_score(table: PredictionTable, spec: PredictionsSpec) -> Targets:
    named = tuple(column for column in (spec.score, spec.prediction) if column is not None)
    return Targets(task="score", numbers=read_numbers(table, named, role="score"))


def _read_regression(table: PredictionTable, spec: PredictionsSpec, label: str, reason: str) -> Targets:
    answer = spec.prediction or spec.score
    if answer is None:
        raise _missing_roles(table, spec, "regression", reason)
    values = read_numbers(table, (label,), role="label") | read_numbers(table, (answer,), role="prediction")
    return Targets(task="regression", label=values[label], prediction=values[answer])


def _read_binary(table: PredictionTable, spec: PredictionsSpec, label: str) -> Targets:
    truth, answer = _read_answers(table, spec, label, limit=2)
    asked = None if spec.positive is None else canonical_text(spec.positive)
    values = dict.fromkeys((*truth.values, *(answer.values if answer else ())))
    negative, positive = choose_positive(values, asked, path=table.path, column=label)
    scores = None if spec.score is None else read_numbers(table, (spec.score,), role="score")[spec.score]
    prediction, notes = _predict_binary(spec, answer, scores, positive)
    return Targets(
        task="binary",
        label=_code_labels(truth, (negative, positive)),
        prediction=prediction,
        scores=scores,
        classes=(negative, positive),
        positive=positive,
        notes=notes,
    )


def _predict_binary(
    spec: PredictionsSpec, answer: Categorical | None, scores: FloatArray | None, positive: str
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Return 0/1 predictions, from the file or else from score and threshold, and sentences about them."""
    if answer is not None:
        lookup = np.array([value == positive for value in answer.values], dtype=np.int8)
        return lookup[answer.codes], ()
    if scores is None:
        return None, ()
    low, high = float(scores.min()), float(scores.max())
    if (low < 0 or high > 1) and "threshold" not in spec.model_fields_set:
        note = f"{spec.score} ranges from {low:g} to {high:g}: it is not a probability, so set `threshold:`."
        return None, (note,)
    return (scores >= spec.threshold).astype(np.int8), (
        f"Predictions are {spec.score} at or above {spec.threshold:g}.",
    )


def _read_multiclass(table: PredictionTable, spec: PredictionsSpec, label: str, reason: str) -> Targets:
    truth, answer = _read_answers(table, spec, label)
    columns = {canonical_text(name): column for name, column in (spec.scores or {}).items()}
    seen = {*truth.values, *(answer.values if answer else ()), *columns}
    classes = _find_classes(table, spec, seen, label)
    scores = _read_class_scores(table, columns, classes, set(truth.values)) if columns else None
    if answer is not None:
        prediction = _code_labels(answer, classes)
    elif scores is not None:
        prediction = np.argmax(scores, axis=1).astype(np.int16)
    else:
        raise _missing_roles(table, spec, "multiclass", reason)
    return Targets(
        task="multiclass",
        label=_code_labels(truth, classes),
        prediction=prediction,
        scores=scores,
        classes=classes,
        notes=() if answer is not None else ("Predictions are the classes with the highest score.",),
    )


def _find_classes(table: PredictionTable, spec: PredictionsSpec, seen: set[str], label: str) -> tuple[str, ...]:
    if spec.classes is None:
        return sort_labels(seen)
    declared = tuple(dict.fromkeys(canonical_text(value) for value in spec.classes))
    extra = sort_labels(seen - set(declared))
    if extra:
        raise PredictionsError(
            f"{table.path}: '{label}', its predictions or `scores:` have classes that are not declared: "
            f"{list_names(extra)}.",
            expected=f"only the declared `classes`: {list_names(declared)}.",
            fix="add them to `classes:`, or remove `classes:` to use those that occur.",
            topic="classes-that-are-not-declared",
        )
    return declared


def _read_class_scores(
    table: PredictionTable, columns: Mapping[str, str], classes: Sequence[str], labels: set[str]
) -> FloatArray:
    without = sort_labels(labels - columns.keys())
    if without:
        raise PredictionsError(
            f"{table.path}: `scores:` names no column for the classes {list_names(without)}.",
            expected="one score column for each class that occurs.",
            fix="add `CLASS: COLUMN` under `scores:`.",
            topic="classes-that-are-not-declared",
        )
    values = read_numbers(table, tuple(columns.values()), role="scores")
    scores = np.zeros((len(next(iter(values.values()))), len(classes)))
    for name, column in columns.items():
        scores[:, classes.index(name)] = values[column]
    return scores


def _read_answers(
    table: PredictionTable, spec: PredictionsSpec, label: str, limit: int | None = None
) -> tuple[Categorical, Categorical | None]:
    """Return labels and predicted labels as the file has them; ``limit`` is the number of classes of the task."""
    truth = _read_present(table, label, "label")
    if spec.prediction is None:
        return truth, None
    truth, answer = _agree_on_booleans(truth, _read_present(table, spec.prediction, "prediction"))
    known, others = set(truth.values), set(answer.values) - set(truth.values)
    if _is_other_spelling(known, others, set(answer.values), limit):
        raise PredictionsError(
            f"{table.path}: column '{spec.prediction}' (prediction) has the values {list_names(sort_labels(others))}, "
            f"which '{label}' (label) never has: {list_names(truth.values)}.",
            expected="predictions spelled like the labels.",
            fix="write both columns with the same values; name a column with probabilities as `score:`.",
            topic="classes-that-are-not-declared",
        )
    return truth, answer


def _is_other_spelling(known: set[str], others: set[str], answered: set[str], limit: int | None) -> bool:
    """Return whether no prediction is a label, or labels and predictions have more values than the task."""
    return (len(known) > 1 and others == answered) or (limit is not None and len(known) <= limit < len(known | others))


def _read_present(table: PredictionTable, column: str, role: str) -> Categorical:
    found = read_categories(table, column, role)
    if (found.codes < 0).any():
        raise unusable_values(table, column, found.codes < 0, role, expected="a value in every row.")
    return found


def _agree_on_booleans(truth: Categorical, answer: Categorical) -> tuple[Categorical, Categorical]:
    """Return both columns in one spelling if one has True and the other 1."""
    return (
        Categorical(codes=truth.codes, values=spell_booleans_as_numbers(truth.values, answer.values)),
        Categorical(codes=answer.codes, values=spell_booleans_as_numbers(answer.values, truth.values)),
    )


def _code_labels(column: Categorical, classes: Sequence[str]) -> NDArray[Any]:
    """Return the index in ``classes`` of each row's value, shape (n,)."""
    width = np.int8 if len(classes) < 128 else np.int16
    lookup: NDArray[Any] = np.array([classes.index(value) for value in column.values], dtype=width)
    coded: NDArray[Any] = lookup[column.codes]
    return coded
