"""Files of ours in a folder that the pipeline can write too: no link that it leaves there is ever followed."""

import os
from pathlib import Path, PurePath
from typing import TextIO

from metricgate.errors import ConfigurationError
from metricgate.processes.owner import Owner


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
        raise _explain_unmade(path, error) from error


def make_ignored_folder(top: Path, inside: str, owner: Owner | None) -> Path:
    """Create the folder ``inside`` of ``top`` for ``owner``; Git ignores the outermost of its parts.

    Raises
    ------
    ConfigurationError
        As ``make_folder``.
    """
    parts = PurePath(inside).parts
    folder, ignored = top, top / parts[0] / ".gitignore"
    made = []
    for part in parts:
        folder /= part
        make_folder(folder)
        made.append(folder)
    try:
        replace_file(ignored, b"*\n")
        if owner is not None:
            for path in (*made, ignored):
                os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    except OSError as error:
        raise _explain_unmade(folder, error) from error
    return folder


def _explain_unmade(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The folder {path} cannot be made: {error.strerror}.",
        expected="a folder that MetricGate can write to.",
        fix="Remove what is in its place; for a report, name another folder as output.",
    )


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
