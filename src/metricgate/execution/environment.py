"""The stages' own Python and packages: what a revision asks for, and the environment that uv builds for them."""

import hashlib
import json
import os
import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from metricgate import __version__
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.work_tree import WorkTree
from metricgate.processes.command import capture_command, scrub_environment
from metricgate.processes.owner import describe_user
from metricgate.processes.safe_files import make_ignored_folder
from metricgate.settings.policy import PipelineSpec

CACHE_FOLDER = ".metricgate/uv"
_LOCK = "uv.lock"
_USUAL = (_LOCK, "requirements.txt")  # where the policy names none
_INCLUDED = re.compile(r"^\s*(?:-[rc]|--requirement|--constraint)[\s=]*([^\s#]+)", re.MULTILINE)


def prepare_environment(tree: WorkTree, pipeline: PipelineSpec) -> dict[str, str]:
    """Run the set-up command, build the environment that the policy asks for, and return the variables that select it.

    Revisions with equal requirements share one environment. Only stages see this Python; DVC runs in MetricGate's own.

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
    environments = tree.make_folder(tree.context.scratch / "environments")
    target = environments / _hash(file, pipeline.python_version)
    if not target.exists():
        tree.context.progress.line(f"installing {pipeline.requirements or 'Python'} with uv")
        _build(tree, file, target, pipeline.python_version)
    return {"VIRTUAL_ENV": str(target), "PATH": f"{target / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


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
        )
    return file


def _hash(file: Path | None, python_version: str | None) -> str:
    digest = hashlib.sha256(f"{python_version}\n{file and file.name}\n".encode())
    for part in (file, file and file.name == _LOCK and file.with_name("pyproject.toml")):
        if part and part.is_file():
            digest.update(part.read_bytes())
    return digest.hexdigest()[:16]


def _build(tree: WorkTree, file: Path | None, target: Path, python: str | None) -> None:
    from uv import find_uv_bin  # noqa: PLC0415  only where an environment is asked for

    uv = find_uv_bin()
    _run(tree, [uv, "venv", "--quiet", *(["--python", python] if python else []), str(target)], "environment")
    if file is None:
        return
    wanted = file
    if file.name == _LOCK:
        wanted = target / "requirements.txt"
        export = ["export", "--quiet", "--frozen", "--no-emit-project", "--project", str(file.parent)]
        _run(tree, [uv, *export, "--output-file", str(wanted)], "environment")
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
        )


def _uv_settings(tree: WorkTree) -> dict[str, str]:
    settings = {"UV_NO_PROGRESS": "1", "UV_LINK_MODE": "copy"}
    if os.environ.get("GITHUB_ACTIONS") != "true" or os.environ.get("UV_CACHE_DIR"):
        return settings  # a person's machine has a cache for all projects
    cache = make_ignored_folder(tree.shares_with or tree.directory, CACHE_FOLDER, tree.owner)
    return settings | {"UV_CACHE_DIR": str(cache)}


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
