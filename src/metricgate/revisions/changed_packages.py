"""Changed files that may ask for other packages than the baseline's."""

import posixpath
import tomllib
from collections.abc import Iterable, Mapping

from metricgate.revisions.changed_files import Sides
from metricgate.settings.policy import Policy

PACKAGES = (
    "requirements*.txt",
    "requirements/*.txt",
    "constraints*.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "uv.lock",
    "uv.toml",
    "poetry.lock",
    "pdm.lock",
    "pixi.toml",
    "pixi.lock",
    "Pipfile",
    "Pipfile.lock",
    "environment.yml",
    "environment.yaml",
    "conda*.yml",
    "conda-lock.yml",
    ".python-version",
    ".tool-versions",
)
_PACKAGE_TOOLS = frozenset({"uv", "poetry", "pdm", "hatch", "pixi", "setuptools", "flit", "conda-lock"})


def find_packages(sides: Sides, policies: Iterable[Policy]) -> set[str]:
    """Return the changed files that name packages, by their usual names or in a policy."""
    named = {policy.pipeline.requirements for policy in policies if policy.pipeline.requirements}
    return {path for path in sides.find({*PACKAGES, *named}) if _asks_for_others(path, sides)}


def _asks_for_others(path: str, sides: Sides) -> bool:
    """Return whether a file may ask for other packages: in pyproject.toml, settings of linters and tests do not."""
    if posixpath.basename(path) != "pyproject.toml":
        return True
    before, after = (_read_packages(read(path)) for read in (sides.before, sides.after))
    return before is None or before != after


def _read_packages(text: str | None) -> Mapping[str, object] | None:
    try:
        content = tomllib.loads(text or "")
    except ValueError:
        return None
    tools = content.pop("tool", {})
    return content | {name: part for name, part in tools.items() if name in _PACKAGE_TOOLS}
