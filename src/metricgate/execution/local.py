"""The executor that runs jobs on this machine, as the owner of the checkout."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from metricgate.errors import WorkspaceError
from metricgate.execution import memory
from metricgate.execution.environment import find_python, prepare_environment
from metricgate.execution.interface import Job, RunningJob, ShellCommand
from metricgate.execution.memory import describe_kill
from metricgate.execution.messages import WorkerReply
from metricgate.execution.session import WorkerSession, explain_missing_module, start_worker
from metricgate.execution.work_tree import describe_end
from metricgate.models.snapshot import Stage
from metricgate.processes.running_command import RunningCommand


@dataclass(frozen=True)
class LocalExecutor:
    """Runs DVC's stages in the ``session``, whose worker has read the project already, or in a worker of their own."""

    session: WorkerSession | None = None

    @contextmanager
    def start(self, job: Job) -> Iterator[RunningJob]:
        """Set the Python up and start the job; its processes end when the context is left."""
        tree, code = job.tree, job.code
        environment = prepare_environment(tree, job.pipeline)
        with ExitStack() as stack:
            if isinstance(code, ShellCommand):
                tree.context.progress.line(f"running `{code.text}`")
                own = environment | dict(code.environment)
                running = stack.enter_context(tree.start(code.text, log="command", environment=own))
                yield _RunningCommandJob(job, code, environment, running, stack)
                return
            session = self.session or stack.enter_context(
                start_worker(tree.context, tree.directory, tree.files, log=tree.log, timeout_s=tree.context.timeout_s)
            )
            session.send(code.model_copy(update={"environment": tuple(environment.items())}), last=True)
            yield _RunningStages(job, environment, session)


@dataclass(frozen=True)
class _RunningStages:
    job: Job
    environment: dict[str, str]
    session: WorkerSession

    def wait(self) -> WorkerReply:
        reply = self.session.receive(last=True)
        return reply.model_copy(update={"python": find_python(self.job.tree, self.environment)})


@dataclass(frozen=True)
class _RunningCommandJob:
    job: Job
    command: ShellCommand
    environment: dict[str, str]
    running: RunningCommand
    stack: ExitStack

    def wait(self) -> WorkerReply:
        with self.stack:  # what the command left running ends with it, and its log is complete
            self.running.attend(timeout_s=self.job.tree.context.timeout_s)
        ended = describe_end(self.running)
        if killed := describe_kill(ended.returncode):
            what = f"{self.command.title} was {killed}: {self.command.text}"
            raise WorkspaceError(
                what, expected=memory.EXPECTED, fix=memory.FIX, details=ended.output, topic="a-stage-was-killed"
            )
        if ended.returncode != 0 and not self.command.may_fail:
            raise WorkspaceError(
                f"{self.command.title} ended with exit code {ended.returncode}: {self.command.text}",
                expected=self.command.expected,
                fix=explain_missing_module(ended.output) or "run it on your machine and repair it.",
                details=ended.output,
                topic="a-stage-failed",
            )
        stage = Stage(name="command", state="ran", seconds=ended.seconds)
        python = find_python(self.job.tree, self.environment)
        return WorkerReply(stages=(stage,), python=python, exit_code=ended.returncode, output=ended.output)
