"""The Dockerfile's base image, and the Dockerfile for a machine that has only a stand-in for it."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DOCKERFILE = Path(__file__).parents[1] / "Dockerfile"
BASE = re.compile(r"^FROM (?P<name>\S+)@(?P<digest>sha256:[0-9a-f]{64}) AS base$", re.MULTILINE)


def read_base() -> tuple[str, str]:
    """Return the base image's name with its tag, and its digest."""
    found = BASE.search(DOCKERFILE.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("the Dockerfile does not name its base image as `FROM NAME:TAG@sha256:… AS base`")
    return found["name"], found["digest"]


def is_stand_in(name: str, environment: Mapping[str, str] | None = None) -> bool:
    """Return whether the image of this name was made by scripts/docker_engine.sh."""
    command = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    return done.returncode == 0 and "metricgate.stand-in" in (json.loads(done.stdout) or {})


@contextmanager
def usable_dockerfile() -> Iterator[Path]:
    """Yield the Dockerfile, or a copy without the base image's digest where only a stand-in has its name."""
    name, _ = read_base()
    if not is_stand_in(name):
        yield DOCKERFILE
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "Dockerfile"
        copy.write_text(BASE.sub(r"FROM \g<name> AS base", DOCKERFILE.read_text(encoding="utf-8")), encoding="utf-8")
        yield copy
