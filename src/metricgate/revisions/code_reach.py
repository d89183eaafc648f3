"""Which files a program may read: those that it names, and those that it imports, found without running anything."""

import posixpath
import re
from collections import deque
from collections.abc import Iterable, Iterator

from metricgate.revisions.dvc_yaml import ReadText, join_paths

MAX_FILES = 300
MAX_CHARACTERS = 500_000
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)
_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+\(?([\w, \t\n]*)", re.MULTILINE)
_FILE_NAME = re.compile(r"[\"']([\w./-]+\.\w+)[\"']")
_ROOTS = ("", "src", "lib")


def list_reached(starts: Iterable[str], read: ReadText) -> set[str]:
    """Return the paths that the ``starts`` name or import, directly or through each other; they need not exist.

    Paths are relative to the project. A folder among the starts is returned as it is.
    """
    reached = set(starts)
    pending = deque(sorted(reached))
    opened = 0
    while pending and opened < MAX_FILES:
        path = pending.popleft()
        text = read(path) if path.endswith(".py") else None
        if text is None:
            continue
        opened += 1
        for found in _list_mentioned(path, text[:MAX_CHARACTERS]):
            if found not in reached:
                reached.add(found)
                pending.append(found)
    return reached


def _list_mentioned(path: str, text: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    for names in _IMPORT.findall(text):
        for name in names.split(","):
            yield from _locate_module(name.split(" as ")[0].strip(), folder)
    for dots, module, names in _FROM.findall(text):
        start = join_paths(folder, *[".."] * (len(dots) - 1)) if dots else ""
        members = [name.split(" as ")[0].strip() for name in names.split(",")]
        for name in (module, *(f"{module}.{member}".strip(".") for member in members if member)):
            yield from (_spell_module(name, start) if dots else _locate_module(name, folder))
    for name in _FILE_NAME.findall(text):
        yield from dict.fromkeys((join_paths(name), join_paths(folder, name)))


def _locate_module(name: str, folder: str) -> Iterator[str]:
    """Yield where an absolute import may lead: beside the program, or from the project's usual roots."""
    for root in dict.fromkeys((folder, *_ROOTS)):
        yield from _spell_module(name, root)


def _spell_module(name: str, root: str) -> Iterator[str]:
    parts = [part for part in name.split(".") if part]
    for end in range(1, len(parts) + 1):
        inside = join_paths(root, *parts[:end])
        yield f"{inside}.py"
        yield f"{inside}/__init__.py"
    if not parts:
        yield join_paths(root, "__init__.py")
