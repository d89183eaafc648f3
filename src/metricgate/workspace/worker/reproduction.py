"""Runs what has to be run, and notes what was done for each stage."""

import logging
import sys
import time
from collections.abc import Callable

from metricgate.models.snapshot import Stage, StageState
from metricgate.workspace.messages import Stale
from metricgate.workspace.worker.project import Project


class StageWatcher(logging.Handler):
    """Learns from DVC's log which stage runs, since its API returns no more than the list of those that changed."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say
        self._current: str | None = None
        self._since = 0.0
        self.states: dict[str, StageState] = {}
        self.seconds: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING or record.name == "dvc.stage.run":
            sys.stdout.write(record.getMessage() + "\n")
            sys.stdout.flush()
        template = str(record.msg)
        if template.startswith("Running stage"):
            self._begin(str(record.args[0]) if isinstance(record.args, tuple) else "", "ran")
            self._say(f"running stage {self._current}")
        elif "is cached - skipping run" in template:
            self._begin(str(record.args[0]) if isinstance(record.args, tuple) else "", "cached")
            self._say(f"restored stage {self._current} from DVC's run cache")
        elif template.startswith("Pulling data for"):
            stage = record.args[0] if isinstance(record.args, tuple) else None
            self._begin(str(getattr(stage, "addressing", "")), "restored")

    def _begin(self, stage: str, state: StageState) -> None:
        self.end()
        self._current, self._since = stage, time.monotonic()
        self.states[stage] = state

    def end(self) -> None:
        if self._current is not None:
            self.seconds[self._current] = time.monotonic() - self._since
            self._current = None


def reproduce_stages(project: Project, stale: tuple[Stale, ...], say: Callable[[str], None]) -> tuple[Stage, ...]:
    """Run the stages that need it, like ``dvc repro --pull --allow-missing``, and say what was done for each."""
    stages = project.pipeline_stages
    if not stale:
        return unchanged_stages(project, ())
    watcher = StageWatcher(say)
    log = logging.getLogger("dvc")
    log.addHandler(watcher)
    log.setLevel(logging.INFO)
    try:
        targets = sorted({stage.path for stage in stages})
        project.repo.reproduce(targets=targets, pull=project.has_remote, allow_missing=True)
    finally:
        watcher.end()
        log.removeHandler(watcher)
    return tuple(
        Stage(
            name=project.stage_name(stage),
            state=watcher.states.get(stage.addressing, "unchanged"),
            seconds=watcher.seconds.get(stage.addressing),
        )
        for stage in stages
    )


def unchanged_stages(project: Project, stale: tuple[Stale, ...]) -> tuple[Stage, ...]:
    """Return the stages of a project that is only read."""
    lagging = {entry.stage for entry in stale}
    names = map(project.stage_name, project.pipeline_stages)
    return tuple(Stage(name=name, state="unknown" if name in lagging else "unchanged") for name in names)
