"""A process in a group of its own while it runs: its input, its output, and how it is ended."""

import codecs
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.processes.owner import Owner
from metricgate.processes.process_output import OutputLog
from metricgate.processes.secret_mask import Mask, MaskedOutput

GRACE_S = 2.0  # GitHub's runner gives 7.5 s after SIGINT: this, and time to publish why the run stopped
_DRAIN_S = 0.5


def end_group(process: subprocess.Popen[bytes], owner: Owner | None = None, grace_s: float = GRACE_S) -> None:
    """End the process and everything in its group: SIGTERM, then SIGKILL for what is left after ``grace_s``."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal_group(process.pid, number, owner)
        if _is_group_gone(process, time.monotonic() + grace_s):
            return


def _signal_group(group: int, number: int, owner: Owner | None) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        # Root in a container without CAP_KILL may not end another user's processes; that user may.
        if owner is not None:
            _signal_as(owner, group, number)


def _signal_as(owner: Owner, group: int, number: int) -> None:
    code = "import os, sys; os.killpg(int(sys.argv[1]), int(sys.argv[2]))"
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(group), str(number)],
        user=owner.uid,
        group=owner.gid,
        extra_groups=[],
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def _is_group_gone(process: subprocess.Popen[bytes], until: float) -> bool:
    while time.monotonic() < until:
        if process.poll() is not None:  # the leader is reaped; the rest of its group may outlive it
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-process.pid, os.WNOHANG)  # as PID 1 of a container, MetricGate has to reap orphans
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # it is there, as another user's
        time.sleep(0.02)
    return False


def start_process(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    owner: Owner | None,
    stderr: int = subprocess.STDOUT,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, with pipes, as ``owner``.

    Raises
    ------
    WorkspaceError
        If it cannot be started.
    """
    try:
        return subprocess.Popen(
            list(args),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            process_group=0,
            pass_fds=pass_fds,
            user=None if owner is None else owner.uid,
            group=None if owner is None else owner.gid,
            extra_groups=None if owner is None else [],
        )
    except OSError as error:
        raise WorkspaceError(
            f"{args[0]} could not be started: {error.strerror or error}.",
            expected=f"the program {args[0]} on PATH and a folder {cwd} that can be entered.",
            fix=f"install {args[0]}, or correct PATH.",
            topic="a-program-could-not-be-started",
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

    def run(self, process: subprocess.Popen[bytes], deadline: float | None, until: Callable[[], bool]) -> bool:
        """Return whether it ended, or ``until`` came true, in time; grandchildren that hold the pipe are ignored."""
        ended_at: float | None = None
        while self._selector.get_map():
            if until():
                return True
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


@dataclass(kw_only=True)
class RunningCommand:
    """A process in a group of its own, for as long as ``start_command`` lasts."""

    process: subprocess.Popen[bytes]
    reader: _Reader
    kept: OutputLog
    started: float

    def send(self, data: bytes) -> None:
        """Write to its standard input; a process that has ended reads nothing.

        At most 64 KiB, the pipe's size, fit in before it reads.
        """
        with contextlib.suppress(BrokenPipeError):
            self._input.write(data)
            self._input.flush()

    def close_input(self) -> None:
        """Close its standard input, which its children share."""
        with contextlib.suppress(BrokenPipeError):
            self._input.close()

    def attend(self, *, timeout_s: float | None = None, until: Callable[[], bool] = lambda: False) -> None:
        """Read what it writes until it ends, or ``until`` returns true.

        Raises
        ------
        TimeLimitError
            After ``timeout_s`` seconds of wall time.
        """
        if self.reader.run(self.process, None if timeout_s is None else time.monotonic() + timeout_s, until):
            return
        raise TimeLimitError(
            f"The pipeline was stopped after {timeout_s:g} s.",
            expected="a pipeline that ends within its time limit.",
            fix="raise timeout-minutes, or train elsewhere and commit dvc.lock.",
            details=self.last_lines(),
            topic="the-pipeline-took-too-long",
        )

    def last_lines(self) -> str:
        return self.kept.last_lines()

    @property
    def _input(self) -> IO[bytes]:
        assert self.process.stdin is not None  # noqa: S101  asked for with PIPE
        return self.process.stdin


@contextlib.contextmanager
def start_command(
    args: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path | None = None,
    output: Callable[[str], None] = lambda _: None,
    reply: Callable[[bytes], None] | None = None,
    owner: Owner | None = None,
) -> Iterator[RunningCommand]:
    """Start a process in a group of its own, which never outlives the context.

    Parameters
    ----------
    log : file that keeps the output (bounded, secrets of MetricGate's environment hidden).
    output : also called with the output as it comes, untrusted.
    reply : called with bytes from a second pipe, whose number the process finds in METRICGATE_REPLY.
    owner : the user to run as; None is MetricGate's own.

    Raises
    ------
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
            descriptors = () if reply_out is None else (reply_out,)
            process = start_process(args, cwd=cwd, env=environment, owner=owner, pass_fds=descriptors)
        finally:
            if reply_out is not None:
                os.close(reply_out)
        running = RunningCommand(process=process, reader=reader, kept=kept, started=started)
        try:
            assert process.stdout is not None  # noqa: S101  asked for with PIPE
            stack.callback(running.close_input)
            reader.add(stack.enter_context(process.stdout), is_reply=False)
            yield running
        finally:
            masked.flush()
            end_group(process, owner)
