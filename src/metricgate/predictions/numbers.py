"""Columns of finite numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import FloatArray
from metricgate.predictions.source import Source, as_array, quote


def read_numbers(source: Source, columns: Sequence[str], *, role: str) -> dict[str, FloatArray]:
    """Return the columns as float64, shape (n,); refuse a value that is missing, no number, or not finite."""
    names = {str(i): f"try_cast({source.require(column, role)} AS DOUBLE)" for i, column in enumerate(columns)}
    fetched = source.fetch(names)
    return {column: _require_finite(source, column, fetched[str(i)], role) for i, column in enumerate(columns)}


def _require_finite(source: Source, column: str, values: NDArray[Any], role: str) -> FloatArray:
    numbers = as_array(values)
    wrong = np.ma.getmaskarray(values) | ~np.isfinite(numbers)
    if wrong.any():
        raise unusable_values(source, column, wrong, role, expected="a finite number in every row.")
    return numbers


def unusable_values(
    source: Source, column: str, wrong: NDArray[np.bool_], role: str, *, expected: str
) -> PredictionsError:
    """Describe the rows where ``wrong`` is true: how many, the first one, and what it holds."""
    count, first = int(np.count_nonzero(wrong)), int(np.argmax(wrong))
    ((value,),) = source.ask(f"SELECT {quote(column)}::VARCHAR FROM rows LIMIT 1 OFFSET {first}")
    found = "no value" if value is None else f"'{str(value)[:40]}'"
    many = f"{count:,} of {len(wrong):,} rows" if count > 1 else f"1 of {len(wrong):,} rows"
    return PredictionsError(
        f"{source.path}: column '{column}' ({role}) cannot be used in {many}; the first is row {first + 1}: {found}.",
        expected=expected,
        fix="correct the stage that writes the predictions; MetricGate leaves out no row by itself.",
    )
