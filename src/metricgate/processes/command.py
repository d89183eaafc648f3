"""Runs a program to its end: a long one that is watched, or a short one whose output is wanted."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.processes.owner import Owner
from metricgate.processes.running import end_group, start_command


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
    """Run a short, trusted program (Git) with ``request`` as its input; return its output and error whole."""
    process = None
    try:
        with subprocess.Popen(
            list(args),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            user=None if owner is None else owner.uid,
            group=None if owner is None else owner.gid,
            extra_groups=None if owner is None else [],
        ) as process:
            try:
                out, err = process.communicate(request, timeout=timeout_s)
            except BaseException:
                end_group(process)
                raise
            return subprocess.CompletedProcess(list(args), process.returncode, out, err)
    except OSError as error:
        raise WorkspaceError(
            f"{args[0]} could not be started: {error.strerror or error}.",
            expected=f"the program {args[0]} on PATH.",
            fix=f"install {args[0]}, or correct PATH.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise TimeLimitError(
            f"`{' '.join(args[:3])}` was stopped after {timeout_s:g} s.",
            expected="an answer from Git.",
            fix="check that the Git server can be reached.",
        ) from error
