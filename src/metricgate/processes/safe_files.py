"""Files that MetricGate writes where the pipeline can write as well: a link that it left there is never followed."""

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
        If a file is in its place, or the folder around it is not writable.
    """
    try:
        if path.is_symlink():
            path.unlink()
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _explain_failure(path, error) from error


def make_ignored_folder(top: Path, inside: str, owner: Owner | None) -> Path:
    """Create the folder ``inside`` of ``top`` for ``owner``; Git ignores the outermost of its parts.

    Raises
    ------
    ConfigurationError
        As for ``make_folder``.
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
        raise _explain_failure(folder, error) from error
    return folder


def _explain_failure(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The folder {path} cannot be created: {error.strerror}.",
        expected="a folder that MetricGate can write to.",
        fix="remove what is in its place; for a report, choose another output folder.",
        topic="the-folder-cannot-be-used",
    )


def replace_file(path: Path, data: bytes) -> None:
    """Write a new file in place of whatever is there."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(data)


def open_new(path: Path) -> TextIO:
    """Open a new text file in place of whatever is there, and create its folder."""
    make_folder(path.parent)
    path.unlink(missing_ok=True)
    return path.open("x", encoding="utf-8", errors="replace")
