"""Which files a program may run or read: found in texts, without running anything."""

import posixpath
import sys
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from metricgate.revisions.code_mentions import UNKNOWN, Mentions, read_mentions
from metricgate.revisions.dvc_yaml import ReadText, join_paths, list_folders

MAX_FILES = 300
COMPILED = (".pyc", ".pyo", ".so", ".pyd")
_CODE = (".py", ".pyx", *COMPILED)
_ROOTS = ("", "src", "lib")
_LISTING = frozenset(
    {"listdir", "scandir", "walk", "glob", "iglob", "rglob", "iterdir", "iter_modules", "walk_packages"}
)
_INSIDE = "__init__"
_SETTINGS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")


class FileIndex:
    """The files of a project in Git, to be found by path, by module and by the end of their path."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.files = frozenset(paths)
        self._sorted = sorted(self.files)
        self.folders: set[str] = set()
        for path in self.files:
            for folder in list_folders(path):
                if folder in self.folders:
                    break
                self.folders.add(folder)
        self._folders_named: dict[str, list[str]] = defaultdict(list)
        for folder in self.folders:
            self._folders_named[posixpath.basename(folder)].append(folder)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_module: dict[str, list[str]] = defaultdict(list)
        self._tails: dict[str, list[str]] = defaultdict(list)
        self._beside: dict[str, list[str]] = defaultdict(list)
        for path in self.files:
            self._beside[posixpath.dirname(path)].append(path)
            self._by_name[posixpath.basename(path)].append(path)
            if path.endswith(_CODE):
                self._add_module(path)

    def _add_module(self, path: str) -> None:
        folder, name = posixpath.split(path)
        if posixpath.basename(folder) == "__pycache__":
            folder = posixpath.dirname(folder)
        key = posixpath.join(folder, name.split(".", 1)[0])  # helpers.cpython-312-x86_64-linux-gnu.so
        key = posixpath.dirname(key) if posixpath.basename(key) == _INSIDE else key
        if key not in self._by_module:
            self._tails[posixpath.basename(key)].append(key)
        self._by_module[key].append(path)

    def find_module(self, key: str) -> list[str]:
        """Return the files of the module at a path without suffix."""
        return self._by_module.get(key, [])

    def find_module_anywhere(self, parts: list[str]) -> list[str]:
        """Return the files of a module in whatever folder of the project it lies."""
        tail = "/".join(parts)
        keys = [key for key in self._tails.get(parts[-1], ()) if f"/{key}".endswith(f"/{tail}")]
        return [path for key in keys if not key.startswith("../") for path in self._by_module[key]]

    def list_inside(self, folder: str) -> list[str]:
        """Return the files in a folder and below it."""
        start = bisect_left(self._sorted, f"{folder}/")
        return self._sorted[start : bisect_left(self._sorted, f"{folder}0", start)]  # "0" comes after "/"

    def list_beside(self, folders: Iterable[str]) -> list[str]:
        """Return the files that lie in one of the folders themselves."""
        return [path for folder in folders for path in self._beside.get(folder, ())]

    def list_under(self, name: str) -> list[str]:
        """Return the files below folders of this name, wherever they are."""
        return [path for folder in self._folders_named.get(name, ()) for path in self.list_inside(folder)]

    def find_ending(self, path: str) -> list[str]:
        """Return the project's files whose paths end with ``path``."""
        named = self._by_name.get(posixpath.basename(path), ())
        return [found for found in named if f"/{found}".endswith(f"/{path}") and not found.startswith("../")]


@dataclass(kw_only=True)
class Reach:
    """What programs may run or read.

    Attributes
    ----------
    named : paths that they name or import; some do not exist, and some are folders
    likely : files that fit a name of which a part is unknown, or that lie in a folder that was only named as a whole
    words : the words of their code
    loads_unknown : whether one loads code by a name that only running it would tell, or there is too much to read
    """

    named: set[str] = field(default_factory=set)
    likely: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    loads_unknown: bool = False


@dataclass(kw_only=True)
class Tracer:
    """Follows programs through the files of one project. Paths are relative to the project."""

    index: FileIndex
    read: ReadText
    follow_link: Callable[[str], str]
    _cache: dict[str, Mentions | None] = field(default_factory=dict)

    def trace(self, starts: Iterable[str], folders: Iterable[str] = (), *, adds_roots: bool = False) -> Reach:
        """Return what the ``starts`` name or import, directly or through each other.

        ``folders`` are named as a whole: what lies in them is ``likely``. ``adds_roots``: modules may lie anywhere.
        """
        reach = Reach(named=set(starts))
        opened: set[str] = set()
        self._follow(reach, reach.named, opened, adds_roots=adds_roots)
        if not adds_roots and any(found.adds_roots for found in map(self._read, opened) if found):
            return self.trace(starts, folders, adds_roots=True)
        reach.likely |= {path for folder in folders for path in self._list_inside(folder)}
        self._follow(reach, reach.likely, opened, adds_roots=adds_roots)
        reach.likely -= reach.named
        return reach

    def _follow(self, reach: Reach, into: set[str], opened: set[str], *, adds_roots: bool) -> None:
        pending = deque(sorted(into))
        while pending:
            path = pending.popleft()
            if (target := self.follow_link(path)) != path and target not in into:
                into.add(target)
                pending.append(target)
            if path in opened or (mentions := self._read(path)) is None:
                continue
            if len(opened) >= MAX_FILES:
                reach.loads_unknown = True
                return
            opened.add(path)
            if not path.endswith(_SETTINGS):
                reach.words |= mentions.words
            reach.loads_unknown |= mentions.loads_unknown
            found, likely = self._resolve(path, mentions, adds_roots=adds_roots)
            reach.likely |= likely
            pending += sorted(found - into)
            into |= found

    def _read(self, path: str) -> Mentions | None:
        if path not in self._cache:
            is_code = path in self.index.files or self.follow_link(path) != path
            text = self.read(path) if is_code and not path.endswith(COMPILED) else None
            self._cache[path] = None if text is None else read_mentions(path, text)
        return self._cache[path]

    def _resolve(self, path: str, mentions: Mentions, *, adds_roots: bool) -> tuple[set[str], set[str]]:
        folder = posixpath.dirname(path)
        named = {
            found
            for level, name in mentions.modules
            for found in self._locate_module(level, name, folder, anywhere=adds_roots)
        }
        likely: set[str] = set()
        lists = not _LISTING.isdisjoint(mentions.words)
        for text in mentions.paths:
            if lists:
                likely |= {path for start in _list_places(text, folder) for path in self._list_inside(start)}
            if UNKNOWN in text or "?" in text:
                likely |= self._match(text, folder)
            elif not _is_path(text):
                named |= {place for place in _list_places(text, folder) if place in self.index.files}
            else:
                places = _list_places(text, folder)
                named |= places
                if not any(place in self.index.files or place in self.index.folders for place in places):
                    likely |= set(self.index.find_ending(join_paths(text).lstrip("/")))
        return named, likely

    def _locate_module(self, level: int, name: str, folder: str, *, anywhere: bool) -> Iterator[str]:
        """Yield where an import may lead: beside the program, from the usual roots, or from wherever there is one."""
        parts = [part for part in name.split(".") if part]
        if level:
            yield from self._spell_module(parts, join_paths(folder, *[".."] * (level - 1)))
            return
        places = [place for root in dict.fromkeys((folder, *_ROOTS)) for place in self._spell_module(parts, root)]
        yield from places
        is_found = any(place in self.index.files for place in places)
        if parts and (anywhere or not (is_found or parts[0] in sys.stdlib_module_names)):
            for end in range(1, len(parts) + 1):
                yield from self.index.find_module_anywhere(parts[:end])

    def _spell_module(self, parts: list[str], root: str) -> Iterator[str]:
        for end in range(1, len(parts) + 1):
            inside = join_paths(root, *parts[:end])
            yield f"{inside}.py"
            yield f"{inside}/{_INSIDE}.py"
            yield from self.index.find_module(inside)
        if not parts:
            yield join_paths(root, f"{_INSIDE}.py")

    def _match(self, pattern: str, folder: str) -> set[str]:
        """Return the files that a name with unknown parts may be; none where no folder and no name is known."""
        parts = [part for part in pattern.split("/") if part not in {"", "."}]
        known = [part for part in parts if part.strip("*?.")]
        if not known:
            return set()
        last = parts[-1]
        if not last.strip("*?"):
            return {path for start in _list_places("/".join(known), folder) for path in self._list_inside(start)}
        if UNKNOWN not in last and "?" not in last:
            tail = "/".join(parts[len(parts) - _count_known(parts) :])
            return set(self.index.find_ending(tail))
        if len(parts) == 1:  # *.json: beside the program, or where it runs
            places = {"", folder}
            return {path for path in self.index.list_beside(places) if fnmatchcase(posixpath.basename(path), last)}
        inside = pattern.lstrip("./")
        around = [part for part in parts[:-1] if not set("*?[") & set(part)]
        candidates = self.index.list_under(around[-1]) if around else self.index.files
        return {path for path in candidates if fnmatchcase(path, inside) or fnmatchcase(path, f"*/{inside}")}

    def _list_inside(self, folder: str) -> list[str]:
        return self.index.list_inside(folder) if folder in self.index.folders else []


def _count_known(parts: list[str]) -> int:
    """Return how many parts at the end hold nothing unknown."""
    count = 0
    for part in reversed(parts):
        if UNKNOWN in part or "?" in part:
            break
        count += 1
    return count


def _is_path(text: str) -> bool:
    """Return whether a word looks like a path: it has a suffix or a folder, and no blank."""
    if " " in text or text.endswith("/") or not text.strip("./"):
        return False
    return "/" in text or ("." in text.lstrip(".") and not text.endswith("."))


def _list_places(text: str, folder: str) -> set[str]:
    """Return the paths in the project that a word may stand for: seen from its folder, or from the program's."""
    return set() if text.startswith("/") or not text else {join_paths(text), join_paths(folder, text)}
