"""The bytes and the JSON of log files; whatever is wrong with a file is said in one sentence."""

import json
import zipfile as plain_zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from metricgate.errors import PredictionsError

ZIP_START = b"PK\x03\x04"
MOST_BYTES = 1_000_000_000
"""Of a log, unpacked: more does not fit the memory of a small runner."""
_EXPECTED = "a complete log of Inspect (.eval, .json), lm-evaluation-harness, promptfoo or DeepEval."


def unusable_log(shown: str, what: str, *, expected: str = _EXPECTED, fix: str, details: str = "") -> PredictionsError:
    """Return the error for a log that cannot be used: no comparison is made from part of one."""
    return PredictionsError(
        f"{shown}: {what}.", expected=expected, fix=fix, details=details, topic="a-log-that-cannot-be-read"
    )


def read_json(path: Path, shown: str) -> Any:
    """Return a file's only value."""
    return parse_json(_read_bytes(path, shown), shown)


def read_json_lines(path: Path, shown: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line, from 1, and its mapping; empty lines are left out."""
    for number, line in enumerate(_read_bytes(path, shown).splitlines(), start=1):
        if line.strip():
            value = parse_json(line, shown, where=f"line {number}")
            if not isinstance(value, dict):
                raise unusable_log(shown, f"line {number} is not a mapping", fix="Run the evaluation again.")
            yield number, value


def parse_json(content: bytes, shown: str, *, where: str = "") -> Any:
    """Return the value of JSON text, or raise the reason why it has none."""
    place = f"{where} " if where else ""
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        what = f"{place}is not text in UTF-8 (byte {error.start + 1})".lstrip()
        raise unusable_log(shown, what, fix="Write the log as the tool writes it, in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        what = f"{place}is not valid JSON: {error}".lstrip()
        fix = "Run the evaluation again, to its end: a log that was cut off is not judged."
        raise unusable_log(shown, what, fix=fix) from error


def _read_bytes(path: Path, shown: str) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise _too_large(shown, path.stat().st_size)
    return path.read_bytes()


def _too_large(shown: str, size: int) -> PredictionsError:
    return unusable_log(
        shown,
        f"holds {size / 1e9:.1f} GB",
        expected=f"at most {MOST_BYTES / 1e9:g} GB.",
        fix="Write the log without images and events (`--no-log-images`, `--no-log-realtime`), or as `.eval`.",
    )


class LogArchive:
    """A zip of JSON files, of which only those that are asked for are unpacked."""

    def __init__(self, archive: plain_zipfile.ZipFile, shown: str) -> None:
        self._archive, self._shown = archive, shown
        self.sizes = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}

    def read(self, name: str) -> bytes:
        """Return the bytes of one file."""
        if self.sizes[name] > MOST_BYTES:
            raise _too_large(self._shown, self.sizes[name])
        with _translated(self._shown):
            return self._archive.read(name)

    def read_json(self, name: str) -> Any:
        """Return the value of one file."""
        return parse_json(self.read(name), self._shown, where=name)


@contextmanager
def open_archive(file: Path | IO[bytes], shown: str) -> Iterator[LogArchive]:
    """Open a zip whose files may be compressed with Zstandard, as Inspect's are."""
    with _translated(shown):
        archive = _zip_module().ZipFile(file)
    with archive:
        yield LogArchive(archive, shown)


def _zip_module() -> ModuleType:
    """Return the zipfile module that knows Zstandard: Python's own from 3.14 on."""
    if hasattr(plain_zipfile, "ZIP_ZSTANDARD"):
        return plain_zipfile
    from backports.zstd import zipfile  # noqa: PLC0415  only logs of Inspect need it

    return zipfile


@contextmanager
def _translated(shown: str) -> Iterator[None]:
    """Raise what a damaged archive raises as one error; which exceptions these are depends on what is damaged."""
    try:
        yield
    except (plain_zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, RuntimeError) as error:
        raise _damaged(shown, error) from error
    except Exception as error:
        if type(error).__name__ not in {"ZstdError", "error", "BadZipFile"}:  # of zlib and of both Zstandard modules
            raise
        raise _damaged(shown, error) from error


def _damaged(shown: str, error: Exception) -> PredictionsError:
    return unusable_log(
        shown,
        f"is not a complete zip archive ({error})",
        fix="Run the evaluation again, or copy its log again: this one was cut off or is still being written.",
    )
