"""Where the candidate defines a test, for annotations: found by its name, since JUnit XML seldom says it."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from metricgate.models.result import Location
from metricgate.revisions.checkout import Checkout

MAX_BYTES = 1_000_000


class DefinedTests:
    """Finds the lines of tests in the checkout; each file is read once."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._texts: dict[str, str | None] = {}

    def locate(self, name: str, file: str, line: int | None) -> Location | None:
        """Return the line of a test, by its name and what its XML says; None where its file is not in the checkout."""
        for path in _list_paths(name, file, self._checkout.prefix):
            if (text := self._read(path)) is not None:
                return Location(path=self._checkout.prefix + path, line=_find_line(text, name) or line or 1)
        return None

    def _read(self, path: str) -> str | None:
        if path not in self._texts:
            self._texts[path] = self._read_file(path)
        return self._texts[path]

    def _read_file(self, path: str) -> str | None:
        file = self._checkout.directory / path
        try:
            is_own = file.is_file() and file.resolve().is_relative_to(self._checkout.top)
            if not is_own or file.stat().st_size > MAX_BYTES:
                return None
            return file.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            return None


def _list_paths(name: str, file: str, prefix: str) -> Iterator[str]:
    """Yield where the test may be, relative to the project: its XML's file, then the module that its class names."""
    if file:
        yield from _list_below(PurePosixPath(file), prefix)
    module = name.rpartition("::")[0] or name
    parts = [part for part in module.split(".") if part]
    for length in range(len(parts), 0, -1):
        yield from _list_below(PurePosixPath(*parts[:length]).with_suffix(".py"), prefix)


def _list_below(path: PurePosixPath, prefix: str) -> Iterator[str]:
    """Yield a path as it is, and without the project's own folder: pytest counts from its root, which may be above."""
    if path.is_absolute() or ".." in path.parts:
        return
    yield str(path)
    if prefix and str(path).startswith(prefix):
        yield str(path).removeprefix(prefix)


def _find_line(text: str, name: str) -> int | None:
    function = re.escape(name.rpartition("::")[2].partition("[")[0].partition("#")[0])
    found = re.search(rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{function}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None
