"""MetricGate's side of its worker: start it, pass a request, follow it, take the answer."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from metricgate.errors import WorkspaceError
from metricgate.execution.messages import MESSAGES, Answer, Failed, FoundFile, Happened, Request
from metricgate.processes.environment import scrub_environment
from metricgate.processes.owner import Owner, may_read
from metricgate.processes.progress import Progress
from metricgate.processes.running import RunningCommand, start_command

_WORKER = "metricgate.execution.worker"


@dataclass
class _Replies:
    """Collects the worker's lines; the last answer or failure counts."""

    progress: Progress
    rest: bytes = b""
    outcome: Answer | Failed | None = None

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

    After it ran code of one revision it is asked about no other.
    """

    running: RunningCommand
    replies: _Replies
    timeout_s: float | None
    owner: Owner | None = None

    def ask(self, request: Request, *, last: bool = False) -> Answer:
        """Have one request answered. After the ``last``, standard input ends: stages have the same, and may read it.

        Raises
        ------
        WorkspaceError
            With the worker's sentences and the last lines of its output; TimeLimitError if it takes too long.
        """
        self.replies.outcome = None
        self.running.send(request.model_dump_json().encode() + b"\n")
        if last:
            self.running.close_input()
        try:
            self.running.attend(timeout_s=self.timeout_s, until=lambda: self.replies.outcome is not None and not last)
        except ValidationError as error:
            raise _explain_lost(f"gave an answer that cannot be read ({error.error_count()} errors)", "") from error
        output = self.running.last_lines()
        match self.replies.outcome:
            case Answer() as answer:
                return withhold_unreadable(answer, self.owner)
            case Failed() as failed:
                details = "\n".join(part for part in (output, failed.details) if part)
                fix = explain_missing_module(output) or failed.fix
                raise WorkspaceError(failed.what, expected=failed.expected, fix=fix, details=details)
            case None:
                returncode = self.running.process.returncode
                raise _explain_lost(f"ended with exit code {returncode} and no answer", output)


@contextmanager
def start_worker(
    directory: Path,
    files: Path,
    *,
    progress: Progress,
    log: Path,
    owner: Owner | None = None,
    timeout_s: float | None = None,
) -> Iterator[WorkerSession]:
    """Start a worker in ``directory``; ``files`` is a folder it may write to, ``timeout_s`` is for each request."""
    replies = _Replies(progress)
    env = scrub_environment(os.environ) | (owner.environment(str(files)) if owner else {})
    with (
        progress.passthrough() as output,
        start_command(
            # -P and an absolute interpreter: the project's own folder must not provide our modules.
            [sys.executable, "-P", "-m", _WORKER],
            cwd=directory,
            env=env,
            log=log,
            output=output,
            reply=replies.take,
            owner=owner,
        ) as running,
    ):
        yield WorkerSession(running=running, replies=replies, timeout_s=timeout_s, owner=owner)
        running.close_input()
        running.attend(timeout_s=timeout_s)


def withhold_unreadable(answer: Answer, owner: Owner | None) -> Answer:
    """Return the answer without files that the owner of the checkout, and so the pipeline, may not read himself.

    A result can be a link: to the environment of our own process, say, which holds the action's token.
    """

    def check(file: FoundFile) -> FoundFile:
        if file.local is None or may_read(Path(file.local), owner):
            return file
        return FoundFile(path=file.path, problem=f"{file.path} leads to a file that the checkout's owner may not read")

    return answer.model_copy(
        update={
            "metrics": tuple(map(check, answer.metrics)),
            "predictions": tuple(map(check, answer.predictions)),
            "plots": tuple(plot.model_copy(update={"file": check(plot.file)}) for plot in answer.plots),
        }
    )


def ask_worker(
    request: Request,
    *,
    progress: Progress,
    log: Path,
    owner: Owner | None = None,
    timeout_s: float | None = None,
) -> Answer:
    """Have one request answered by a worker process of its own; raises as ``WorkerSession.ask``."""
    directory, files = Path(request.directory), Path(request.files)
    with start_worker(directory, files, progress=progress, log=log, owner=owner, timeout_s=timeout_s) as session:
        return session.ask(request, last=True)


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
        fix="look at the last lines of its output; exit code -9 is most often a lack of memory.",
        details=output,
    )
