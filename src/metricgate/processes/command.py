"""Runs a program to its end: a long one that is watched, or a short one whose output is wanted."""

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import TimeLimitError
from metricgate.processes.owner import Owner
from metricgate.processes.running_command import end_group, start_command, start_process
from metricgate.processes.secret_mask import is_for_services_only

# MetricGate's own tokens and inputs, the runner's credentials, and the files that set its outputs and variables. What
# DVC needs to reach its remote (AWS_*, GOOGLE_*, AZURE_*, proxies) stays: the repository's pipeline needs it too. So does
# what no rule here knows; settings of services that are told about a run are in secret_mask.py.
_WITHHELD = re.compile(
    r"(?:INPUT_|ACTIONS_|STATE_|METRICGATE_TOKEN).*"
    r"|GITHUB_TOKEN|GH_TOKEN|GH_ENTERPRISE_TOKEN|GITHUB_ENTERPRISE_TOKEN"
    r"|GITHUB_(?:ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)"
    # Set by Git hooks, and so by a hook that starts MetricGate: they would send every command to another repository.
    r"|GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|OBJECT_DIRECTORY|COMMON_DIR)"
)


def scrub_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without what repository code must not see, and with DVC's analytics off."""
    kept = {
        name: value
        for name, value in environ.items()
        if not _WITHHELD.fullmatch(name) and not is_for_services_only(name, value)
    }
    return {**kept, "DVC_NO_ANALYTICS": "1", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, kw_only=True)
class CompletedCommand:
    """How a process ended. ``output``: its last lines, untrusted."""

    returncode: int
    output: str
    seconds: float


def run_command(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path | None = None,
    output: Callable[[str], None] = lambda _: None,
    timeout_s: float | None = None,
    owner: Owner | None = None,
) -> CompletedCommand:
    """Run a process without input and return how it ended; its group never outlives this call.

    Raises
    ------
    TimeLimitError
        After ``timeout_s`` seconds of wall time; the group has been ended.
    WorkspaceError
        If it cannot be started.
    """
    with start_command(args, cwd=cwd, env=env, log=log, output=output, owner=owner) as running:
        running.close_input()
        running.attend(timeout_s=timeout_s)
    return CompletedCommand(
        returncode=running.process.returncode,
        output=running.last_lines(),
        seconds=time.monotonic() - running.started,
    )


def capture_command(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    owner: Owner | None = None,
    request: bytes = b"",
    timeout_s: float = 600,
) -> subprocess.CompletedProcess[bytes]:
    """Run a short, trusted program (Git) with ``request`` as its input; return all of its output and error."""
    with start_process(args, cwd=cwd, env=env, owner=owner, stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(request, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            end_group(process, owner)
            raise TimeLimitError(
                f"`{' '.join(args[:3])}` was stopped after {timeout_s:g} s.",
                expected="an answer from Git.",
                fix="check that the Git server can be reached.",
                topic="git-did-not-answer",
            ) from error
        except BaseException:
            end_group(process, owner)
            raise
    return subprocess.CompletedProcess(list(args), process.returncode, out, err)
