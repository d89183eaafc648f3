"""Reading the data of a DVC plot: CSV, TSV, JSON or YAML, as rows of named values."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MAX_BYTES = 50_000_000
SEPARATORS = {".csv": ",", ".tsv": "\t"}

Rows = Sequence[Mapping[Any, Any]]


class PlotError(Exception):
    """A plot that is not drawn; the message says why, to follow "is not drawn: "."""


def read_rows(path: Path, name: str) -> Rows:
    """Return the rows of one plot file; ``name`` is its path in the repository, whose ending says how to read it.

    Raises
    ------
    PlotError
        If the file is too long, is no table, or is of another kind.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PlotError(f"it is longer than {MAX_BYTES:,} bytes")
        return _parse(path.read_text(encoding="utf-8-sig"), Path(name).suffix.lower())
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise PlotError(f"it cannot be read ({type(error).__name__}: {str(error)[:200]})") from error


def _parse(text: str, suffix: str) -> Rows:
    if suffix in SEPARATORS:
        return list(csv.DictReader(text.splitlines(), delimiter=SEPARATORS[suffix]))
    if suffix == ".json":
        return _find_rows(json.loads(text))  # Infinity, as DVCLive writes it, is read
    if suffix in {".yaml", ".yml"}:
        from ruamel.yaml import YAML  # noqa: PLC0415  # only a plot in YAML needs it
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415

        try:
            return _find_rows(YAML(typ="safe", pure=True).load(text))
        except YAMLError as error:
            raise PlotError("it is not YAML") from error
    raise PlotError(f"it is a {suffix or 'nameless'} file, not CSV, TSV, JSON or YAML")


def _find_rows(value: Any) -> Rows:
    """Return the first list of mappings inside, as DVC does."""
    waiting = [value]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, list) and part and all(isinstance(row, Mapping) for row in part):
            return part
        if isinstance(part, Mapping):
            waiting += part.values()
    raise PlotError("it holds no list of rows")
