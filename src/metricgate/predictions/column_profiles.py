"""What values a column holds, and the task that they imply."""

from dataclasses import dataclass

from metricgate.models.samples import Task
from metricgate.predictions.file_formats import quote_name
from metricgate.predictions.label_text import canonical_text
from metricgate.predictions.prediction_table import PredictionTable
from metricgate.settings.policy import PredictionsSpec

MAX_CLASSES = 1000
MAX_GUESSED_CLASSES = 20
_PROBE_ROWS = 50_000


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The values of a column; nulls are ignored.

    Attributes
    ----------
    values : the distinct values as canonical text; None if there are more than ``MAX_CLASSES``
    numeric : whether every value is a number
    whole : whether every value is a whole number
    """

    values: tuple[str, ...] | None
    numeric: bool
    whole: bool


def profile_column(table: PredictionTable, column: str) -> Profile:
    """Return what values a column holds."""
    name, number = quote_name(column), table.as_number(column)
    boolean = table.types[column] == "BOOLEAN"
    (counts,) = table.ask(
        f"SELECT count({name}), count({number}), count(*) FILTER ({number} = floor({number})) FROM rows"
    )
    present, numbers, wholes = counts
    raw = distinct_values(table, column, MAX_CLASSES)
    return Profile(
        values=None if raw is None else tuple(dict.fromkeys(canonical_text(value) for value in raw)),
        numeric=not boolean and present == numbers,
        whole=not boolean and present == wholes,
    )


def distinct_values(table: PredictionTable, column: str, limit: int) -> tuple[str, ...] | None:
    """Return a column's distinct values as text, sorted; None if there are more than ``limit``."""
    name = quote_name(column)
    # The first rows are enough for a column of real numbers, whose distinct values would fill the memory.
    for rows in (f"(SELECT {name} FROM rows LIMIT {_PROBE_ROWS})", "rows"):
        found = table.ask(
            f"SELECT DISTINCT {table.as_text(column)} FROM {rows} WHERE {name} IS NOT NULL LIMIT {limit + 1}"
        )
        if len(found) > limit:
            return None
    return tuple(sorted(str(value) for (value,) in found))


def count_values(table: PredictionTable, column: str, limit: int) -> dict[str | None, int] | None:
    """Return how many rows have each value, null included; None if there are more than ``limit`` other values."""
    if distinct_values(table, column, limit) is None:
        return None
    return dict(table.ask(f"SELECT {table.as_text(column)}, count(*) FROM rows GROUP BY ALL"))


def find_task(table: PredictionTable, spec: PredictionsSpec) -> Task:
    """Return the task of a file whose columns ``spec`` names."""
    label, prediction = (
        None if column is None else profile_column(table, column) for column in (spec.label, spec.prediction)
    )
    return infer_task(spec, label, prediction)[0]


def infer_task(spec: PredictionsSpec, label: Profile | None, prediction: Profile | None) -> tuple[Task, str]:
    """Return the task and the reason for it: the declared task, else what the named columns or the values imply."""
    if spec.task is not None:
        return spec.task, "as the policy says"
    if label is None:
        return "score", "no label column is named"
    if spec.scores or spec.classes:
        return "multiclass", "several classes are named"
    if spec.score or spec.positive is not None:
        return "binary", "a score or a positive label is named"
    return _infer_from_values(label, prediction)


def _infer_from_values(label: Profile, prediction: Profile | None) -> tuple[Task, str]:
    count = None if label.values is None else len(label.values)
    fractions = (label.numeric and not label.whole) or (
        label.numeric and prediction is not None and prediction.numeric and not prediction.whole
    )
    if fractions:
        return "regression", "labels or predictions have fractions"
    if label.numeric and (count is None or count > MAX_GUESSED_CLASSES):
        return "regression", f"the label has more than {MAX_GUESSED_CLASSES} different numbers"
    if count is not None and count <= 2:
        return "binary", "the label has two values"
    return "multiclass", "the label has " + (f"{count} values" if count else f"more than {MAX_CLASSES} values")
