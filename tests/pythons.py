"""The Pythons of this machine, by version: a test that needs another one than its own asks here."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


@functools.cache
def find_pythons() -> dict[str, Path]:
    """Return an interpreter for each version that there is, of those that MetricGate supports."""
    found = {OWN: Path(sys.executable)}
    for version in (f"3.{minor}" for minor in range(11, 15)):
        for candidate in list_candidates(version):
            if version not in found and answers(candidate):
                found[version] = candidate
    return found


def list_candidates(version: str) -> Iterator[Path]:
    yield from sorted(PYENV.glob(f"versions/{version}.*/bin/python"))
    if program := shutil.which(f"python{version}"):
        yield Path(program)  # pyenv puts such a program on PATH even where it leads nowhere


def answers(python: Path) -> bool:
    return subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0
