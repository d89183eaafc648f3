"""Whether the stages' packages can be installed, found before anything is trained."""

import os
import re
from collections.abc import Iterator

from metricgate.errors import MetricgateError
from metricgate.execution.active_environment import LOCK, find_active, satisfies
from metricgate.processes.command import run_command, scrub_environment
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy
from metricgate.starter.checkup_finding import Finding, broken, fine, notice

TIMEOUT_S = 90.0
_OFFLINE = re.compile(
    r"failed to fetch|error sending request|dns error|timed? ?out|network was disabled|connect", re.IGNORECASE
)
# The name on PyPI of a placeholder that fails on purpose, and of what people mean.
_PLACEHOLDER = re.compile(r"^\s*sklearn\b(?!-)", re.MULTILINE | re.IGNORECASE)


def examine_requirements(checkout: Checkout, policy: Policy) -> Iterator[Finding]:
    """Check that the file exists, and that a Python that satisfies it is active or can be built."""
    name, version = policy.pipeline.requirements, policy.pipeline.python_version
    if name is None:
        return
    file = checkout.directory / name
    if not file.is_file():
        yield broken(f"The policy's requirements file {name} does not exist.", "Correct `pipeline: {requirements: …}`.")
        return
    if file.name != LOCK and _PLACEHOLDER.search(file.read_text(encoding="utf-8", errors="replace")):
        yield broken(f"{name} names sklearn, which is not installable.", "Write scikit-learn instead.")
        return
    try:
        active = find_active()
        if active is not None and satisfies(active, file, version, directory=checkout.directory):
            yield fine(f"The active environment satisfies {name}.")
            return
        yield from _resolve(checkout, name, version)
    except MetricgateError as error:
        yield notice(f"Whether {name} can be installed is not known: {error.what}", "Run `uv pip compile` on it.")


def _resolve(checkout: Checkout, name: str, version: str | None) -> Iterator[Finding]:
    from uv import find_uv_bin  # noqa: PLC0415  only where an environment is asked for

    if name.endswith(LOCK):
        return
    ask = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--output-file", os.devnull, name]
    done = run_command(
        [*ask, *(["--python-version", version] if version else [])],
        cwd=checkout.directory,
        env=scrub_environment(os.environ) | {"UV_NO_PROGRESS": "1"},
        timeout_s=TIMEOUT_S,
        owner=checkout.owner,
    )
    if done.returncode == 0:
        yield fine(f"{name} can be installed.")
        return
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    reason = " ".join(lines[:3]) or "uv gave no reason"
    if _OFFLINE.search(done.output):
        yield notice(f"Whether {name} can be installed is not known: {reason}", "Try again with the network.")
    else:
        yield broken(f"{name} cannot be installed: {reason}", "Correct it: CI installs it before it trains.")
