"""A predictions file as a table of named columns: the only place that speaks to DuckDB."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.predictions.formats import FORMATS, quote_name, table_sql
from metricgate.predictions.wording import count_things, list_names

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GiB"
THREADS = 4
_CSV_REASONS = {
    "unterminated quote": "opens a quote that nothing closes",
    "Invalid unicode": "is not text in UTF-8",
    "Maximum line size": "is too long",
}
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": MEMORY_LIMIT,
    "threads": str(THREADS),
}


@dataclass(frozen=True, eq=False)
class Source:
    """An open file.

    ``types`` maps each column to DuckDB's name of its type; in CSV every column is VARCHAR. ``order`` holds the
    position in the file of each fetched row; None for the order of the file.
    """

    connection: "duckdb.DuckDBPyConnection"
    file: Path
    path: str  # as shown to people
    types: Mapping[str, str]
    order: NDArray[Any] | None = None

    def fetch(self, sql: str) -> NDArray[Any]:
        """Return an SQL expression over the columns as an array, rows in ``order``; null is masked."""
        with translated_errors(self.file, self.path):
            (values,) = self.connection.execute(f"SELECT {sql} AS value FROM rows").fetchnumpy().values()
        found: NDArray[Any] = values if self.order is None else values[self.order]
        return found

    def find_in_file(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the positions in the file of fetched rows."""
        return rows if self.order is None else self.order[rows]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query over the table ``rows``; names in it must be quoted."""
        with translated_errors(self.file, self.path):
            return self.connection.execute(sql).fetchall()

    def require(self, column: str, role: str) -> None:
        """Refuse a column that the file does not have."""
        if column not in self.types:
            raise missing_column(column, role, self.path, tuple(self.types))

    def as_text(self, column: str) -> str:
        """Return SQL for a column's values as text; null stays null."""
        # A JSON value of changing type would keep its quotes in a cast.
        return f"({quote_name(column)} ->> '$')" if self.types[column] == "JSON" else f"{quote_name(column)}::VARCHAR"

    def as_number(self, column: str) -> str:
        """Return SQL for a column's values as DOUBLE, null for what is no number; true and false are 1 and 0."""
        name = self.as_text(column) if self.types[column] == "JSON" else quote_name(column)
        return f"try_cast({name} AS DOUBLE)"


def missing_column(column: str, role: str, path: str, present: tuple[str, ...]) -> PredictionsError:
    near = get_close_matches(column, present, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return PredictionsError(
        f"{path} has no column '{column}' ({role}).{hint}",
        expected=f"one of its columns: {list_names(present)}.",
        fix=f"correct `{role}` in metricgate.yaml (or the option), or make the pipeline write that column.",
    )


@contextmanager
def open_source(path: Path, shown: str) -> Iterator[Source]:
    """Open a CSV, Parquet or JSON Lines file."""
    _require_file(path, shown)
    with open_connection() as connection:
        with translated_errors(path, shown):
            connection.execute(table_sql(path, shown))
            described = connection.execute("DESCRIBE rows").fetchall()
        types = {str(name): str(kind) for name, kind, *_ in described}
        yield Source(connection, path, shown, types)


@contextmanager
def open_connection() -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open a database in memory that downloads nothing, prints nothing, and keeps what is large in a temporary folder."""
    import duckdb  # noqa: PLC0415  heavy, and not needed for `metricgate --help`

    with (
        tempfile.TemporaryDirectory(prefix="metricgate-") as folder,
        duckdb.connect(config=_SETTINGS | {"temp_directory": folder}) as connection,
    ):
        connection.execute("SET enable_progress_bar = false")  # it goes to standard output, where `--json -` writes
        yield connection


def _require_file(path: Path, shown: str) -> None:
    if path.is_dir():
        raise PredictionsError(
            f"{shown} is a folder.", expected=FORMATS, fix="name the file inside it, or write one file per set."
        )
    if not path.is_file():
        raise PredictionsError(
            f"{shown} does not exist.",
            expected=FORMATS,
            fix="check the path, and that the pipeline writes the file.",
        )
    if path.stat().st_size == 0:
        raise PredictionsError(f"{shown} is empty.", expected=FORMATS, fix="check the stage that writes it.")


@contextmanager
def translated_errors(path: Path, shown: str) -> Iterator[None]:
    """Turn DuckDB's errors into one of ours, keeping its line number and reason."""
    import duckdb  # noqa: PLC0415  as above

    try:
        yield
    except (duckdb.Error, UnicodeDecodeError) as error:
        text = str(error).replace(str(path.absolute()), shown)
        reason, line = _explain_csv(text) or (_first_line(text), "")
        raise PredictionsError(
            f"{shown} cannot be read: {reason}.",
            expected=FORMATS,
            fix="look at that place, and correct the stage that writes the file.",
            details=line,
        ) from error


def _explain_csv(text: str) -> tuple[str, str] | None:
    """Return what is wrong with which line, and that line, from DuckDB's message on a CSV file."""
    place = re.search(r"CSV Error on Line: (\d+)\n(?:Original Line: (.*)\n)?", text)
    if place is None:
        return None
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if counts:
        reason = f"has {count_things(int(counts[2]), 'value')}, and the header names {count_things(int(counts[1]), 'column')}"
    else:
        reason = next((meaning for words, meaning in _CSV_REASONS.items() if words in text), "is no row of a CSV file")
    return f"line {place[1]} {reason}", place[2] or ""


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^(\w+ )+Error: ", "", lines[0]).rstrip(".") if lines else "no reason was given"


def as_array(column: NDArray[Any]) -> NDArray[Any]:
    """Return a fetched column that is known to hold no null without its mask."""
    return np.ma.getdata(column) if isinstance(column, np.ma.MaskedArray) else column
