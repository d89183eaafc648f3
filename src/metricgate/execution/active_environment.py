"""The Python environment that is active on a person's machine, and whether it is what a policy asks for."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from metricgate.processes.command import capture_command, run_command, scrub_environment

LOCK = "uv.lock"


def find_active() -> Path | None:
    """Return the Python of the environment that is active where MetricGate was started; None where there is none."""
    chosen = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    own = Path(chosen, "bin/python") if chosen else None
    if own is not None and own.is_file():
        return own
    found = shutil.which("python")
    return Path(found) if found else None


def satisfies(python: Path, file: Path | None, version: str | None, *, directory: Path) -> bool:
    """Return whether an environment has the asked Python and packages; nothing is installed or downloaded."""
    from uv import find_uv_bin  # noqa: PLC0415  only where an environment is asked for

    if version is not None:
        asked = [str(python), "-I", "-c", "import platform; print(platform.python_version())"]
        found = capture_command(asked, cwd=directory, env=scrub_environment(os.environ), timeout_s=30)
        if not f"{found.stdout.decode(errors='replace').strip()}.".startswith(f"{version}."):
            return False
    if file is None:
        return True
    with tempfile.TemporaryDirectory(prefix="metricgate-") as folder:
        env = scrub_environment(os.environ) | {"UV_NO_PROGRESS": "1", "UV_OFFLINE": "1"}
        wanted = file
        if file.name == LOCK:
            wanted = Path(folder, "requirements.txt")
            export = [find_uv_bin(), *list_export_arguments(file), "--output-file", str(wanted)]
            if capture_command(export, cwd=directory, env=env, timeout_s=60).returncode != 0:
                return False
        ask = [find_uv_bin(), "pip", "install", "--dry-run", "--python", str(python), "-r", str(wanted)]
        done = run_command(ask, cwd=directory, env=env, timeout_s=60)
    return done.returncode == 0 and "Would make no changes" in done.output


def fingerprint_active() -> str:
    """Return a hash of the active environment: its place, its Python, and its packages with their versions."""
    python = find_active()
    if python is None:
        return ""
    packages = sorted(path.name for path in python.parent.parent.glob("lib/python*/site-packages/*.dist-info"))
    return hashlib.sha256("\n".join([str(python), str(python.resolve()), *packages]).encode()).hexdigest()[:16]


def list_export_arguments(lock: Path) -> list[str]:
    return ["export", "--quiet", "--frozen", "--no-emit-project", "--project", str(lock.parent)]
