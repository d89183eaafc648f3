from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from metricgate.predictions import Predictions, read_predictions
from metricgate.settings.policy import PredictionsSpec

WriteTable = Callable[..., Path]
ReadTable = Callable[..., Predictions]


def write_parquet(path: Path, values: str, columns: str) -> None:
    """Write rows given as SQL values, with their types."""
    relation = duckdb.sql(f"SELECT * FROM (VALUES {values}) t({columns})")  # noqa: S608  constants of the tests
    assert relation is not None
    relation.write_parquet(str(path))


@pytest.fixture
def write_table(tmp_path: Path) -> WriteTable:
    """Write a mini-table (first line: column names, blanks between columns) as a CSV file; '-' is an empty cell."""

    def write(table: str, name: str = "predictions.csv") -> Path:
        rows = [line.split() for line in table.strip().splitlines()]
        path = tmp_path / name
        path.write_text("".join(",".join("" if c == "-" else c for c in row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read_table(write_table: WriteTable) -> ReadTable:
    """Read a mini-table with the given roles of its columns."""

    def read(
        table: str, name: str = "predictions.csv", *, needed: tuple[str, ...] = (), **roles: object
    ) -> Predictions:
        spec = PredictionsSpec.model_validate({"path": name, **roles})
        return read_predictions(write_table(table, name), spec, shown=name, needed_columns=needed)

    return read
