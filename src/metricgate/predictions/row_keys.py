"""Keys of rows: ids and groups as 64-bit numbers to compare and sort by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.predictions.column_values import unusable_values
from metricgate.predictions.file_formats import quote_name
from metricgate.predictions.prediction_table import PredictionTable, as_array, open_connection
from metricgate.predictions.wording import count_rows

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE_NUMBERS = {"UBIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE"}  # not every value is an int64
_WHOLE_NUMBER = r"^\+?(-?)0*(\d+?)(?:\.0*)?$"


@dataclass(frozen=True, eq=False, kw_only=True)
class RowKeys:
    """One key per row, shape (n,): int64 if every value is a whole number, else the first 64 bits of an MD5.

    Eight bytes per row keep ten million ids of any length within the memory target. Two of n different texts share a
    key with probability n²/2⁶⁵: 3e-6 for ten million.
    """

    kind: Literal["integer", "text"]
    values: NDArray[Any]

    def take(self, rows: NDArray[Any]) -> "RowKeys":
        return replace(self, values=self.values[rows])

    def equals(self, other: "RowKeys") -> bool:
        return bool(np.array_equal(self.values, other.values))

    def as_text(self) -> "RowKeys":
        """Return the keys as if the file had held them as text."""
        if self.kind == "text":
            return self
        keys = self.values  # noqa: F841  DuckDB reads the array by this name
        with open_connection() as connection:
            hashed = connection.execute(f"SELECT {_hash_texts(['column0::VARCHAR'])} AS key FROM keys").fetchnumpy()
        return RowKeys(kind="text", values=as_array(hashed["key"]))


def read_keys(table: PredictionTable, columns: Sequence[str], *, role: str, by_number: bool = False) -> RowKeys:
    """Return the keys of one column, or of several columns together.

    ``by_number`` gives 042, +42 and 42.0 the key of 42, for files that passed through a program that reads numbers.

    Raises
    ------
    PredictionsError
        If a column does not exist, or a row has no value in it.
    """
    for column in columns:
        table.require(column, role)
        _require_values(table, column, role)
    if len(columns) == 1 and _is_integer(table, columns[0]):
        return RowKeys(kind="integer", values=as_array(table.fetch(f"{quote_name(columns[0])}::BIGINT")))
    texts = [_text_of(table, column) for column in columns]
    if by_number:
        texts = [f"regexp_replace(trim({text}), '{_WHOLE_NUMBER}', '\\1\\2')" for text in texts]
    return RowKeys(kind="text", values=as_array(table.fetch(_hash_texts(texts))))


def _require_values(table: PredictionTable, column: str, role: str) -> None:
    absent = f"{table.as_text(column)} IS NULL"
    ((count,),) = table.ask(f"SELECT count(*) FROM rows WHERE {absent}")
    if count:
        raise unusable_values(table, column, as_array(table.fetch(absent)), role, expected="a value in every row.")


def _is_integer(table: PredictionTable, column: str) -> bool:
    """Return whether every value is a whole number, and text is spelled like the number: 007 is not 7."""
    kind, name = table.types[column], quote_name(column)
    if kind in _INTEGERS:
        return True
    if kind not in {*_WIDE_NUMBERS, "VARCHAR"}:
        return False
    cast = f"try_cast({name} AS BIGINT)"
    number = cast if kind in _WIDE_NUMBERS else f"{cast}::VARCHAR"
    ((other,),) = table.ask(f"SELECT count(*) FROM rows WHERE {number} IS DISTINCT FROM {name}")
    return bool(other == 0)


def _text_of(table: PredictionTable, column: str) -> str:
    text = table.as_text(column)
    if table.types[column] not in {"DOUBLE", "FLOAT"}:
        return text
    # A whole number has the same text in a column of integers as in one that also holds fractions.
    name = quote_name(column)
    return f"coalesce(CASE WHEN {name} = floor({name}) THEN try_cast({name} AS BIGINT)::VARCHAR END, {text})"


def _hash_texts(texts: Sequence[str]) -> str:
    # The length before each part makes ("a", "bc") different from ("ab", "c").
    whole = texts[0] if len(texts) == 1 else " || ".join(f"length({text}) || ':' || {text}" for text in texts)
    return f"md5_number_upper({whole})::UBIGINT"


def sort_rows(table: PredictionTable, columns: Sequence[str], ids: RowKeys) -> NDArray[Any] | None:
    """Return the rows in the order of their ids, shape (n,); None if the file is in that order already.

    Raises
    ------
    PredictionsError
        If an id occurs twice.
    """
    keys = ids.values
    order = None if bool((keys[1:] >= keys[:-1]).all()) else np.argsort(keys)
    in_order = keys if order is None else keys[order]
    repeated = np.flatnonzero(in_order[1:] == in_order[:-1])
    if len(repeated):
        pair = repeated[0] + np.arange(2)
        rows = np.sort(pair if order is None else order[pair])
        raise _repeated_ids(table, columns, len(repeated), rows)
    return order


def _repeated_ids(table: PredictionTable, columns: Sequence[str], count: int, pair: NDArray[Any]) -> PredictionsError:
    shown = ", ".join(f"{table.as_text(column)}" for column in columns)
    (values,) = table.ask(f"SELECT {shown} FROM rows LIMIT 1 OFFSET {int(pair[0])}")
    example = ", ".join(f"{column} = {str(value)[:40]}" for column, value in zip(columns, values, strict=True))
    return PredictionsError(
        f"{table.path}: {count_rows(count, 'repeats')} the id of an earlier row, "
        f"for example {example} in rows {pair[0] + 1} and {pair[1] + 1}.",
        expected="every id once, so that baseline and candidate can be joined row by row.",
        fix="name columns that are unique together (`id: [prompt, sample]`), or write each test example once.",
        topic="the-same-id-twice",
    )
