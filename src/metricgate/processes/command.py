"""Starts a process and stays with it to its end, or ends it."""

import codecs
import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.processes.mask import Mask, MaskedOutput
from metricgate.processes.output import OutputLog
from metricgate.processes.owner import Owner

GRACE_S = 2.0  # GitHub's runner gives 7.5 s after SIGINT: this, and time for the last words
_DRAIN_S = 0.5


@dataclass(frozen=True, kw_only=True)
class CompletedCommand:
    """How a process ended. ``output``: its last lines, untrusted."""

    returncode: int
    output: str
    seconds: float


def end_group(process: subprocess.Popen[bytes], grace_s: float = GRACE_S) -> None:
    """End the process and everything in its group: SIGTERM, then SIGKILL for what is left after ``grace_s``."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        if _is_group_gone(process, time.monotonic() + grace_s):
            return


def _is_group_gone(process: subprocess.Popen[bytes], until: float) -> bool:
    while time.monotonic() < until:
        if process.poll() is not None:  # the leader is reaped; the rest of its group may outlive it
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-process.pid, os.WNOHANG)  # as PID 1 of a container, orphans are ours to reap
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def _start(
    args: Sequence[str], *, cwd: Path, env: Mapping[str, str], owner: Owner | None, reply: int | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(args),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            pass_fds=() if reply is None else (reply,),
            user=None if owner is None else owner.uid,
            group=None if owner is None else owner.gid,
            extra_groups=None if owner is None else [],
        )
    except OSError as error:
        raise WorkspaceError(
            f"{args[0]} could not be started: {error.strerror or error}.",
            expected=f"the program {args[0]} on PATH and a folder {cwd} that can be entered.",
            fix=f"install {args[0]}, or correct PATH.",
        ) from error


class _Reader:
    """Reads a process's pipes until both are closed or the time is up."""

    def __init__(self, output: Callable[[str], None], reply: Callable[[bytes], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._output = output
        self._reply = reply

    def add(self, stream: IO[bytes], *, is_reply: bool) -> None:
        os.set_blocking(stream.fileno(), False)
        self._selector.register(stream, selectors.EVENT_READ, is_reply)

    def run(self, process: subprocess.Popen[bytes], deadline: float | None) -> bool:
        """Return whether the process ended in time. A grandchild that keeps the pipe open is not waited for."""
        ended_at: float | None = None
        while self._selector.get_map():
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                return False
            if ended_at is not None and now - ended_at > _DRAIN_S:
                break
            for key, _ in self._selector.select(timeout=0.1):
                self._take(key)
            if ended_at is None and process.poll() is not None:
                ended_at = time.monotonic()
        try:
            process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _take(self, key: selectors.SelectorKey) -> None:
        data = os.read(key.fd, 65536)
        if not data:
            self._selector.unregister(key.fileobj)
        if key.data:
            self._reply(data)
        else:
            self._output(self._decode(data, final=not data))


def run_command(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path | None = None,
    output: Callable[[str], None] = lambda _: None,
    request: bytes = b"",
    reply: Callable[[bytes], None] | None = None,
    timeout_s: float | None = None,
    owner: Owner | None = None,
) -> CompletedCommand:
    """Run a process in a group of its own and return how it ended; its group never outlives this call.

    Parameters
    ----------
    log : file that keeps the output (bounded, secrets of our environment hidden).
    output : also called with the output as it comes, untrusted.
    request : bytes for its standard input, which then ends; at most 64 KiB (the pipe's size).
    reply : called with bytes from a second pipe, whose number the process finds in METRICGATE_REPLY.
    timeout_s : wall-clock seconds.
    owner : the user to run as; None is ours.

    Raises
    ------
    TimeLimitError
        After ``timeout_s``; the group has been ended.
    WorkspaceError
        If it cannot be started.
    """
    started = time.monotonic()
    reply_in, reply_out = os.pipe() if reply is not None else (None, None)
    environment = dict(env) if reply_out is None else {**env, "METRICGATE_REPLY": str(reply_out)}
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(OutputLog(log))

        def keep(text: str) -> None:
            kept.write(text)
            output(text)

        masked = MaskedOutput(Mask.of(os.environ), keep)
        reader = _Reader(masked, reply or (lambda _: None))
        try:
            if reply_in is not None:
                reader.add(stack.enter_context(os.fdopen(reply_in, "rb", buffering=0)), is_reply=True)
            process = _start(args, cwd=cwd, env=environment, owner=owner, reply=reply_out)
        finally:
            if reply_out is not None:
                os.close(reply_out)
        try:
            assert process.stdin is not None  # noqa: S101  asked for with PIPE
            assert process.stdout is not None  # noqa: S101
            stack.enter_context(process.stdout)
            reader.add(process.stdout, is_reply=False)
            with contextlib.suppress(BrokenPipeError), process.stdin as standard_input:
                standard_input.write(request)
            in_time = reader.run(process, None if timeout_s is None else started + timeout_s)
        finally:
            masked.flush()
            end_group(process)
        if not in_time:
            raise TimeLimitError(
                f"The pipeline was stopped after {timeout_s:g} s.",
                expected="a pipeline that ends within its time limit.",
                fix="raise timeout-minutes, or train elsewhere and commit dvc.lock.",
                details=kept.last_lines(),
            )
        return CompletedCommand(
            returncode=process.returncode, output=kept.last_lines(), seconds=time.monotonic() - started
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
