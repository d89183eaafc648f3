"""Keys of rows: what an id, or a group, is compared and sorted by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.predictions.formats import quote_name
from metricgate.predictions.numbers import unusable_values
from metricgate.predictions.source import Source, as_array, open_connection
from metricgate.predictions.wording import count_rows

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE_NUMBERS = {"UBIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE"}  # not each of their values is an int64
_WHOLE_NUMBER = r"^\+?(-?)0*(\d+?)(?:\.0*)?$"


@dataclass(frozen=True, eq=False, kw_only=True)
class RowKeys:
    """One key per row, shape (n,): int64 where every value is a whole number, else the first 64 bits of an MD5.

    Eight bytes a row keep ten million ids of any length within the memory target. Two of n different texts share a
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


def read_keys(source: Source, columns: Sequence[str], *, role: str, by_number: bool = False) -> RowKeys:
    """Return the keys of one column, or of several together; refuse a row without a value.

    ``by_number``: 042, +42 and 42.0 are all the key of 42, as for whoever read the text as a number on the way.
    """
    for column in columns:
        source.require(column, role)
        _require_values(source, column, role)
    if len(columns) == 1 and _is_integer(source, columns[0]):
        return RowKeys(kind="integer", values=as_array(source.fetch(f"{quote_name(columns[0])}::BIGINT")))
    texts = [_text_of(source, column) for column in columns]
    if by_number:
        texts = [f"regexp_replace(trim({text}), '{_WHOLE_NUMBER}', '\\1\\2')" for text in texts]
    return RowKeys(kind="text", values=as_array(source.fetch(_hash_texts(texts))))


def _require_values(source: Source, column: str, role: str) -> None:
    absent = f"{source.as_text(column)} IS NULL"
    ((count,),) = source.ask(f"SELECT count(*) FROM rows WHERE {absent}")
    if count:
        raise unusable_values(source, column, as_array(source.fetch(absent)), role, expected="a value in every row.")


def _is_integer(source: Source, column: str) -> bool:
    """Say whether every value is a whole number, and text is written as the number would be: 007 is not 7."""
    kind, name = source.types[column], quote_name(column)
    if kind in _INTEGERS:
        return True
    if kind not in {*_WIDE_NUMBERS, "VARCHAR"}:
        return False
    cast = f"try_cast({name} AS BIGINT)"
    number = cast if kind in _WIDE_NUMBERS else f"{cast}::VARCHAR"
    ((other,),) = source.ask(f"SELECT count(*) FROM rows WHERE {number} IS DISTINCT FROM {name}")
    return bool(other == 0)


def _text_of(source: Source, column: str) -> str:
    text = source.as_text(column)
    if source.types[column] not in {"DOUBLE", "FLOAT"}:
        return text
    # A whole number reads the same from a column of integers and from one that was widened to hold fractions.
    name = quote_name(column)
    return f"coalesce(CASE WHEN {name} = floor({name}) THEN try_cast({name} AS BIGINT)::VARCHAR END, {text})"


def _hash_texts(texts: Sequence[str]) -> str:
    # The length before each part keeps ("a", "bc") apart from ("ab", "c").
    whole = texts[0] if len(texts) == 1 else " || ".join(f"length({text}) || ':' || {text}" for text in texts)
    return f"md5_number_upper({whole})::UBIGINT"


def sort_rows(source: Source, columns: Sequence[str], ids: RowKeys) -> NDArray[Any] | None:
    """Return the rows in the order of their ids, None where the file is in it; refuse ids that occur twice."""
    keys = ids.values
    order = None if bool((keys[1:] >= keys[:-1]).all()) else np.argsort(keys)
    in_order = keys if order is None else keys[order]
    repeated = np.flatnonzero(in_order[1:] == in_order[:-1])
    if len(repeated):
        pair = repeated[0] + np.arange(2)
        rows = np.sort(pair if order is None else order[pair])
        raise _repeated_ids(source, columns, len(repeated), rows)
    return order


def _repeated_ids(source: Source, columns: Sequence[str], count: int, pair: NDArray[Any]) -> PredictionsError:
    shown = ", ".join(f"{source.as_text(column)}" for column in columns)
    (values,) = source.ask(f"SELECT {shown} FROM rows LIMIT 1 OFFSET {int(pair[0])}")
    example = ", ".join(f"{column} = {str(value)[:40]}" for column, value in zip(columns, values, strict=True))
    return PredictionsError(
        f"{source.path}: {count_rows(count, 'repeats')} the id of an earlier row, for example {example} in rows {pair[0] + 1} and {pair[1] + 1}.",
        expected="every id once, so that baseline and candidate join row by row.",
        fix="name the columns that together are unique (`id: [prompt, sample]`), or write each test example once.",
    )
