"""Two tables of equal columns, the reference and the current rows, read column by column by DuckDB."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.models.samples import FloatArray
from metricgate.predictions.file_formats import quote_name, quote_text, scan_file
from metricgate.predictions.interruptible_query import run_interruptibly
from metricgate.predictions.prediction_table import as_array, open_connection, require_file, translated_errors

if TYPE_CHECKING:
    import duckdb

SideName = Literal["reference", "current"]
SIDES: tuple[SideName, SideName] = ("reference", "current")
SEED = 20_261_126
MEMORY_LIMIT = "400MiB"  # DuckDB's own: two sorted columns of ten million numbers take 160 MB beside it


@dataclass(frozen=True, kw_only=True)
class TableSide:
    """One of the two tables. ``typed``: the file says what is a number; otherwise every value is text."""

    file: Path
    shown: str
    types: Mapping[str, str]
    rows: int
    typed: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class TablePair:
    """Both open files, as the views ``reference`` and ``current``; names in SQL must be quoted."""

    connection: "duckdb.DuckDBPyConnection"
    sides: Mapping[SideName, TableSide]
    shows_values: bool = True

    def quote(self, value: str) -> str:
        """Return a value as an error may show it."""
        return f"'{value[:40]}'" if self.shows_values else "a value that `redact` hides"

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._translated():
            return run_interruptibly(lambda: self.connection.execute(sql).fetchall(), self.connection.interrupt)

    def fetch(self, sql: str) -> list[NDArray[Any]]:
        """Return the columns of a query without nulls."""
        with self._translated():
            found = run_interruptibly(lambda: self.connection.execute(sql).fetchnumpy(), self.connection.interrupt)
        return [as_array(values) for values in found.values()]

    def fetch_sorted(self, side: SideName, number: str) -> FloatArray:
        """Return an SQL expression's values on one side as float64, sorted, without nulls."""
        (values,) = self.fetch(f"SELECT value FROM (SELECT {number} AS value FROM {side}) WHERE value IS NOT NULL")
        sorted_values = np.ascontiguousarray(values, dtype=np.float64)
        sorted_values.sort()
        return sorted_values

    def count_units(self, group: str) -> tuple[float, float]:
        """Return how many independent units a row of each side counts as, where the rows of a group are like one row."""
        found = []
        for side in SIDES:
            ((rows, squares),) = self.ask(
                f"SELECT sum(n), sum(n::DOUBLE * n) FROM (SELECT count(*) AS n FROM {side} GROUP BY {quote_name(group)})"
            )
            found.append(float(rows) / float(squares))
        return found[0], found[1]

    def sample(self, side: SideName, expressions: Sequence[str], rows: int) -> list[NDArray[Any]]:
        """Return SQL expressions over at most ``rows`` rows drawn at random, the same ones each time; nulls are masked.

        They are read one by one: all columns of a wide table at once would not fit the memory.
        """
        total = self.sides[side].rows
        drawn = np.random.default_rng(SEED).choice(total, rows, replace=False) if total > rows else slice(None)
        return [self._fetch_masked(f"SELECT {expression} AS value FROM {side}")[drawn] for expression in expressions]

    def _fetch_masked(self, sql: str) -> NDArray[Any]:
        with self._translated():
            found = run_interruptibly(lambda: self.connection.execute(sql).fetchnumpy(), self.connection.interrupt)
        values: NDArray[Any] = found["value"]
        return values

    def find_row(self, side: SideName, condition: str, shown: str) -> tuple[int, str]:
        """Return the number of the first row, from 1, for which an SQL condition holds, and a value of it as text."""
        ((row, value),) = self.ask(
            f"SELECT number, ({shown})::VARCHAR FROM (SELECT *, row_number() OVER () AS number FROM {side}) "
            f"WHERE {condition} ORDER BY number LIMIT 1"
        )
        return int(row), str(value)

    def _translated(self) -> Any:
        files = [side.file for side in self.sides.values()]
        return translated_errors(files, " or ".join(side.shown for side in self.sides.values()))


@contextmanager
def open_pair(
    files: Mapping[SideName, tuple[Path, str]], *, rows: Mapping[SideName, str], shows_values: bool = True
) -> Iterator[TablePair]:
    """Open both files, each with the name that messages show. ``rows``: an SQL condition for the rows of a side.

    CSV and JSON Lines are copied to Parquet in a folder of their own first: a column of them cannot be read alone.

    Raises
    ------
    PredictionsError
        If a file does not exist, cannot be read or holds fewer than two rows.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="metricgate-")))
        connection = stack.enter_context(open_connection())
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        sides = {}
        for name, (file, shown) in files.items():
            require_file(file, shown)
            with translated_errors([file], shown):
                copy = folder / f"{name}.parquet"
                sides[name] = _open_side(connection, name, file, shown, copy=copy, condition=rows.get(name, ""))
            _require_rows(sides[name])
        yield TablePair(connection=connection, sides=sides, shows_values=shows_values)


def _open_side(
    connection: "duckdb.DuckDBPyConnection", name: SideName, file: Path, shown: str, *, copy: Path, condition: str
) -> TableSide:
    scan = scan_file(file, shown)
    source = scan.sql
    if not scan.by_column:
        target = quote_text(str(copy))
        run_interruptibly(
            lambda: connection.execute(f"COPY (SELECT * FROM {scan.sql}) TO {target} (FORMAT parquet)"),
            connection.interrupt,
        )
        source = f"read_parquet({target})"
    where = f" WHERE {condition}" if condition else ""
    connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {source}{where}")
    described = connection.execute(f"DESCRIBE {name}").fetchall()
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    types = {str(column): str(sql_type) for column, sql_type, *_ in described}
    return TableSide(file=file, shown=shown, types=types, rows=int(rows), typed="read_csv(" not in scan.sql)


def _require_rows(side: TableSide) -> None:
    if side.rows < 2:
        found = "no row" if side.rows == 0 else "one row"
        raise PredictionsError(
            f"{side.shown} holds {found}.",
            expected="the rows of a period, 200 at least to tell anything.",
            fix="check the query or the stage that writes the file.",
            topic="two-tables-that-cannot-be-compared",
        )


def as_text(side: TableSide, column: str) -> str:
    """Return SQL for a column's values as text without spaces around it; null stays null."""
    name = f"({quote_name(column)} ->> '$')" if side.types[column] == "JSON" else f"{quote_name(column)}::VARCHAR"
    return f"trim({name})"
