"""The stages' own Python and packages: what a revision asks for, and the environment that uv builds for them."""

import hashlib
import json
import os
import platform
import posixpath
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from metricgate import __version__
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.active_environment import (
    LOCK,
    find_active,
    fingerprint_active,
    list_export_arguments,
    satisfies,
)
from metricgate.execution.work_tree import WorkTree
from metricgate.processes.command import capture_command, scrub_environment
from metricgate.processes.owner import describe_user
from metricgate.processes.safe_files import make_ignored_folder
from metricgate.settings.policy import PipelineSpec

CACHE_FOLDER = ".metricgate/uv"
KEPT_FOLDER = ".metricgate/environments"
MOST_KEPT = 4
_OWN_PYTHON = platform.python_version()
_COMPLETE = "metricgate-complete"  # the last file of an environment: an interrupted installation lacks it
_USUAL = (LOCK, "requirements.txt")  # where the policy names none
_INCLUDED = re.compile(r"^\s*(?:-[rc]|--requirement|--constraint)[\s=]*([^\s#]+)", re.MULTILINE)
# Code of the revision itself, which must not be installed for another revision.
_OWN_CODE = re.compile(r"^\s*(?:-e\b|--editable\b|\.{1,2}(?:/|\[|\s|$)|[^#\n]*@\s*file:|file:)", re.MULTILINE)


def prepare_environment(tree: WorkTree, pipeline: PipelineSpec) -> dict[str, str]:
    """Run the set-up command, choose or build the environment that the policy asks for, and return its variables.

    On a person's machine the active environment is used if it satisfies the requirements. Otherwise one is built, kept
    under the hash of what it was made from, and shared by revisions with equal requirements. Only stages see this
    Python; DVC runs in MetricGate's own.

    Raises
    ------
    ConfigurationError
        If the requirements file does not exist.
    WorkspaceError
        If the set-up command or the installation fails.
    """
    if pipeline.setup_command is not None:
        _run(tree, pipeline.setup_command, "setup")
    if pipeline.requirements is None and pipeline.python_version is None:
        return {}
    file = _find_requirements(tree.directory, pipeline.requirements)
    asked = pipeline.requirements or f"Python {pipeline.python_version}"
    active = find_active() if tree.context.use_active else None
    if active is not None and satisfies(active, file, pipeline.python_version, directory=tree.directory):
        used = f"stages use {active.parent.parent}, the active environment, which satisfies {asked}"
        tree.context.progress.line(f"{used}; activate another to change that")
        return _select(active.parent.parent)
    python, reason = choose_python(tree.directory, file, pipeline.python_version)
    target = _place(tree, file, python)
    if not _is_complete(target):
        shutil.rmtree(target, ignore_errors=True)
        why = f"; {active} does not satisfy it" if active else ""
        tree.context.progress.line(f"installing {asked} with uv, for Python {python} ({reason}){why}")
        _build(tree, file, target, sys.executable if python == _OWN_PYTHON else python)
        with (target / _COMPLETE).open("xb"):
            pass  # after everything else
    else:
        tree.context.progress.line(f"stages use the environment that was kept for {asked}")
    os.utime(target / _COMPLETE, follow_symlinks=False)
    _forget_old(target)
    return _select(target)


def choose_python(directory: Path, file: Path | None, asked: str | None) -> tuple[str, str]:
    """Return the version of Python for the stages' environment, and why.

    The first Python on PATH has no say: it differs between machines, and between the steps of a job.
    """
    if asked:
        return asked, "python_version in metricgate.yaml"
    pinned = _read_python(_read_text(directory / ".python-version"))
    if pinned:
        return pinned, ".python-version"
    required = _read_required_python((file.parent if file else directory) / "pyproject.toml")
    if required and not SpecifierSet(required).contains(_OWN_PYTHON, prereleases=True):
        return required, "requires-python in pyproject.toml"
    return _OWN_PYTHON, "MetricGate's own"


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _read_required_python(file: Path) -> str:
    try:
        required = str(tomllib.loads(_read_text(file)).get("project", {}).get("requires-python", ""))
        return str(SpecifierSet(required))
    except (tomllib.TOMLDecodeError, InvalidSpecifier, AttributeError):
        return ""  # uv says what is wrong with it, when it installs from this file


def _select(environment: Path) -> dict[str, str]:
    path = f"{environment / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"VIRTUAL_ENV": str(environment), "PATH": path}


def _place(tree: WorkTree, file: Path | None, python: str) -> Path:
    """Return where the environment lies: kept beside the project, unless it holds code of the revision itself."""
    name = _hash(tree.directory, file, python)
    if file is not None and file.name != LOCK and _OWN_CODE.search(file.read_text(errors="replace")):
        own = hashlib.sha256(str(tree.directory).encode()).hexdigest()[:8]
        return tree.make_folder(tree.context.scratch / "environments") / f"{name}-{own}"
    kept = make_ignored_folder(tree.shares_with or tree.directory, KEPT_FOLDER, tree.owner)
    return kept / name


def _is_complete(target: Path) -> bool:
    """Return whether an environment was installed to its end, and its Python still exists."""
    return (target / _COMPLETE).is_file() and (target / "bin/python").exists()


def _forget_old(target: Path) -> None:
    """Remove the environments that were not used for longest."""
    others = [path for path in target.parent.iterdir() if path.is_dir() and path != target]

    def used(path: Path) -> float:
        mark = path / _COMPLETE
        return mark.stat().st_mtime if mark.is_file() else 0.0

    for path in sorted(others, key=used, reverse=True)[MOST_KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def find_python(tree: WorkTree, environment: Mapping[str, str]) -> str:
    """Return the version of the Python that stages find first on PATH; empty where there is none."""
    home = describe_user(tree.owner, str(tree.files))
    env = scrub_environment(os.environ) | home | dict(environment)
    try:
        # Isolated: the project's folder must not provide its modules.
        asked = ["python", "-I", "-c", "import platform; print(platform.python_version())"]
        found = capture_command(asked, cwd=tree.directory, env=env, owner=tree.owner, timeout_s=30)
    except WorkspaceError:
        return ""
    version = re.fullmatch(rb"\s*(\d+\.\d+\.\d+\S*)\s*", found.stdout)
    return version[1].decode(errors="replace") if version and found.returncode == 0 else ""


def _find_requirements(directory: Path, name: str | None) -> Path | None:
    if name is None:
        return None
    file = directory / name
    if not file.is_file():
        raise ConfigurationError(
            f"The requirements file {name} does not exist in {directory}.",
            expected="a requirements file, a pyproject.toml or a uv.lock, relative to the project's folder.",
            fix="correct `pipeline: {requirements: …}` in metricgate.yaml.",
            topic="the-requirements-file-does-not-exist",
        )
    return file


def _hash(directory: Path, file: Path | None, python: str) -> str:
    """Return the hash of what an environment is made from: Python, and the requirements with the files they include."""

    def read(name: str) -> str | None:
        path = directory / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    texts = _read_included([file.relative_to(directory).as_posix()] if file else [], read)
    record = [python, _OWN_PYTHON, platform.machine(), texts]
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def _build(tree: WorkTree, file: Path | None, target: Path, python: str) -> None:
    from uv import find_uv_bin  # noqa: PLC0415  only where an environment is asked for

    uv = find_uv_bin()
    _run(tree, [uv, "venv", "--quiet", "--python", python, str(target)], "environment")
    if file is None:
        return
    wanted = file
    if file.name == LOCK:
        wanted = target / "requirements.txt"
        _run(tree, [uv, *list_export_arguments(file), "--output-file", str(wanted)], "environment")
    install = ["pip", "install", "--quiet", "--python", str(target / "bin/python"), "-r", str(wanted)]
    _run(tree, [uv, *install], "environment")


def _run(tree: WorkTree, args: Sequence[str] | str, name: str) -> None:
    # A set-up command installs system packages: it alone stays root in the container.
    is_setup = name == "setup"
    ended = tree.run(args, log=name, as_owner=not is_setup, **_uv_settings(tree))
    if ended.returncode != 0:
        what = "The set-up command" if is_setup else "Installing the stages' requirements"
        raise WorkspaceError(
            f"{what} failed with exit code {ended.returncode}.",
            expected="a command that ends with exit code 0."
            if is_setup
            else "requirements that uv can install for this Python.",
            fix="correct `setup_command` in metricgate.yaml."
            if is_setup
            else "run `uv pip install -r FILE` on your machine and correct the file, or python_version.",
            details=ended.output,
            topic="packages-could-not-be-installed",
        )


def _uv_settings(tree: WorkTree) -> dict[str, str]:
    # The system's certificates, as pip: a proxy that inspects TLS has an authority that only the system knows.
    settings = {"UV_NO_PROGRESS": "1", "UV_LINK_MODE": "copy", "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    if os.environ.get("GITHUB_ACTIONS") != "true" or os.environ.get("UV_CACHE_DIR"):
        return settings  # a person's machine has a cache for all projects
    cache = make_ignored_folder(tree.shares_with or tree.directory, CACHE_FOLDER, tree.owner)
    return settings | {"UV_CACHE_DIR": str(cache)}


def fingerprint_environment(
    pipeline: PipelineSpec, read: Callable[[str], str | None], *, use_active: bool = False
) -> str:
    """Return a hash of what makes the stages' environment; ``read`` returns the text of a file of the revision.

    Without ``requirements`` a workflow installs what the usual files say, before MetricGate starts. Where the active
    environment may be used, it counts.
    """
    usual = [pipeline.requirements] if pipeline.requirements else _USUAL
    texts = _read_included([".python-version", *usual], read)
    record = [
        __version__,
        pipeline.model_dump(exclude={"max_age_days"}),
        texts,
        fingerprint_active() if use_active else "",
    ]
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]


def _read_included(names: Iterable[str], read: Callable[[str], str | None]) -> dict[str, str | None]:
    """Return the texts of files, of those that they include, and of the pyproject.toml beside a lock file."""
    texts: dict[str, str | None] = {}
    pending = list(names)
    while pending:
        name = posixpath.normpath(pending.pop())
        if name in texts:
            continue
        text = texts[name] = read(name)
        folder = posixpath.dirname(name)
        if name.endswith(LOCK):
            pending.append(posixpath.join(folder, "pyproject.toml"))
        elif text is not None:
            pending += [posixpath.join(folder, included) for included in _INCLUDED.findall(text)]
    return texts


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
    if name.endswith(LOCK):
        try:
            packages = tomllib.loads(text).get("package", [])
        except tomllib.TOMLDecodeError:
            return ()
        found = {entry["name"]: entry["version"] for entry in packages if "name" in entry and "version" in entry}
    else:
        found = dict(re.findall(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;#\\]+)", text, re.MULTILINE))
    return tuple(sorted((re.sub(r"[-_.]+", "-", package).lower(), str(version)) for package, version in found.items()))
