"""The environment that a revision asks for: its Python and its packages."""

import hashlib
import json
import posixpath
import re
import tomllib
from collections.abc import Callable

from metricgate import __version__
from metricgate.settings.policy import PipelineSpec

_LOCK = "uv.lock"
_USUAL = (_LOCK, "requirements.txt")  # where the policy names none
_INCLUDED = re.compile(r"^\s*(?:-[rc]|--requirement|--constraint)[\s=]*([^\s#]+)", re.MULTILINE)


def fingerprint_environment(pipeline: PipelineSpec, read: Callable[[str], str | None]) -> str:
    """Return a hash of what makes the stages' environment; ``read`` returns the text of a file of the revision.

    Without ``requirements`` a workflow installs what the usual files say, before MetricGate starts.
    """
    texts: dict[str, str | None] = {}
    pending = [".python-version", *([pipeline.requirements] if pipeline.requirements else _USUAL)]
    while pending:
        name = posixpath.normpath(pending.pop())
        if name in texts:
            continue
        text = texts[name] = read(name)
        folder = posixpath.dirname(name)
        if name.endswith(_LOCK):
            pending.append(posixpath.join(folder, "pyproject.toml"))
        elif text is not None:
            pending += [posixpath.join(folder, included) for included in _INCLUDED.findall(text)]
    record = [__version__, pipeline.model_dump(), texts]
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def find_pins(pipeline: PipelineSpec, read: Callable[[str], str | None]) -> tuple[tuple[str, str], ...]:
    """Return the Python and the packages, each with its version, that a revision asks for; ``read`` returns its files.

    The policy's settings first, then the usual files.
    """
    python = pipeline.python_version or _read_python(read(".python-version") or "")
    return (*((("python", python),) if python else ()), *_find_packages(pipeline.requirements, read))


def _read_python(text: str) -> str:
    """Return the version in a .python-version file: pyenv and uv write it on the first line."""
    found = re.match(r"\s*(?:cpython-)?(\d+(?:\.\d+){0,2})\s*$", text.split("\n", 1)[0])
    return found[1] if found else ""


def _find_packages(requirements: str | None, read: Callable[[str], str | None]) -> tuple[tuple[str, str], ...]:
    for name in (requirements,) if requirements else _USUAL:
        text = read(name)
        if text is not None:
            return read_pins(text, name)
    return ()


def read_pins(text: str, name: str) -> tuple[tuple[str, str], ...]:
    """Return packages with the exact versions that a requirements file or a uv.lock names, in the order of names."""
    if name.endswith(_LOCK):
        try:
            packages = tomllib.loads(text).get("package", [])
        except tomllib.TOMLDecodeError:
            return ()
        found = {entry["name"]: entry["version"] for entry in packages if "name" in entry and "version" in entry}
    else:
        found = dict(re.findall(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;#\\]+)", text, re.MULTILINE))
    return tuple(sorted((re.sub(r"[-_.]+", "-", package).lower(), str(version)) for package, version in found.items()))
