"""What kind of values a column holds, and the task that follows from them."""

from dataclasses import dataclass

from metricgate.models.samples import Task
from metricgate.predictions.formats import quote_name
from metricgate.predictions.labels import canonical_text
from metricgate.predictions.source import Source
from metricgate.settings.policy import PredictionsSpec

MAX_CLASSES = 1000
MAX_GUESSED_CLASSES = 20
_PROBE_ROWS = 50_000


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A column: its distinct values as canonical text (None where there are more than asked), and are they numbers.

    ``whole``: every value is a whole number. Null counts as neither a value nor a reason against.
    """

    values: tuple[str, ...] | None
    numeric: bool
    whole: bool


def profile_column(source: Source, column: str) -> Profile:
    """Look at one column of the file."""
    name, number = quote_name(column), source.as_number(column)
    boolean = source.types[column] == "BOOLEAN"
    (counts,) = source.ask(
        f"SELECT count({name}), count({number}), count(*) FILTER ({number} = floor({number})) FROM rows"
    )
    present, numbers, wholes = counts
    raw = distinct_values(source, column, MAX_CLASSES)
    return Profile(
        values=None if raw is None else tuple(dict.fromkeys(canonical_text(value) for value in raw)),
        numeric=not boolean and present == numbers,
        whole=not boolean and present == wholes,
    )


def distinct_values(source: Source, column: str, limit: int) -> tuple[str, ...] | None:
    """Return a column's distinct values as text, or None where there are more than ``limit``."""
    name = quote_name(column)
    # The first rows answer for a column of real numbers, whose distinct values would fill the memory.
    for rows in (f"(SELECT {name} FROM rows LIMIT {_PROBE_ROWS})", "rows"):
        found = source.ask(
            f"SELECT DISTINCT {source.as_text(column)} FROM {rows} WHERE {name} IS NOT NULL LIMIT {limit + 1}"
        )
        if len(found) > limit:
            return None
    return tuple(sorted(str(value) for (value,) in found))


def infer_task(spec: PredictionsSpec, label: Profile | None, prediction: Profile | None) -> tuple[Task, str]:
    """Return the task and why: what was asked for, else what columns are named, else the label's values."""
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
