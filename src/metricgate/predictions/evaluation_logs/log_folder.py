"""Which files a path means: one log, those of a folder, or those that a pattern matches."""

from collections.abc import Iterable
from pathlib import Path

from metricgate.predictions.evaluation_logs.recognition import find_format

_SUFFIXES = {".eval", ".json", ".jsonl"}
_PATTERN_CHARACTERS = frozenset("*?[")


def list_logs(path: Path) -> list[Path]:
    """Return the logs that a path names, sorted; empty where it names none."""
    return [file for file in list_files(path) if find_format(file) is not None]


def list_files(path: Path) -> list[Path]:
    """Return the file, or those of a folder or a pattern that could be logs, sorted."""
    if path.is_file():
        return [path] if path.stat().st_size else []
    found: Iterable[Path]
    if path.is_dir():
        found = (file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    elif _PATTERN_CHARACTERS.intersection(str(path)):
        found = _match(path)
    else:
        return []
    return sorted(file for file in found if file.is_file() and file.stat().st_size)


def _match(path: Path) -> Iterable[Path]:
    fixed = next((parent for parent in path.parents if not _PATTERN_CHARACTERS.intersection(str(parent))), path.parent)
    return fixed.glob(str(path.relative_to(fixed)))
