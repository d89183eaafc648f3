"""Columns with few values, as integer codes."""

import numpy as np

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical
from metricgate.predictions.formats import quote_text
from metricgate.predictions.labels import canonical_text, sort_labels
from metricgate.predictions.profiles import MAX_CLASSES, distinct_values
from metricgate.predictions.source import Source, as_array
from metricgate.predictions.wording import count_rows

MAX_SLICES = 50
_MISSING = {"", "nan"}  # what a missing value becomes in text and in a column of numbers


def read_categories(source: Source, column: str, role: str, *, limit: int = MAX_CLASSES) -> Categorical:
    """Return a column's codes and its values as canonical text, sorted; code -1 where there is no value."""
    source.require(column, role)
    raw = distinct_values(source, column, limit)
    if raw is None:
        raise PredictionsError(
            f"{source.path}: column '{column}' ({role}) has more than {limit} different values.",
            expected=f"at most {limit} values.",
            fix="name another column, or write one with coarser values (such as ranges instead of numbers).",
        )
    if not raw:
        ((rows,),) = source.ask("SELECT count(*) FROM rows")
        return Categorical(codes=np.full(rows, -1, dtype=np.int8), values=())
    texts = [canonical_text(value) for value in raw]
    values = sort_labels({text for text in texts if text.lower() not in _MISSING})
    width = np.int8 if len(raw) < 128 else np.int16
    table = np.array([values.index(text) if text in values else -1 for text in texts] + [-1], dtype=width)
    sql_type = "TINYINT" if width is np.int8 else "SMALLINT"
    code = f"enum_code({source.as_text(column)}::ENUM({', '.join(map(quote_text, raw))}))"
    codes = as_array(source.fetch(f"coalesce({code}::{sql_type}, -1::{sql_type})"))
    return Categorical(codes=table[codes], values=values)  # the last entry of the table stands for no value


def read_slices(source: Source, columns: tuple[str, ...]) -> tuple[dict[str, Categorical], list[str]]:
    """Return the slice columns by name, and a note for each with rows that belong to no slice."""
    slices, notes = {}, []
    for column in columns:
        slices[column] = read_categories(source, column, "slices", limit=MAX_SLICES)
        missing = int(np.count_nonzero(slices[column].codes < 0))
        if missing:
            notes.append(f"{count_rows(missing, 'has')} no {column}, and no slice of it.")
    return slices, notes
