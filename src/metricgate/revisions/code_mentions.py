"""What the text of a program mentions: modules, paths, and names of which only running it would tell a part."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

UNKNOWN = "*"
MAX_CHARACTERS = 500_000
_MAX_NAME = 300
_MAX_DEPTH = 40
_DATA = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".npy", ".npz", ".pkl", ".joblib", ".lock", ".svg")
_IMPORT = re.compile(r"\bimport[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*)")
_FROM = re.compile(r"\bfrom[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+\(?([\w, \t\n]*)")
_MODULE_OPTION = re.compile(r"\s-m\s+([\w.]+)")
_WORD = re.compile(r"[^\s\"'`;|&<>()=,\[\]{}]+")
_NAME = re.compile(r"\w+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PLACEHOLDER = re.compile(r"%[sdifr]|\{[^{}]*\}")
_BUILT_IN_LOADERS = frozenset({"exec", "eval", "compile", "__import__"})
_LOADERS = frozenset(
    {
        "import_module",
        "run_module",
        "run_path",
        "spec_from_file_location",
        "SourceFileLoader",
        "iter_modules",
        "walk_packages",
        "load_module",
        "find_spec",
        "load_dynamic",
        "CDLL",
        "import_file",
    }
)
_ROOT_CHANGES = ("sys.path", "PYTHONPATH", "addsitedir", "chdir")
_JOINS = frozenset({"join", "Path", "PurePath", "PosixPath", "PurePosixPath", "str", "fspath", "abspath"})


@dataclass(kw_only=True)
class Mentions:
    """What one file mentions.

    Attributes
    ----------
    modules : imported modules: how many dots lead them, and their name
    paths : words that may be paths; ``*`` stands for what only running the program would tell
    words : the single words of texts, and the names of attributes
    adds_roots : whether modules may come from other folders than usual
    loads_unknown : whether it loads code by a name that only running it would tell
    """

    modules: set[tuple[int, str]] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    adds_roots: bool = False
    loads_unknown: bool = False


def read_mentions(path: str, text: str) -> Mentions | None:
    """Return what a file mentions; None for data, which names no other file."""
    if path.lower().endswith(_DATA) or "\0" in text[:1000]:
        return None
    text = text[:MAX_CHARACTERS]
    first = text.split("\n", 1)[0]
    found = _read_python(text) if path.endswith(".py") or (first.startswith("#!") and "python" in first) else None
    if found is None:
        found = Mentions()
        _add_text(found, text.replace("\\\n", " "))
    found.modules = {(level, name) for level, name in found.modules if len(name) <= _MAX_NAME}
    found.adds_roots = any(name in text for name in _ROOT_CHANGES)
    return found


def _read_python(text: str) -> Mentions | None:
    """Return what Python code mentions; None where it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = Mentions()
    used = {id(node) for node in _list_prose(tree)}
    loads = False
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                found.modules |= {(0, alias.name) for alias in node.names}
                loads = loads or any(alias.name in {"importlib", "runpy", "pkgutil"} for alias in node.names)
            case ast.ImportFrom():
                found.modules |= set(_list_members(node.level, node.module or "", (a.name for a in node.names)))
                loads = loads or any(alias.name in _LOADERS for alias in node.names)
            case ast.Attribute():
                found.words.add(node.attr)
            case ast.Call() if _is_loader(node.func):
                loads = True
                found.loads_unknown |= not node.args or UNKNOWN in _fold(node.args[0], set())
        if id(node) not in used and (name := _fold(node, used)).strip(UNKNOWN):
            _add_string(found, name)
    if loads:
        found.modules |= {(0, word) for word in found.paths if _DOTTED.fullmatch(word)}
    return found


def _list_prose(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the texts that are statements of their own: nothing reads a docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _is_loader(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _BUILT_IN_LOADERS or function.id in _LOADERS
    return isinstance(function, ast.Attribute) and function.attr in _LOADERS


def _fold(node: ast.AST, used: set[int], depth: int = 0) -> str:
    """Return the text that an expression stands for, ``*`` for what is unknown; the parts that it read are ``used``."""
    if isinstance(node, ast.Constant):
        return _decode(node.value)
    template = _find_template(node)
    separator, parts = ("", [template]) if template else _take_apart(node)
    if not parts or depth > _MAX_DEPTH:
        return UNKNOWN
    used |= {id(part) for part in parts}
    text = separator.join(_fold(part, used, depth + 1) for part in parts)
    return _PLACEHOLDER.sub(UNKNOWN, text) if template else text


def _decode(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else UNKNOWN


def _find_template(node: ast.AST) -> ast.expr | None:
    """Return what ``"%s.json" % name`` and ``"{}.json".format(name)`` fill in."""
    match node:
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str()) as template):
            return template
        case ast.Call(func=ast.Attribute(attr="format", value=template)):
            return template
    return None


def _take_apart(node: ast.AST) -> tuple[str, Sequence[ast.expr]]:
    """Return the parts of a text that is put together, and what stands between them; no parts for all else."""
    match node:
        case ast.JoinedStr(values=parts):
            return "", parts
        case ast.BinOp(op=ast.Add() | ast.Div() as operator, left=left, right=right):
            return "" if isinstance(operator, ast.Add) else "/", [left, right]
        case ast.Call(func=ast.Attribute(attr="join", value=ast.Constant(value=str() as text)), args=[listed]):
            return (text, listed.elts) if isinstance(listed, ast.List | ast.Tuple) else ("", [])
        case ast.Call(
            func=ast.Attribute(attr="joinpath" | "with_name" | "with_suffix" as name, value=start), args=parts
        ):
            return "" if name == "with_suffix" else "/", [start, *parts]
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=parts) if name in _JOINS:
            return "/", parts
    return "", []


def _add_string(found: Mentions, text: str) -> None:
    if len(text) <= _MAX_NAME and "\n" not in text:
        found.paths.add(_PLACEHOLDER.sub(UNKNOWN, text.strip()))
    found.words |= set(_NAME.findall(text))
    if any(space in text for space in " \t\n"):
        _add_text(found, text)


def _add_text(found: Mentions, text: str) -> None:
    """Add what a text mentions that is not parsed: each word may be a path or a module."""
    for names in _IMPORT.findall(text):
        found.modules |= {(0, name.split()[0]) for name in names.split(",")}
    for dots, module, names in _FROM.findall(text):
        found.modules |= set(_list_members(len(dots), module, re.split(r"[,\n]", names)))
    found.modules |= {(0, name) for name in _MODULE_OPTION.findall(text)}
    words = {word.strip(":").removeprefix("file://") for word in _WORD.findall(text) if len(word) <= _MAX_NAME}
    found.paths |= {re.sub(r"\$\w*", UNKNOWN, word) for word in words if not word.startswith("-")}
    # hydra's _target_, entry points: a module as a word.
    found.modules |= {(0, word) for word in words if "." in word and _DOTTED.fullmatch(word)}
    found.words |= set(_NAME.findall(text))


def _list_members(level: int, module: str, names: Iterable[str]) -> Iterator[tuple[int, str]]:
    yield level, module
    for name in names:
        if member := name.split(" as ")[0].strip():
            yield level, f"{module}.{member}".strip(".")
