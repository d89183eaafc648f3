"""Small tables of watched rows, as files."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Column = Callable[[np.random.Generator, int], Any]

COLUMNS: Mapping[str, Column] = {
    "tenure": lambda rng, rows: rng.exponential(30, rows).round(1),
    "charges": lambda rng, rows: rng.normal(60, 20, rows).round(2),
    "contract": lambda rng, rows: rng.choice(["Month", "Year", "Two year"], rows, p=[0.5, 0.3, 0.2]),
    "calls": lambda rng, rows: rng.poisson(1, rows),
}


def blank(rng: np.random.Generator, rows: int, share: float) -> list[float | None]:
    """Return normal values of which a share is missing."""
    return [
        None if gone else value for gone, value in zip(rng.random(rows) < share, rng.normal(60, 20, rows), strict=True)
    ]


def make_rows(rows: int, seed: int, **changed: Column) -> dict[str, list[Any]]:
    """Return a table by columns; ``changed`` replaces or adds columns."""
    rng = np.random.default_rng(seed)
    return {name: list(draw(rng, rows)) for name, draw in {**COLUMNS, **changed}.items()}


def write_csv(path: Path, table: Mapping[str, Sequence[Any]]) -> Path:
    lines = [",".join(table)]
    lines += [
        ",".join("" if value is None else str(value) for value in row) for row in zip(*table.values(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_json_lines(path: Path, table: Mapping[str, Sequence[Any]]) -> Path:
    rows = (dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True))
    path.write_text(
        "".join(json.dumps(row, default=lambda value: value.item()) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def write_parquet(path: Path, table: Mapping[str, Sequence[Any]]) -> Path:
    import duckdb  # noqa: PLC0415

    csv = write_csv(path.with_suffix(".csv"), table)
    duckdb.read_csv(str(csv)).write_parquet(str(path))
    csv.unlink()
    return path
