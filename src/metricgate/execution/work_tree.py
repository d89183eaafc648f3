"""The folder in which a revision's results are produced or read."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metricgate.context import RunContext
from metricgate.processes.command import CompletedCommand, scrub_environment
from metricgate.processes.owner import Owner, describe_user
from metricgate.processes.running_command import RunningCommand, start_command


@dataclass(frozen=True, kw_only=True)
class WorkTree:
    """The project's folder at one revision: the checkout's, or one in a Git work tree of its own.

    Attributes
    ----------
    files : a folder of the run for what is found or made there
    name : begins the names of log files
    shares_with : the checkout's folder whose DVC cache is used; None for the checkout itself
    """

    context: RunContext
    directory: Path
    files: Path
    name: str
    shares_with: Path | None = None

    @property
    def owner(self) -> Owner | None:
        return self.context.checkout.owner

    @property
    def log(self) -> str:
        """The name of the worker's log."""
        return f"{self.name}.log"

    def make_folder(self, folder: Path) -> Path:
        """Create ``folder`` so that the worker can write into it."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.owner is not None:
            os.chown(folder, self.owner.uid, self.owner.gid)
        return folder

    @contextmanager
    def start(
        self,
        args: Sequence[str] | str,
        *,
        log: str,
        environment: Mapping[str, str] | None = None,
        as_owner: bool = True,
    ) -> Iterator[RunningCommand]:
        """Start a program, or a shell command given as text, in the project's folder; its output goes to ``log``.

        Like GitHub's own steps, a command of several lines ends at the first that fails.
        """
        owner = self.owner if as_owner else None
        home = describe_user(owner, str(self.files))
        with (
            self.context.progress.passthrough() as output,
            start_command(
                ["/bin/sh", "-e", "-c", args] if isinstance(args, str) else args,
                cwd=self.directory,
                env=scrub_environment(os.environ) | home | dict(environment or {}),
                log=self.context.logs / f"{self.name}-{log}.log",
                output=output,
                owner=owner,
            ) as running,
        ):
            running.close_input()
            yield running

    def run(self, args: Sequence[str] | str, *, log: str, as_owner: bool, **environment: str) -> CompletedCommand:
        """Run a program or a shell command to its end; raises TimeLimitError after the run's time limit."""
        with self.start(args, log=log, environment=environment, as_owner=as_owner) as running:
            running.attend(timeout_s=self.context.timeout_s)
        return describe_end(running)


def describe_end(running: RunningCommand) -> CompletedCommand:
    """Return how a command ended, once its context was left and its output is complete."""
    seconds = time.monotonic() - running.started
    return CompletedCommand(returncode=running.process.returncode, output=running.last_lines(), seconds=seconds)
