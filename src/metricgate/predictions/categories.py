"""Columns with few values, as integer codes."""

import numpy as np

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical
from metricgate.predictions.labels import canonical_text, sort_labels
from metricgate.predictions.profiles import MAX_CLASSES, distinct_values
from metricgate.predictions.source import Source, as_array

MAX_SLICES = 50


def read_categories(source: Source, column: str, role: str, *, limit: int = MAX_CLASSES) -> Categorical:
    """Return a column's codes and its values as canonical text, sorted; code -1 where there is no value."""
    name = source.require(column, role)
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
    values = sort_labels({canonical_text(value) for value in raw})
    width = np.int8 if len(raw) < 128 else np.int16
    table = np.array([values.index(canonical_text(value)) for value in raw] + [-1], dtype=width)
    literals = ", ".join("'" + value.replace("'", "''") + "'" for value in raw)
    sql_type = "TINYINT" if width is np.int8 else "SMALLINT"
    codes = as_array(
        source.fetch({"code": f"coalesce(enum_code({name}::VARCHAR::ENUM({literals}))::{sql_type}, -1::{sql_type})"})[
            "code"
        ]
    )
    return Categorical(codes=table[codes], values=values)  # code -1 is the last entry: no value


def read_slices(source: Source, columns: tuple[str, ...]) -> tuple[dict[str, Categorical], list[str]]:
    """Return the slice columns by name, and a note for each with rows that belong to no slice."""
    slices, notes = {}, []
    for column in columns:
        slices[column] = read_categories(source, column, "slices", limit=MAX_SLICES)
        missing = int(np.count_nonzero(slices[column].codes < 0))
        if missing:
            notes.append(f"{missing:,} rows of {source.path} have no {column}: they count in no slice of it.")
    return slices, notes
