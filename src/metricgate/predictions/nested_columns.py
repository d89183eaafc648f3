"""Columns inside columns of JSON: ``metadata.topic`` names the field ``topic`` of the column ``metadata``."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from metricgate.predictions.file_formats import quote_name, quote_text

if TYPE_CHECKING:
    import duckdb


def name_nested(connection: "duckdb.DuckDBPyConnection", types: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """Return SQL that adds to the table ``rows`` each wanted column whose dotted name leads into another column.

    A name that leads nowhere is left out: whoever asks for it says which columns exist.
    """
    added = []
    for name in dict.fromkeys(wanted):
        outer = None if name in types else _find_outer(name, types)
        field = None if outer is None else _step_into(connection, outer, name[len(outer) + 1 :], types[outer])
        if field is not None:
            added.append(f"{field} AS {quote_name(name)}")
    return added


def _find_outer(name: str, types: Collection[str]) -> str | None:
    """Return the longest column whose name, with a dot, starts this name."""
    return max((column for column in types if name.startswith(f"{column}.")), key=len, default=None)


def _step_into(connection: "duckdb.DuckDBPyConnection", column: str, path: str, sql_type: str) -> str | None:
    """Return SQL for a field of structs, maps or JSON values; None where no such field exists."""
    sql = quote_name(column)
    steps = path.split(".")
    for index, step in enumerate(steps):
        if sql_type == "JSON":
            pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in steps[index:])
            return f"({sql} ->> {quote_text(pointer)})"
        if not sql_type.startswith(("STRUCT", "MAP")):
            return None
        sql = f"{sql}[{quote_text(step)}]"
        described = _describe(connection, sql)
        if described is None:
            return None
        sql_type = described
    return sql


def _describe(connection: "duckdb.DuckDBPyConnection", sql: str) -> str | None:
    """Return the type of an expression over the table; None where it names no field."""
    import duckdb  # noqa: PLC0415  heavy, and loaded by now

    try:
        ((_, found, *_),) = connection.execute(f"DESCRIBE SELECT {sql} FROM rows").fetchall()
    except duckdb.Error:
        return None
    return str(found)
