"""Columns of finite numbers."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import FloatArray
from metricgate.predictions.source import Source, as_array
from metricgate.predictions.wording import count_rows

LARGEST = 1e30  # the variance of squares takes eighth powers, which have no float beyond 3e38


def read_numbers(source: Source, columns: Sequence[str], *, role: str) -> dict[str, FloatArray]:
    """Return the columns as float64, shape (n,); refuse a value that is missing, no number, or beyond ``LARGEST``.

    A column all of whose values are as good as zero is refused too: its variance would be zero.
    """
    for column in columns:
        source.require(column, role)
    return {column: _read_finite(source, column, role) for column in columns}


def _read_finite(source: Source, column: str, role: str) -> FloatArray:
    values = source.fetch(source.as_number(column))
    numbers = as_array(values)
    wrong = np.ma.getmaskarray(values) | ~(np.abs(numbers) <= LARGEST)
    if wrong.any():
        expected = f"a finite number in every row, between -{LARGEST:g} and {LARGEST:g}."
        raise unusable_values(source, column, wrong, role, expected=expected)
    largest = float(np.abs(numbers).max(initial=0.0))
    if 0 < largest < 1 / LARGEST:
        raise PredictionsError(
            f"{source.path}: column '{column}' ({role}) holds no number larger than {largest:g}.",
            expected=f"numbers whose squares can be told from zero: the largest at least {1 / LARGEST:g}.",
            fix="write the column in a larger unit.",
        )
    return cast("FloatArray", numbers)


def unusable_values(
    source: Source, column: str, wrong: NDArray[np.bool_], role: str, *, expected: str
) -> PredictionsError:
    """Describe the rows where ``wrong`` is true: how many, the first one, and what it holds."""
    rows = source.find_in_file(np.flatnonzero(wrong))
    count, first = len(rows), int(rows.min())
    ((value,),) = source.ask(f"SELECT {source.as_text(column)} FROM rows LIMIT 1 OFFSET {first}")
    found = "no value" if value is None else f"'{str(value)[:40]}'"
    return PredictionsError(
        f"{source.path}: column '{column}' ({role}) cannot be used in {count:,} of {count_rows(len(wrong))}; the first is row {first + 1}: {found}.",
        expected=expected,
        fix="correct the stage that writes the predictions; MetricGate leaves out no row by itself.",
    )
