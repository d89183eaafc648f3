"""Predictions files as a table of named columns, read by DuckDB."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.file_kind import describe_kind
from metricgate.models.snapshot import FilePart
from metricgate.predictions.file_formats import FORMATS, FileScan, quote_name, scan_file
from metricgate.predictions.interruptible_query import run_interruptibly
from metricgate.predictions.wording import count_things, list_names

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GiB"
THREADS = 4
_CSV_REASONS = {
    "unterminated quote": "opens a quote that is never closed",
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
class PredictionTable:
    """The rows of an open file, or of parts of several.

    Attributes
    ----------
    files : where the rows come from
    path : the file as messages show it
    types : DuckDB's name of each column's type; in CSV every column is VARCHAR
    order : position in the file of each fetched row, shape (n,); None for the order of the file
    """

    connection: "duckdb.DuckDBPyConnection"
    files: Sequence[Path]
    path: str
    types: Mapping[str, str]
    order: NDArray[Any] | None = None

    def fetch(self, sql: str) -> NDArray[Any]:
        """Return an SQL expression over the columns as an array, shape (n,): rows in ``order``, nulls masked."""
        with translated_errors(self.files, self.path):
            query = f"SELECT {sql} AS value FROM rows"
            (values,) = run_interruptibly(
                lambda: self.connection.execute(query).fetchnumpy(), self.connection.interrupt
            ).values()
        found: NDArray[Any] = values if self.order is None else values[self.order]
        return found

    def find_in_file(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the positions in the file of fetched rows."""
        return rows if self.order is None else self.order[rows]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the result of a query over the table ``rows``; names in it must be quoted."""
        with translated_errors(self.files, self.path):
            return run_interruptibly(lambda: self.connection.execute(sql).fetchall(), self.connection.interrupt)

    def require(self, column: str, role: str) -> None:
        """Raise PredictionsError if the file does not have the column."""
        if column in self.types:
            return
        near = get_close_matches(column, self.types, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise PredictionsError(
            f"{self.path} has no column '{column}' ({role}).{hint}",
            expected=f"one of its columns: {list_names(tuple(self.types))}.",
            fix=f"correct `{role}` in metricgate.yaml (or the option), or make the pipeline write that column.",
            topic="the-column-does-not-exist",
        )

    def as_text(self, column: str) -> str:
        """Return SQL for a column's values as text; null stays null."""
        # A JSON value of changing type would keep its quotes in a cast.
        return f"({quote_name(column)} ->> '$')" if self.types[column] == "JSON" else f"{quote_name(column)}::VARCHAR"

    def as_number(self, column: str) -> str:
        """Return SQL for a column's values as DOUBLE; what is not a number becomes null, true and false 1 and 0."""
        name = self.as_text(column) if self.types[column] == "JSON" else quote_name(column)
        return f"try_cast({name} AS DOUBLE)"


@contextmanager
def open_table(rows: Path | Sequence[FilePart], shown: str) -> Iterator[PredictionTable]:
    """Open a CSV, Parquet or JSON Lines file, or the selected rows of several files, one file after the other.

    Columns of several files are matched by name; a row has nulls in the columns that its file lacks.

    Raises
    ------
    PredictionsError
        If a file does not exist or cannot be read, or no type can hold a column's values from all files.
    """
    files = [rows] if isinstance(rows, Path) else [part.file for part in rows]
    for file in files:
        require_file(file, shown)
    with open_connection() as connection:
        with translated_errors(files, shown):
            scans = [scan_file(file, shown) for file in files]
            whole = f"SELECT * FROM {scans[0].sql}"
            query = whole if isinstance(rows, Path) else _join_parts(connection, scans, rows)
            kind = "TEMP VIEW" if all(scan.by_column for scan in scans) else "TEMP TABLE"
            run_interruptibly(lambda: connection.execute(f"CREATE {kind} rows AS {query}"), connection.interrupt)
            described = connection.execute("DESCRIBE rows").fetchall()
        types = {str(name): str(sql_type) for name, sql_type, *_ in described}
        yield PredictionTable(connection, files, shown, types)


def _join_parts(connection: "duckdb.DuckDBPyConnection", scans: Sequence[FileScan], parts: Sequence[FilePart]) -> str:
    """Register the masks of all parts, and return the query for the selected rows."""
    selects = []
    for number, (scan, part) in enumerate(zip(scans, parts, strict=True)):
        connection.register(f"mask{number}", {"selected_here": part.selected})
        selects.append(
            f"SELECT file.* FROM {scan.sql} file POSITIONAL JOIN mask{number} WHERE mask{number}.selected_here"
        )
    return " UNION ALL BY NAME ".join(selects)


def require_joinable(parts: Sequence[FilePart], shown: str) -> None:
    """Raise PredictionsError if the parts cannot be read as one table, in any column."""
    with open_table(parts, shown) as table:
        table.ask("SELECT count(COLUMNS(*)) FROM rows")


@contextmanager
def open_connection() -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open a database in memory. It downloads and prints nothing, and spills to a temporary folder."""
    import duckdb  # noqa: PLC0415  heavy, and not needed for `metricgate --help`

    with (
        tempfile.TemporaryDirectory(prefix="metricgate-") as folder,
        duckdb.connect(config=_SETTINGS | {"temp_directory": folder}) as connection,
    ):
        connection.execute("SET enable_progress_bar = false")  # it goes to standard output, where `--json -` writes
        connection.execute("SET TimeZone = 'UTC'")  # not the machine's: a time without an offset is the same everywhere
        yield connection


def require_file(path: Path, shown: str) -> None:
    if kind := describe_kind(path):
        raise PredictionsError(
            f"{shown} is {kind}.",
            expected=FORMATS,
            fix="name a file inside it, or write one file per set."
            if path.is_dir()
            else "make the pipeline write a file there.",
            topic="the-file-does-not-exist",
        )
    if not path.is_file():
        raise PredictionsError(
            f"{shown} does not exist.",
            expected=FORMATS,
            fix="check the path, and that the pipeline writes the file.",
            topic="the-file-does-not-exist",
        )
    if path.stat().st_size == 0:
        raise PredictionsError(
            f"{shown} is empty.",
            expected=FORMATS,
            fix="check the stage that writes the file.",
            topic="the-file-is-empty",
        )


@contextmanager
def translated_errors(files: Sequence[Path], shown: str) -> Iterator[None]:
    """Raise DuckDB's errors as PredictionsError, with their line number and reason."""
    import duckdb  # noqa: PLC0415  as above

    try:
        yield
    except (duckdb.Error, UnicodeDecodeError) as error:
        text = str(error)
        for file in files:
            text = text.replace(str(file.absolute()), shown)
        reason, line = _explain_csv(text) or (_first_line(text), "")
        raise PredictionsError(
            f"{shown} cannot be read: {reason}.",
            expected=FORMATS,
            fix="correct the stage that writes the file.",
            details=line,
            topic="the-file-cannot-be-read",
        ) from error


def _explain_csv(text: str) -> tuple[str, str] | None:
    """Return what is wrong with which line, and that line, from DuckDB's message about a CSV file."""
    place = re.search(r"CSV Error on Line: (\d+)\n(?:Original Line: (.*)\n)?", text)
    if place is None:
        return None
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if counts:
        values, columns = count_things(int(counts[2]), "value"), count_things(int(counts[1]), "column")
        reason = f"has {values}, and the header names {columns}"
    else:
        reason = next(
            (meaning for words, meaning in _CSV_REASONS.items() if words in text), "is not a row of a CSV file"
        )
    return f"line {place[1]} {reason}", place[2] or ""


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^(\w+ )+Error: ", "", lines[0]).rstrip(".") if lines else "no reason was given"


def as_array(column: NDArray[Any]) -> NDArray[Any]:
    """Return a fetched column without its mask; it must hold no nulls."""
    return np.ma.getdata(column) if isinstance(column, np.ma.MaskedArray) else column
