"""Runs the stages that must run, and records what was done for each stage."""

from collections.abc import Iterable, Mapping
from typing import Any

from dvc.repo import lock_repo

from metricgate.execution.worker.cache_objects import check_restored
from metricgate.execution.worker.data_pull import pull_inputs, pull_run_cache
from metricgate.execution.worker.dvc_failures import PipelineFailedError, RemoteFailedError
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.kept_results import keep_uncached
from metricgate.execution.worker.stage_watcher import Say, StageWatcher
from metricgate.models.snapshot import Stage

_RESTORED = ("cached", "restored")


class Reproduction:
    """Runs stages of a work tree, like ``dvc repro --pull --allow-missing``.

    Unlike it, inputs are brought first and checked against their hashes, and a remote that fails matters only where
    something is needed from it.
    """

    def __init__(self, project: Project, say: Say, *, run_cache: bool = True) -> None:
        self._project = project
        self._say = say
        self._run_cache = run_cache
        self._watcher = StageWatcher(say)
        self._pull: bool | None = None

    def find_missing(self, stages: Iterable[Any]) -> str:
        """Bring what the stages need; return why that is impossible, or an empty text.

        What another stage can write again is not missing.
        """
        try:
            pull_inputs(self._project, self._project.find_dependants(stages), self._say)
        except (PipelineFailedError, RemoteFailedError) as error:
            return str(error)
        return ""

    def run(self, stale: Iterable[Any], lost: Iterable[Any] = ()) -> None:
        """Run stages that are stale, stages that are ``lost``, and what depends on them.

        A lost stage has a good record, but its results are neither in the cache nor in the remote, or must not be
        believed. An input that is nowhere makes the stage that wrote it a lost one.
        """
        project, again = self._project, set(lost)
        while more := pull_inputs(project, project.find_dependants({*stale, *again}), self._say):
            again |= more
        if not again:
            self._reproduce(sorted({stage.path for stage in project.pipeline_stages}))
            return
        # DVC's --allow-missing takes a lost result for an unchanged one: those stages are forced, one by one.
        affected = project.find_dependants({*stale, *again})
        in_order = sorted(affected, key=lambda stage: len(project.find_dependencies(stage)))
        for address, is_lost, is_frozen in [(s.addressing, s in again, s.frozen) for s in in_order]:
            if is_lost and is_frozen:
                self._thaw(address)
            else:
                self._reproduce([address], single_item=True, force=is_lost)

    @property
    def last_started(self) -> str:
        """DVC's name of the stage that ran last, or runs; empty where none did."""
        return next(reversed(self._watcher.states), "")

    def describe(self) -> tuple[Stage, ...]:
        """Return what was done for each stage."""
        states, seconds = self._watcher.states, self._watcher.seconds
        return tuple(
            Stage(
                name=self._project.stage_name(stage),
                state=states.get(stage.addressing, "unchanged"),
                seconds=seconds.get(stage.addressing),
            )
            for stage in self._project.pipeline_stages
        )

    def _reproduce(self, targets: list[str], **how: bool) -> None:
        if self._pull is None:
            self._pull = pull_run_cache(self._project, self._say, wanted=self._run_cache)
        with self._watcher.watch(), keep_uncached(self._project):
            self._project.repo.reproduce(
                targets=targets, pull=self._pull, allow_missing=True, run_cache=self._run_cache, **how
            )
        self._project.forget()
        states = self._watcher.states
        restored = [stage for stage in self._project.pipeline_stages if states.get(stage.addressing) in _RESTORED]
        check_restored(self._project, restored)

    def _thaw(self, address: str) -> None:
        """Run a frozen stage, which DVC's own `repro` leaves alone, whatever else it is told."""
        repo = self._project.repo
        with self._watcher.watch(), keep_uncached(self._project), lock_repo(repo):
            [stage] = repo.stage.collect(address)
            stage.frozen = False
            if stage.reproduce(force=True, interactive=False):
                stage.dump(update_pipeline=False)
        self._project.forget()


def unchanged_stages(project: Project, stale: Mapping[Any, str]) -> tuple[Stage, ...]:
    """Return the stages of a project that is only read."""
    return tuple(
        Stage(name=project.stage_name(stage), state="unknown" if stage in stale else "unchanged")
        for stage in project.pipeline_stages
    )
