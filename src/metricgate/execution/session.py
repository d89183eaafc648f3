"""MetricGate's side of its worker: start it, send a request, follow it, receive the reply."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from metricgate.context import RunContext, Traffic
from metricgate.errors import WorkspaceError
from metricgate.execution import memory
from metricgate.execution.memory import describe_kill
from metricgate.execution.messages import MESSAGES, Failed, FoundFile, Happened, WorkerReply, WorkerRequest
from metricgate.processes.command import scrub_environment
from metricgate.processes.owner import Owner, describe_user, may_read
from metricgate.processes.progress import Progress
from metricgate.processes.running_command import RunningCommand, start_command

_WORKER = "metricgate.execution.worker"


@dataclass
class _Replies:
    """Collects the worker's lines; the last reply or failure counts."""

    progress: Progress
    rest: bytes = b""
    outcome: WorkerReply | Failed | None = None

    def take(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            message = MESSAGES.validate_json(line)
            if isinstance(message, Happened):
                self.progress.line(message.text, ends=message.ends)
            else:
                self.outcome = message


@dataclass(kw_only=True)
class WorkerSession:
    """A worker that answers one request after the other, so that DVC is imported once.

    After it ran code of one revision it must not be asked about another.
    """

    running: RunningCommand
    replies: _Replies
    timeout_s: float | None
    traffic: Traffic
    owner: Owner | None = None

    def ask(self, request: WorkerRequest, *, last: bool = False) -> WorkerReply:
        """Send a request and return the reply; raises as ``receive``."""
        self.send(request, last=last)
        return self.receive(last=last)

    def send(self, request: WorkerRequest, *, last: bool = False) -> None:
        """Send a request. After the ``last``, standard input ends: stages share it, and may read it."""
        self.replies.outcome = None
        self.running.send(request.model_dump_json().encode() + b"\n")
        if last:
            self.running.close_input()

    def receive(self, *, last: bool = False) -> WorkerReply:
        """Follow the worker until it has answered, and after the ``last`` request until it has ended.

        Raises
        ------
        WorkspaceError
            With the worker's sentences and the last lines of its output; TimeLimitError if it takes too long.
        """
        try:
            self.running.attend(timeout_s=self.timeout_s, until=lambda: self.replies.outcome is not None and not last)
        except ValidationError as error:
            raise _explain_lost(f"sent a malformed reply ({error.error_count()} errors)", "") from error
        output = self.running.last_lines()
        match self.replies.outcome:
            case WorkerReply() as reply:
                self.traffic.pulled += reply.pulled
                return withhold_unreadable(reply, self.owner)
            case Failed() as failed:
                details = "\n".join(part for part in (output, failed.details) if part)
                fix = explain_missing_module(output) or failed.fix
                raise WorkspaceError(
                    failed.what, expected=failed.expected, fix=fix, details=details, topic=failed.topic
                )
            case None:
                returncode = self.running.process.returncode
                ended = f"was {describe_kill(returncode)}" if describe_kill(returncode) else f"ended with {returncode}"
                raise _explain_lost(f"{ended} and sent no reply", output)


@contextmanager
def start_worker(
    context: RunContext, directory: Path, files: Path, *, log: str, timeout_s: float | None = None
) -> Iterator[WorkerSession]:
    """Start a worker in ``directory``, and yield a session with it.

    ``files`` is a folder that the worker may write to, ``timeout_s`` the limit for each request.
    """
    owner, replies = context.checkout.owner, _Replies(context.progress)
    env = scrub_environment(os.environ) | describe_user(owner, str(files))
    with (
        context.progress.passthrough() as output,
        start_command(
            # -P and an absolute interpreter: the project's folder must not provide MetricGate's modules.
            [sys.executable, "-P", "-m", _WORKER],
            cwd=directory,
            env=env,
            log=context.logs / log,
            output=output,
            reply=replies.take,
            owner=owner,
        ) as running,
    ):
        yield WorkerSession(running=running, replies=replies, timeout_s=timeout_s, traffic=context.traffic, owner=owner)
        running.close_input()
        running.attend(timeout_s=timeout_s)


def ask_worker(context: RunContext, request: WorkerRequest, *, log: str, timeout_s: float | None = None) -> WorkerReply:
    """Return the reply of a worker that is started for this request alone; raises as ``WorkerSession.receive``."""
    with start_worker(context, request.directory, request.files, log=log, timeout_s=timeout_s) as session:
        return session.ask(request, last=True)


def withhold_unreadable(reply: WorkerReply, owner: Owner | None) -> WorkerReply:
    """Return the reply without files that the owner of the checkout, and so the pipeline, may not read.

    A result can be a link, for example to the environment of MetricGate's own process, which holds the action's token.
    """

    def check(file: FoundFile) -> FoundFile:
        if file.local is None or may_read(Path(file.local), owner):
            return file
        return FoundFile(path=file.path, problem=f"{file.path} leads to a file that the checkout's owner may not read")

    return reply.map_files(check)


def explain_missing_module(output: str) -> str:
    """Return what to do where a stage ended because Python lacked a module; empty where that is not the cause."""
    missing = re.search(r"^(?:ModuleNotFound|Import)Error: No module named '([\w.]+)'", output, re.MULTILINE)
    if missing is None:
        return ""
    return (
        f"the stages' Python has no module {missing[1]}: name your requirements file in metricgate.yaml "
        "(`pipeline: {requirements: requirements.txt}`), or add the module to that file."
    )


def _explain_lost(what: str, output: str) -> WorkspaceError:
    return WorkspaceError(
        f"The pipeline's worker process {what}.",
        expected="a worker that lives until the pipeline has ended.",
        fix=f"look at the last lines of its output; where it was killed, {memory.FIX}",
        details=output,
        topic="the-worker-process-ended",
    )
