"""The values of columns as arrays: finite numbers, and codes of categories."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import Categorical, FloatArray
from metricgate.predictions.column_profiles import MAX_CLASSES, distinct_values
from metricgate.predictions.file_formats import quote_text
from metricgate.predictions.label_text import canonical_text, sort_labels
from metricgate.predictions.prediction_table import PredictionTable, as_array
from metricgate.predictions.wording import count_rows

MAX_NUMBER = 1e30  # the variance of squares takes eighth powers, and a float ends at about 2e308
MAX_SLICES = 50
_MISSING = {"", "nan"}  # a missing value, as text and in a column of numbers


def read_numbers(table: PredictionTable, columns: Sequence[str], *, role: str) -> dict[str, FloatArray]:
    """Return the columns by name as float64, shape (n,).

    Raises
    ------
    PredictionsError
        If a column does not exist; if a value is missing, not a number or beyond ``MAX_NUMBER``; or if all values
        are so close to zero that their variance would be zero.
    """
    for column in columns:
        table.require(column, role)
    return {column: _read_finite(table, column, role) for column in columns}


def _read_finite(table: PredictionTable, column: str, role: str) -> FloatArray:
    values = table.fetch(table.as_number(column))
    numbers = as_array(values)
    wrong = np.ma.getmaskarray(values) | ~(np.abs(numbers) <= MAX_NUMBER)
    if wrong.any():
        expected = f"a finite number in every row, between -{MAX_NUMBER:g} and {MAX_NUMBER:g}."
        raise unusable_values(table, column, wrong, role, expected=expected)
    largest = float(np.abs(numbers).max(initial=0.0))
    if 0 < largest < 1 / MAX_NUMBER:
        raise PredictionsError(
            f"{table.path}: column '{column}' ({role}) holds no number larger than {largest:g}.",
            expected=f"numbers whose squares differ from zero: the largest at least {1 / MAX_NUMBER:g}.",
            fix="write the column in a smaller unit, so that its numbers are larger.",
            topic="values-that-cannot-be-judged",
        )
    return cast("FloatArray", numbers)


def unusable_values(
    table: PredictionTable, column: str, wrong: NDArray[np.bool_], role: str, *, expected: str
) -> PredictionsError:
    """Return the error for the rows where ``wrong`` is true: how many, the first one, and its value."""
    rows = table.find_in_file(np.flatnonzero(wrong))
    count, first = len(rows), int(rows.min())
    ((value,),) = table.ask(f"SELECT {table.as_text(column)} FROM rows LIMIT 1 OFFSET {first}")
    found = "no value" if value is None else f"'{str(value)[:40]}'"
    return PredictionsError(
        f"{table.path}: column '{column}' ({role}) cannot be used in {count:,} of {count_rows(len(wrong))}; "
        f"the first is row {first + 1}: {found}.",
        expected=expected,
        fix="correct the stage that writes the predictions; MetricGate never drops rows on its own.",
        topic="values-that-cannot-be-judged",
    )


def read_categories(table: PredictionTable, column: str, role: str, *, limit: int = MAX_CLASSES) -> Categorical:
    """Return a column's codes, shape (n,), and its values as canonical text, sorted; code -1 marks a missing value.

    Raises
    ------
    PredictionsError
        If the column does not exist or has more than ``limit`` different values.
    """
    table.require(column, role)
    raw = distinct_values(table, column, limit)
    if raw is None:
        raise PredictionsError(
            f"{table.path}: column '{column}' ({role}) has more than {limit} different values.",
            expected=f"at most {limit} values.",
            fix="name another column, or write one with fewer values, such as ranges instead of numbers.",
            topic="too-many-different-values",
        )
    if not raw:
        ((rows,),) = table.ask("SELECT count(*) FROM rows")
        return Categorical(codes=np.full(rows, -1, dtype=np.int8), values=())
    texts = [canonical_text(value) for value in raw]
    values = sort_labels({text for text in texts if text.lower() not in _MISSING})
    width = np.int8 if len(raw) < 128 else np.int16
    # The last entry of the lookup is for a missing value, whose code is -1.
    lookup = np.array([values.index(text) if text in values else -1 for text in texts] + [-1], dtype=width)
    sql_type = "TINYINT" if width is np.int8 else "SMALLINT"
    code = f"enum_code({table.as_text(column)}::ENUM({', '.join(map(quote_text, raw))}))"
    codes = as_array(table.fetch(f"coalesce({code}::{sql_type}, -1::{sql_type})"))
    return Categorical(codes=lookup[codes], values=values)


def read_slices(table: PredictionTable, columns: tuple[str, ...]) -> tuple[dict[str, Categorical], list[str]]:
    """Return the slice columns by name, and a note for each column with rows that are in no slice."""
    slices, notes = {}, []
    for column in columns:
        slices[column] = read_categories(table, column, "slices", limit=MAX_SLICES)
        missing = int(np.count_nonzero(slices[column].codes < 0))
        if missing:
            notes.append(
                f"{count_rows(missing, 'has')} no {column}, and {'is' if missing == 1 else 'are'} in no slice of it."
            )
    return slices, notes
