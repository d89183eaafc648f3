"""Files of ours in a folder that the pipeline can write too: no link that it leaves there is ever followed."""

from pathlib import Path
from typing import TextIO

from metricgate.errors import ConfigurationError


def make_folder(path: Path) -> None:
    """Create a folder; a link in its place is removed.

    Raises
    ------
    ConfigurationError
        If a file is in its place, or nobody may write there.
    """
    try:
        if path.is_symlink():
            path.unlink()
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {path} cannot be made: {error.strerror}.",
            expected="a folder that MetricGate can write its report to.",
            fix="Remove what is in its place, or name another folder as output.",
        ) from error


def replace_file(path: Path, data: bytes) -> None:
    """Write a new file in the place of whatever is there."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(data)


def open_new(path: Path) -> TextIO:
    """Open a new text file in the place of whatever is there; its folder is made."""
    make_folder(path.parent)
    path.unlink(missing_ok=True)
    return path.open("x", encoding="utf-8", errors="replace")
