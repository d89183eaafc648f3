"""The stages' own Python: an environment built with uv, and found first on PATH."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.work_tree import ProduceOptions, Site
from metricgate.processes.command import capture_command, scrub_environment
from metricgate.processes.safe_files import make_ignored_folder

CACHE_FOLDER = ".metricgate/uv"
_LOCK = "uv.lock"


def prepare_environment(site: Site, options: ProduceOptions) -> dict[str, str]:
    """Run the set-up command, build the environment that the policy asks for, and return the variables that select it.

    Revisions with equal requirements share one environment. DVC stays MetricGate's own: only stages see this Python.

    Raises
    ------
    ConfigurationError
        If the requirements file does not exist.
    WorkspaceError
        If the set-up command or the installation fails.
    """
    if options.pipeline.setup_command is not None:
        _run(site, options.pipeline.setup_command, "setup", options)
    if options.pipeline.requirements is None and options.pipeline.python_version is None:
        return {}
    file = _find_requirements(site.directory, options.pipeline.requirements)
    environments = site.make_folder(options.scratch / "environments")
    target = environments / _hash(file, options.pipeline.python_version)
    if not target.exists():
        site.progress.line(f"installing {options.pipeline.requirements or 'Python'} with uv")
        _build(site, file, target, options)
    return {"VIRTUAL_ENV": str(target), "PATH": f"{target / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def find_python(site: Site, environment: Mapping[str, str]) -> str:
    """Return the version of the Python that stages find first on PATH; empty where there is none."""
    home = site.owner.environment(str(site.files)) if site.owner else {}
    env = scrub_environment(os.environ) | home | dict(environment)
    try:
        # Isolated: no module of the project's folder has a say in it.
        asked = ["python", "-I", "-c", "import platform; print(platform.python_version())"]
        found = capture_command(asked, cwd=site.directory, env=env, owner=site.owner, timeout_s=30)
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


def _build(site: Site, file: Path | None, target: Path, options: ProduceOptions) -> None:
    from uv import find_uv_bin  # noqa: PLC0415  only where an environment is asked for

    uv, python = find_uv_bin(), options.pipeline.python_version
    _run(site, [uv, "venv", "--quiet", *(["--python", python] if python else []), str(target)], "environment", options)
    if file is None:
        return
    wanted = file
    if file.name == _LOCK:
        wanted = target / "requirements.txt"
        export = ["export", "--quiet", "--frozen", "--no-emit-project", "--project", str(file.parent)]
        _run(site, [uv, *export, "--output-file", str(wanted)], "environment", options)
    install = ["pip", "install", "--quiet", "--python", str(target / "bin/python"), "-r", str(wanted)]
    _run(site, [uv, *install], "environment", options)


def _run(site: Site, args: Sequence[str] | str, name: str, options: ProduceOptions) -> None:
    # A set-up command installs system packages: it alone stays root in the container.
    ended = site.run(
        args, log=name, timeout_s=options.timeout_s, environment=_uv_settings(site), as_owner=name != "setup"
    )
    if ended.returncode != 0:
        what = "The set-up command" if name == "setup" else "Installing the stages' requirements"
        raise WorkspaceError(
            f"{what} failed with exit code {ended.returncode}.",
            expected="a command that ends with exit code 0."
            if name == "setup"
            else "requirements that uv can install for this Python.",
            fix="correct `setup_command` in metricgate.yaml."
            if name == "setup"
            else "run `uv pip install -r FILE` on your machine and correct the file, or python_version.",
            details=ended.output,
        )


def _uv_settings(site: Site) -> dict[str, str]:
    settings = {"UV_NO_PROGRESS": "1", "UV_LINK_MODE": "copy"}
    if os.environ.get("GITHUB_ACTIONS") != "true" or os.environ.get("UV_CACHE_DIR"):
        return settings  # a person's machine has a cache for all projects
    cache = make_ignored_folder(site.shares_with or site.directory, CACHE_FOLDER, site.owner)
    return settings | {"UV_CACHE_DIR": str(cache)}
