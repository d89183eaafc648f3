"""Label and predicted label of each row, as they are written in the file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical
from metricgate.predictions.categories import read_categories
from metricgate.predictions.labels import sort_labels, spell_booleans_as_numbers
from metricgate.predictions.numbers import unusable_values
from metricgate.predictions.source import Source
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import PredictionsSpec


def read_answers(
    source: Source, spec: PredictionsSpec, label: str, limit: int | None = None
) -> tuple[Categorical, Categorical | None]:
    """Return labels and predicted labels; refuse predictions in another spelling than the labels'."""
    truth = _read_present(source, label, "label")
    if spec.prediction is None:
        return truth, None
    truth, answer = _agree_on_booleans(truth, _read_present(source, spec.prediction, "prediction"))
    known, others = set(truth.values), set(answer.values) - set(truth.values)
    if _is_other_spelling(known, others, set(answer.values), limit):
        raise PredictionsError(
            f"{source.path}: column '{spec.prediction}' (prediction) has the values {list_names(sort_labels(others))}, "
            f"which '{label}' (label) never has: {list_names(truth.values)}.",
            expected="predictions spelled as the labels are.",
            fix="write both columns with the same values; a column with probabilities is a `score:`.",
        )
    return truth, answer


def _is_other_spelling(known: set[str], others: set[str], answered: set[str], limit: int | None) -> bool:
    """Say whether predictions are no labels: none of them is one, or together they are more than the task has."""
    return (len(known) > 1 and others == answered) or (limit is not None and len(known) <= limit < len(known | others))


def _read_present(source: Source, column: str, role: str) -> Categorical:
    found = read_categories(source, column, role)
    if (found.codes < 0).any():
        raise unusable_values(source, column, found.codes < 0, role, expected="a value in every row.")
    return found


def _agree_on_booleans(truth: Categorical, answer: Categorical) -> tuple[Categorical, Categorical]:
    """Return both columns in one spelling where one writes True and the other 1."""
    return (
        Categorical(codes=truth.codes, values=spell_booleans_as_numbers(truth.values, answer.values)),
        Categorical(codes=answer.codes, values=spell_booleans_as_numbers(answer.values, truth.values)),
    )


def code_labels(column: Categorical, classes: Sequence[str]) -> NDArray[Any]:
    """Return the codes of a column's rows in ``classes``."""
    width = np.int8 if len(classes) < 128 else np.int16
    lookup: NDArray[Any] = np.array([classes.index(value) for value in column.values], dtype=width)
    coded: NDArray[Any] = lookup[column.codes]
    return coded
