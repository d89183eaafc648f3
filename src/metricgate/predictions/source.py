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

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GiB"
THREADS = 4
FORMATS = "a CSV (.csv, .tsv), Parquet (.parquet) or JSON Lines (.jsonl) file with one row per test example."
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": MEMORY_LIMIT,
    "threads": str(THREADS),
}


@dataclass(frozen=True, eq=False)
class Source:
    """An open file. ``types`` maps each column to DuckDB's name of its type; in CSV every column is VARCHAR."""

    connection: "duckdb.DuckDBPyConnection"
    path: str
    types: Mapping[str, str]

    def fetch(self, expressions: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        """Return one array per SQL expression over the columns, rows in the order of the file; null is masked."""
        if not expressions:
            return {}
        selected = ", ".join(f"{sql} AS {quote(name)}" for name, sql in expressions.items())
        with translated_errors(self.path):
            return dict(self.connection.execute(f"SELECT {selected} FROM rows").fetchnumpy())

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query over the table ``rows``; names in it must be quoted."""
        with translated_errors(self.path):
            return self.connection.execute(sql).fetchall()

    def require(self, column: str, role: str) -> str:
        """Return ``column`` quoted for SQL; refuse one that the file does not have."""
        if column not in self.types:
            raise missing_column(column, role, self.path, tuple(self.types))
        return quote(column)


def quote(name: str) -> str:
    """Return a column name as SQL, whatever characters it holds."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def missing_column(column: str, role: str, path: str, present: tuple[str, ...]) -> PredictionsError:
    near = get_close_matches(column, present, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return PredictionsError(
        f"{path} has no column '{column}' ({role}).{hint}",
        expected=f"one of its columns: {list_names(present)}.",
        fix=f"correct `{role}` in metricgate.yaml (or the option), or make the pipeline write that column.",
    )


def list_names(names: tuple[str, ...], limit: int = 30) -> str:
    """Return names for a sentence, shortened where there are very many."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


@contextmanager
def open_source(path: Path, shown: str) -> Iterator[Source]:
    """Open a CSV, Parquet or JSON Lines file; large intermediate results go to a temporary folder."""
    import duckdb  # noqa: PLC0415  heavy, and not needed for `metricgate --help`

    _require_file(path, shown)
    with tempfile.TemporaryDirectory(prefix="metricgate-") as folder:
        connection = duckdb.connect(config=_SETTINGS | {"temp_directory": folder})
        try:
            with translated_errors(shown):
                _create_rows(connection, path)
                described = connection.execute("DESCRIBE rows").fetchall()
            types = {str(name): str(kind) for name, kind, *_ in described}
            yield Source(connection, shown, types)
        finally:
            connection.close()


def _require_file(path: Path, shown: str) -> None:
    if path.is_dir():
        raise PredictionsError(
            f"{shown} is a folder.", expected=FORMATS, fix="name the file inside it, or write one file per set."
        )
    if not path.is_file():
        raise PredictionsError(
            f"{shown} does not exist.",
            expected=FORMATS,
            fix="check the path (`predictions: path:` in metricgate.yaml), and that the pipeline writes the file.",
        )
    if path.stat().st_size == 0:
        raise PredictionsError(f"{shown} is empty.", expected=FORMATS, fix="check the stage that writes it.")


def _create_rows(connection: "duckdb.DuckDBPyConnection", path: Path) -> None:
    """Name the file ``rows``: Parquet is read column by column on demand, text is parsed once."""
    reader, kind = _find_reader(path)
    keep = "VIEW" if reader == "read_parquet" else "TEMP TABLE"
    # A view cannot hold a bound parameter, and DuckDB would expand *, ? and [ in a path.
    literal = re.sub(r"([*?\[])", r"[\1]", str(path.absolute())).replace("'", "''")
    connection.execute(f"CREATE {keep} rows AS SELECT * FROM {reader}('{literal}'{kind})")


def _find_reader(path: Path) -> tuple[str, str]:
    """Return DuckDB's function and its options, by the file's first bytes: a suffix can lie."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PAR1"):
        return "read_parquet", ""
    names = {suffix.lower() for suffix in path.suffixes}
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or names & {".jsonl", ".ndjson", ".json"}:
        shape = "'auto'" if ".json" in names else "'newline_delimited'"
        return "read_json", f", format={shape}, records=true, sample_size=-1, convert_strings_to_integers=false"
    # Every value stays text: guessed types would turn the id 007 into 7 and depend on the rows that were sampled.
    return "read_csv", ", all_varchar=true, header=true"


@contextmanager
def translated_errors(path: str) -> Iterator[None]:
    """Turn DuckDB's errors into one of ours, keeping its line number and reason."""
    import duckdb  # noqa: PLC0415  as above

    try:
        yield
    except (duckdb.Error, UnicodeDecodeError) as error:
        text = str(error)
        first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
        raise PredictionsError(
            f"{path} cannot be read: {first}",
            expected=FORMATS,
            fix="open the file at that place, and correct the stage that writes it.",
            details=text,
        ) from error


def as_array(column: NDArray[Any]) -> NDArray[Any]:
    """Return a fetched column that is known to hold no null without its mask."""
    return np.ma.getdata(column) if isinstance(column, np.ma.MaskedArray) else column
