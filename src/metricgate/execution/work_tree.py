"""Where and how results are produced."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from metricgate.execution.inspections import Inspections
from metricgate.processes.command import CompletedCommand, run_command, scrub_environment
from metricgate.processes.owner import Owner
from metricgate.processes.progress import Progress
from metricgate.settings.policy import PipelineSpec


@dataclass(frozen=True, kw_only=True)
class ProduceOptions:
    """How results are produced.

    ``scratch`` is an empty folder that lives as long as the run: files of other revisions are put there.
    ``timeout_s`` is for the pipeline, in seconds of wall time. ``pipeline`` is that revision's own. ``reuse_stored``:
    a candidate whose pipeline has the inputs of a run on the default branch is not run, that run's results are its own.
    ``inspections`` are of other revisions, for the worker that is asked about the candidate.
    """

    scratch: Path
    reproduce: Literal["if-needed", "never"] = "if-needed"
    baseline_results: Literal["auto", "stored", "reproduce"] = "auto"
    timeout_s: float | None = None
    pipeline: PipelineSpec = field(default_factory=PipelineSpec)
    reuse_stored: bool = False
    inspections: Inspections = field(default_factory=Inspections)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where results are produced: the project's folder, whose it is, and where files, logs and environments go.

    ``name`` begins the names of log files. ``shares_with`` is set for a work tree: the checkout whose cache it uses.
    """

    directory: Path
    files: Path
    logs: Path
    name: str
    progress: Progress
    owner: Owner | None = None
    shares_with: Path | None = None

    def make_folder(self, folder: Path) -> Path:
        """Create ``folder`` so that the worker can write into it."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.owner is not None:
            os.chown(folder, self.owner.uid, self.owner.gid)
        return folder

    def run(
        self,
        args: Sequence[str] | str,
        *,
        log: str,
        timeout_s: float | None,
        environment: Mapping[str, str] | None = None,
        as_owner: bool = True,
    ) -> CompletedCommand:
        """Run a program, or a shell command given as text, in the project's folder; its output goes to ``log``.

        Like GitHub's own steps, a command of several lines ends at the first that fails.
        """
        owner = self.owner if as_owner else None
        home = owner.environment(str(self.files)) if owner else {}
        with self.progress.passthrough() as output:
            return run_command(
                ["/bin/sh", "-e", "-c", args] if isinstance(args, str) else args,
                cwd=self.directory,
                env=scrub_environment(os.environ) | home | dict(environment or {}),
                log=self.logs / f"{self.name}-{log}.log",
                output=output,
                timeout_s=timeout_s,
                owner=owner,
            )
