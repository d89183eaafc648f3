"""The formats of predictions files, and the SQL that reads each format without guessing."""

import csv
import gzip
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import PredictionsError

FORMATS = "a CSV (.csv, .tsv), Parquet (.parquet) or JSON Lines (.jsonl) file with one row per test example."
_DELIMITERS = ",;\t|"
_HEADER_BYTES = 1_000_000
_JSON_SUFFIXES = {".jsonl", ".ndjson", ".json"}


@dataclass(frozen=True)
class FileScan:
    """The SQL table function that reads a file. ``by_column``: it can read single columns, so nothing needs copying."""

    sql: str
    by_column: bool = False


def scan_file(path: Path, shown: str) -> FileScan:
    """Return how to read a file. Its first bytes decide the format; the suffix counts only for JSON.

    Raises
    ------
    PredictionsError
        If the file is a Git LFS pointer, or text whose first line cannot be a header.
    """
    # The path is a literal because a view takes no parameters; DuckDB would expand *, ? and [ in it.
    literal = quote_text(re.sub(r"([*?\[])", r"[\1]", str(path.absolute())))
    start = _read_start(path)
    if start.startswith(b"PAR1"):
        return FileScan(f"read_parquet({literal})", by_column=True)
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise PredictionsError(
            f"{shown} is a Git LFS pointer, not the file itself.",
            expected=FORMATS,
            fix="run `git lfs pull`, or check out with `lfs: true`.",
            topic="a-git-lfs-pointer",
        )
    is_json = {suffix.lower() for suffix in path.suffixes} & _JSON_SUFFIXES
    if is_json or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        options = "format='auto', records=true, sample_size=-1, convert_strings_to_integers=false"
        return FileScan(f"read_json({literal}, {options})")
    return FileScan(f"read_csv({literal}, {_csv_options(start, shown)})")


def quote_name(name: str) -> str:
    """Return a column name as an SQL identifier; it may hold any characters."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def quote_text(text: str) -> str:
    """Return text as an SQL literal; it may hold any characters."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    if not start.startswith(b"\x1f\x8b"):
        return start
    try:
        with gzip.open(path) as file:
            return file.read(_HEADER_BYTES)
    except (OSError, EOFError):
        return start


def _csv_options(start: bytes, shown: str) -> str:
    """Return DuckDB's options for this header.

    DuckDB's detection is off: it skips lines and merges columns to make sense of a broken file, and reads the id 007
    as the number 7. Here every value is text, every line counts, and a line with too many or too few values is an
    error that names the line.
    """
    delimiter, names = _read_header(start, shown)
    columns = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in names)
    return (
        f"auto_detect=false, header=true, delim={quote_text(delimiter)}, quote='\"', escape='\"', comment='', "
        f"nullstr='', strict_mode=true, columns={{{columns}}}"
    )


def _read_header(start: bytes, shown: str) -> tuple[str, tuple[str, ...]]:
    try:
        text = re.split(rb"[\r\n]", start, maxsplit=1)[0].decode("utf-8-sig")
        outside = re.sub(r'"[^"]*"', "", text)
        delimiter = max(_DELIMITERS, key=outside.count)
        header = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise PredictionsError(
            f"{shown} has no readable header: {error}.",
            expected="the names of the columns in the first line, separated by commas, semicolons, tabs or |.",
            fix="correct the first line.",
            topic="the-file-cannot-be-read",
        ) from error
    except UnicodeDecodeError as error:
        raise PredictionsError(
            f"{shown} is not text in UTF-8 (byte {error.start + 1} of its first line).",
            expected=FORMATS,
            fix="write one of these formats; pickle and NumPy files are not supported.",
            topic="the-file-cannot-be-read",
        ) from error
    names = tuple(name.strip() or f"column{index}" for index, name in enumerate(header))
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if twice:
        raise PredictionsError(
            f"{shown} has more than one column '{twice[0]}' (upper and lower case count as the same).",
            expected="a different name for each column.",
            fix="rename one of them in the stage that writes the file.",
            topic="the-file-cannot-be-read",
        )
    if not text.strip():
        raise PredictionsError(
            f"{shown} starts with an empty line.",
            expected="the names of the columns in the first line.",
            fix="write a header line.",
            topic="the-file-cannot-be-read",
        )
    return delimiter, names
