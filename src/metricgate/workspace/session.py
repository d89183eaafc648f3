"""MetricGate's side of its worker: start it, pass a request, follow it, take the answer."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from metricgate.errors import WorkspaceError
from metricgate.processes.command import run_command
from metricgate.processes.environment import scrub_environment
from metricgate.processes.owner import Owner
from metricgate.processes.progress import Progress
from metricgate.workspace.messages import MESSAGES, Answer, Failed, Happened, Request

_WORKER = "metricgate.workspace.worker"


@dataclass
class _Conversation:
    """Collects the worker's lines; the last answer or failure counts."""

    progress: Progress
    rest: bytes = b""
    outcome: Answer | Failed | None = None

    def take(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            message = MESSAGES.validate_json(line)
            if isinstance(message, Happened):
                self.progress.line(message.text)
            else:
                self.outcome = message


def ask_worker(
    request: Request,
    *,
    progress: Progress,
    log: Path,
    owner: Owner | None = None,
    timeout_s: float | None = None,
    environment: dict[str, str] | None = None,
) -> Answer:
    """Have one request answered by a worker process of its own.

    Raises
    ------
    WorkspaceError
        With the worker's sentences and the last lines of its output; TimeLimitError after ``timeout_s``.
    """
    conversation = _Conversation(progress)
    env = scrub_environment(os.environ) | (owner.environment(request.files) if owner else {}) | (environment or {})
    with progress.passthrough() as output:
        try:
            ended = run_command(
                # -P and an absolute interpreter: the project's own folder must not provide our modules.
                [sys.executable, "-P", "-m", _WORKER],
                cwd=Path(request.directory),
                env=env,
                log=log,
                output=output,
                request=request.model_dump_json().encode(),
                reply=conversation.take,
                timeout_s=timeout_s,
                owner=owner,
            )
        except ValidationError as error:
            raise _explain_lost(f"gave an answer that cannot be read ({error.error_count()} errors)", "") from error
    match conversation.outcome:
        case Answer() as answer:
            return answer
        case Failed() as failed:
            details = "\n".join(part for part in (ended.output, failed.details) if part)
            fix = explain_missing_module(ended.output) or failed.fix
            raise WorkspaceError(failed.what, expected=failed.expected, fix=fix, details=details)
        case None:
            raise _explain_lost(f"ended with exit code {ended.returncode} and no answer", ended.output)


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
