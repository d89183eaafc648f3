"""Where the code of a revision runs: what a job is, and what an executor promises."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from metricgate.execution.messages import Produce, WorkerReply
from metricgate.execution.work_tree import WorkTree
from metricgate.settings.policy import PipelineSpec


@dataclass(frozen=True, kw_only=True)
class ShellCommand:
    """A command of the policy; ``title`` and ``expected`` are for the error if it fails.

    One that ``may_fail`` tells more than its exit code does: the reply has that code, and the last lines of its output.
    """

    text: str
    title: str
    expected: str
    environment: tuple[tuple[str, str], ...] = ()
    may_fail: bool = False


@dataclass(frozen=True, kw_only=True)
class Job:
    """Code of one revision: its pipeline's stages, or a command, in the Python that ``pipeline`` asks for."""

    tree: WorkTree
    pipeline: PipelineSpec
    code: Produce | ShellCommand


class RunningJob(Protocol):
    """A job that was started."""

    def wait(self) -> WorkerReply:
        """Follow the job to its end, and return what it produced: the stages, their Python, and what was read there.

        What a command wrote is read from the work tree afterwards, and is not in the reply.

        Raises
        ------
        WorkspaceError
            If the code fails; TimeLimitError if it takes longer than the run's ``timeout_s``.
        """
        ...


class Executor(Protocol):
    """Runs jobs. An implementation promises:

    - a job's code sees the files of ``job.tree`` and the Python that ``job.pipeline`` asks for, and no token;
    - once ``wait`` has returned, what the code wrote lies in ``job.tree``;
    - while ``wait`` lasts, the output goes to the run's progress and to a log in its folder of logs;
    - jobs may be started before others have ended, unless they share a worker session.

    Reading, hashing and comparing inputs is not a job: it stays on this machine.
    """  # noqa: D400  a list

    def start(self, job: Job) -> AbstractContextManager[RunningJob]:
        """Start a job. Leaving the context stops whatever still runs.

        Raises
        ------
        WorkspaceError
            If the Python cannot be set up; ConfigurationError if the requirements file does not exist.
        """
        ...
