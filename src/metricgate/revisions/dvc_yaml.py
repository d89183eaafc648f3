"""dvc.yaml as it is written, read without DVC: its stages, the paths that they list, and the names in their commands."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.settings.document import read_document

DVC_YAML = "dvc.yaml"
OUTPUT_KEYS = ("outs", "metrics", "plots")
ReadText = Callable[[str], str | None]
"""Returns the text of a file of one revision, by its path in the project; None where it does not exist."""
_WORD = re.compile(r"[^\s\"'`;|&<>()=,]+")
_TEMPLATE = re.compile(r"\$\{\s*([\w.\[\]-]+)\s*\}")
_FOLDER_CHANGE = re.compile(r"\bcd\s+([^\s;&|]+)")
_MODULE = re.compile(r"\s-m\s+([\w.]+)")
_RECIPES = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile"),
    "npm": ("package.json",),
    "tox": ("tox.ini",),
    "nox": ("noxfile.py",),
    "task": ("Taskfile.yml",),
    "docker": ("Dockerfile", "compose.yaml", "docker-compose.yml"),
    "snakemake": ("Snakefile", "workflow/Snakefile"),
    "nextflow": ("main.nf",),
    "invoke": ("tasks.py",),
    "inv": ("tasks.py",),
    "mlflow": ("MLproject",),
}
_ANY = "*"


def read_dvc_yaml(folder: Path) -> Mapping[str, Any]:
    """Return dvc.yaml as it is written; empty where there is none or it is not a mapping.

    Raises
    ------
    ConfigurationError
        If it is not YAML.
    """
    path = folder / DVC_YAML
    return parse_dvc_yaml(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_filled_dvc_yaml(folder: Path) -> Mapping[str, Any]:
    """Return dvc.yaml with its templates replaced; a name that only DVC can resolve keeps a ``*``."""
    pipeline = read_dvc_yaml(folder)

    def read(name: str) -> str | None:
        path = folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    filled: Mapping[str, Any] = _fill(pipeline, _read_values(pipeline.get("vars"), "", read, default=("params.yaml",)))
    return filled


def parse_dvc_yaml(text: str) -> Mapping[str, Any]:
    """Return the content of a dvc.yaml; empty where it is not a mapping. Raises ConfigurationError if it is not YAML."""
    content = read_document(text, DVC_YAML).value
    return content if isinstance(content, Mapping) else {}


def list_stages(pipeline: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the stages of a dvc.yaml that was read."""
    return list(_name_stages(pipeline).values())


def _name_stages(pipeline: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    stages = pipeline.get("stages")
    if not isinstance(stages, Mapping):
        return {}
    return {str(name): stage for name, stage in stages.items() if isinstance(stage, Mapping)}


def read_stages(folder: Path) -> list[Mapping[str, Any]]:
    """Return the stages of dvc.yaml; none where it does not exist or cannot be read."""
    try:
        return list_stages(read_dvc_yaml(folder))
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return []  # DVC's own error, and with it the report, says that the pipeline is broken


def list_paths(section: Mapping[str, Any], *keys: str) -> Iterator[str]:
    """Yield the paths that a stage, or the top level, of dvc.yaml lists under the keys."""
    for key in keys:
        entries = section.get(key)
        if isinstance(entries, list):
            for entry in entries:
                # A path, or a mapping from the path to its options.
                yield from map(str, entry if isinstance(entry, Mapping) else [entry])


@dataclass(frozen=True, kw_only=True)
class WrittenStage:
    """A stage as a dvc.yaml writes it, with the values of its templates (``${…}``) as far as they are known.

    ``folder`` is that of the dvc.yaml, in the project; ``*`` stands for a value that is not known.
    """

    folder: str
    name: str
    definition: Mapping[str, Any]

    @property
    def full_name(self) -> str:
        """The name that reports use: ``train``, or ``sub/dvc.yaml:train`` for a pipeline in another folder."""
        return f"{self.folder}/{DVC_YAML}:{self.name}" if self.folder else self.name

    @property
    def body(self) -> Mapping[str, Any]:
        """What each stage of a `foreach` or `matrix` is made of, or the definition itself."""
        inner = self.definition.get("do")
        return inner if isinstance(inner, Mapping) else self.definition

    def paths(self, *keys: str) -> Iterator[str]:
        """Yield the paths under the keys, relative to the project."""
        for path in list_paths(self.body, *keys):
            yield self.place(path)

    def list_named(self) -> Iterator[str]:
        """Yield the paths that its commands name, relative to the project; they need not exist."""
        for command in self.commands:
            yield from list_named_files(command, self._work_folder)

    @property
    def commands(self) -> list[str]:
        listed = self.body.get("cmd")
        return [str(command) for command in (listed if isinstance(listed, list) else [listed])]

    def place(self, path: str) -> str:
        """Return a path that is seen from where the stage runs, relative to the project."""
        return join_paths(self._work_folder, path)

    @property
    def _work_folder(self) -> str:
        return join_paths(self.folder, str(self.body.get("wdir") or "."))


def join_paths(*parts: str) -> str:
    """Return the parts as one path in the project, without `.` and `..` where they can be resolved."""
    return posixpath.normpath(posixpath.join(*(part or "." for part in parts)))


def list_folders(path: str) -> Iterator[str]:
    """Yield the folders around a path, the nearest first."""
    while (folder := posixpath.dirname(path)) not in {"", path}:  # an absolute path ends at a root that is its own
        yield folder
        path = folder


def list_named_files(command: str, folder: str = ".") -> Iterator[str]:
    """Yield the paths that a shell command may name, seen from ``folder``: words, modules (`-m`), and a tool's own."""
    folders = [folder, *(join_paths(folder, name) for name in _FOLDER_CHANGE.findall(command))]
    words = [word.strip("{}[]:") for word in _WORD.findall(command)]
    modules = [name.replace(".", "/") for name in _MODULE.findall(command)]
    names = [
        *words,
        *(f"{module}{end}" for module in modules for end in (".py", "/__main__.py", "/__init__.py")),
        *(recipe for word in words for recipe in _RECIPES.get(posixpath.basename(word), ())),
    ]
    for start in folders:
        yield from (join_paths(start, name) for name in names if name and not name.startswith("-"))


def read_written_stages(file: str, read: ReadText) -> list[WrittenStage] | None:
    """Return the stages of the dvc.yaml at ``file``; none where it does not exist, None where it cannot be read."""
    text = read(file)
    if text is None:
        return []
    try:
        pipeline = parse_dvc_yaml(text)
    except ConfigurationError:
        return None
    folder = posixpath.dirname(file)
    shared = _read_values(pipeline.get("vars"), folder, read, default=("params.yaml",))
    found = []
    for name, stage in _name_stages(pipeline).items():
        values = shared | _read_values(stage.get("vars"), join_paths(folder, str(stage.get("wdir") or ".")), read)
        found.append(WrittenStage(folder=folder, name=name, definition=_fill(stage, values)))
    return found


def _read_values(entries: Any, folder: str, read: ReadText, default: Iterable[str] = ()) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for entry in (*default, *(entries if isinstance(entries, list) else ())):
        if isinstance(entry, Mapping):
            values |= entry
        else:
            values |= _read_mapping(read(join_paths(folder, str(entry).split(":", 1)[0])))
    return values


def _read_mapping(text: str | None) -> Mapping[str, Any]:
    try:
        content = None if text is None else read_document(text, "vars").value
    except ConfigurationError:
        return {}
    return content if isinstance(content, Mapping) else {}


def _fill(part: Any, values: Mapping[str, Any]) -> Any:
    """Return a part of a stage with its templates replaced."""
    if isinstance(part, Mapping):
        return {_fill(key, values): _fill(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_fill(item, values) for item in part]
    if isinstance(part, str) and "${" in part:
        return _TEMPLATE.sub(lambda match: _look_up(match[1], values), part)
    return part


def _look_up(name: str, values: Mapping[str, Any]) -> str:
    place: Any = values
    for key in re.split(r"[.\[\]]+", name.strip("[]")):
        place = place.get(key) if isinstance(place, Mapping) else None
    return _ANY if place is None else str(place)
