"""Runs what has to be run, and notes what was done for each stage."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from metricgate.execution.worker.failures import PipelineFailedError, RemoteFailedError, explain_failure
from metricgate.execution.worker.files import CacheObjects, is_intact
from metricgate.execution.worker.project import Project
from metricgate.execution.worker.remote import check_remote
from metricgate.models.snapshot import Stage, StageState


class Say(Protocol):
    """Shows one line; ``ends``: what an earlier line began is over."""

    def __call__(self, text: str, *, ends: bool = False) -> None: ...


class StageWatcher(logging.Handler):
    """Learns from DVC's log which stage runs, since its API returns no more than the list of those that changed."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.INFO)
        self._say = say
        self._current: str | None = None
        self._since = 0.0
        self.states: dict[str, StageState] = {}
        self.seconds: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        template, argument = str(record.msg), record.args[0] if isinstance(record.args, tuple) and record.args else ""
        if template.startswith("Running stage"):
            self._begin(str(argument), "ran")
            self._say(f"running stage {argument}")
        elif "is cached - skipping run" in template:
            self._begin(str(argument), "cached")
            self._say(f"stage {argument} ran before with these inputs: its outputs come from DVC's run cache")
        elif template.startswith("Pulling data for"):
            self._begin(str(getattr(argument, "addressing", argument)), "restored")

    def _begin(self, stage: str, state: StageState) -> None:
        self.end()
        self._current, self._since = stage, time.monotonic()
        self.states[stage] = state

    def end(self) -> None:
        if self._current is not None:
            seconds = self.seconds[self._current] = time.monotonic() - self._since
            if self.states[self._current] == "ran":
                self._say(f"stage {self._current}: {seconds:.1f} s", ends=True)
            self._current = None


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line of DVC's says more than what we say ourselves, or than advice on `git add`."""
    return not str(record.msg).startswith("Running stage") and record.name != "dvc.repo.scm_context"


@contextmanager
def _watch_log(watcher: StageWatcher) -> Iterator[None]:
    log = logging.getLogger("dvc")
    printers = list(log.handlers)
    for printer in printers:
        printer.addFilter(_is_news)
    log.addHandler(watcher)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        watcher.end()
        log.removeHandler(watcher)
        for printer in printers:
            printer.removeFilter(_is_news)


class Reproduction:
    """Runs stages of a work tree, like ``dvc repro --pull --allow-missing``.

    Unlike it, inputs are brought first and checked against their hashes, and a remote that fails matters only where
    something is needed from it.
    """

    def __init__(self, project: Project, say: Say) -> None:
        self._project = project
        self._say = say
        self._watcher = StageWatcher(say)
        self._pull: bool | None = None

    def run(self, stale: Iterable[Any], lost: Iterable[Any] = ()) -> None:
        """Run stages that are stale, stages whose record is good but whose results nobody has, and what follows them.

        An input that is neither here nor in the remote makes the stage that wrote it a lost one.
        """
        project, again = self._project, set(lost)
        while more := _bring_inputs(project, _affected(project, {*stale, *again}), self._say):
            again |= more
        if not again:
            self._reproduce(sorted({stage.path for stage in project.pipeline_stages}))
            return
        # DVC's --allow-missing takes a lost result for an unchanged one: those stages are forced, one by one.
        affected = sorted(_affected(project, {*stale, *again}), key=lambda stage: len(_upstream(project, stage)))
        for address, is_lost in [(stage.addressing, stage in again) for stage in affected]:
            self._reproduce([address], single_item=True, force=is_lost)

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
            self._pull = _pull_run_cache(self._project, self._say)
        with _watch_log(self._watcher):
            self._project.repo.reproduce(targets=targets, pull=self._pull, allow_missing=True, **how)
        self._project.forget()
        states = self._watcher.states
        stages = [stage for stage in self._project.pipeline_stages if states.get(stage.addressing) in _RESTORED]
        _check_restored(self._project, stages)


def pull_data(project: Project, say: Say) -> None:
    """Check out all data that was added with ``dvc add`` and is missing: what a command reads is not known."""
    objects = CacheObjects(project)
    for stage in project.stages:
        for out in stage.outs if not stage.cmd else ():
            if out.use_cache and out.hash_info and not out.exists:
                say(f"pulling {project.name(out.fs_path)}{_describe_size(out)}")
                _check_out(project, objects, out, None)


_RESTORED = ("cached", "restored")


def unchanged_stages(project: Project, stale: Mapping[Any, str]) -> tuple[Stage, ...]:
    """Return the stages of a project that is only read."""
    return tuple(
        Stage(name=project.stage_name(stage), state="unknown" if stage in stale else "unchanged")
        for stage in project.pipeline_stages
    )


def _affected(project: Project, stale: Iterable[Any]) -> set[Any]:
    """Return the stale stages and everything that depends on them."""
    graph = project.repo.index.graph  # from a stage to what it depends on
    return _reach(stale, graph.predecessors)


def _upstream(project: Project, stage: Any) -> set[Any]:
    return _reach([stage], project.repo.index.graph.successors)


def _reach(start: Iterable[Any], neighbours: Callable[[Any], Iterable[Any]]) -> set[Any]:
    reached, pending = set(start), list(start)
    while pending:
        new = set(neighbours(pending.pop())) - reached
        reached |= new
        pending += new
    return reached


def _bring_inputs(project: Project, affected: set[Any], say: Say) -> set[Any]:
    """Check out the DVC-tracked inputs that are missing and that none of the stages about to run will write.

    Returns
    -------
    The stages whose outputs are needed and nowhere to be had.
    """
    objects = CacheObjects(project)
    lost = set()
    missing = _missing_inputs(project, affected)
    for number, (out, path) in enumerate(missing, start=1):
        inside = path if project.repo.fs.isin(path, out.fs_path) else None
        say(f"pulling {number} of {len(missing)}: {project.name(inside or out.fs_path)}{_describe_size(out)}")
        if not _check_out(project, objects, out, inside):
            say(f"stage {project.stage_name(out.stage)} runs again: nobody has {project.name(inside or out.fs_path)}")
            lost.add(out.stage)
    return lost


def _check_out(project: Project, objects: CacheObjects, out: Any, inside: str | None) -> bool:
    """Bring an output, or one path in it, into the work tree; return False where only its stage can write it again."""
    name = project.name(inside or out.fs_path)
    objects.bring(out, inside)
    if objects.holds(out, inside):
        out.checkout(force=True, filter_info=inside)
        return True
    if out.stage.cmd:
        return False
    raise PipelineFailedError(
        f"{name} is needed and is neither in the DVC cache nor in the remote.",
        expected="everything that the .dvc files name, pushed.",
        fix="run `dvc push` on the machine that has it.",
    )


def _missing_inputs(project: Project, affected: set[Any]) -> list[tuple[Any, str]]:
    """Return outputs, and the path that is wanted of each, that stages about to run need and the work tree lacks."""
    isin_or_eq = project.repo.fs.isin_or_eq
    kept = [out for out in project.repo.index.outs if out.use_cache and out.hash_info and out.stage not in affected]
    wanted = {
        (out, dependency.fs_path)
        for stage in affected
        for dependency in stage.deps
        if not dependency.fs.exists(dependency.fs_path)
        for out in kept
        if isin_or_eq(dependency.fs_path, out.fs_path) or isin_or_eq(out.fs_path, dependency.fs_path)
    }
    return sorted(wanted, key=lambda item: (str(item[0].fs_path), item[1]))


def _describe_size(out: Any) -> str:
    size, files = (out.meta.size, out.meta.nfiles) if out.meta else (None, None)
    parts = [
        f"{files:,} files" if files else "",
        _describe_bytes(size) if size else "",
    ]
    text = ", ".join(filter(None, parts))
    return f" ({text})" if text else ""


def _describe_bytes(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _pull_run_cache(project: Project, say: Say) -> bool:
    """Fetch the record of earlier runs; return whether the remote can be used at all."""
    from dvc.stage.cache import RunCacheNotSupported  # noqa: PLC0415

    if not project.has_remote:
        return False
    cache = project.repo.stage_cache
    try:
        check_remote(project.repo)
        cache.pull(None)
    except RunCacheNotSupported:
        say("this kind of remote keeps no run cache")
    except RemoteFailedError as error:
        say(f"going on without the remote: {error}")
        return False
    except Exception as error:  # noqa: BLE001  whatever the storage's client raises: only a shortcut is lost
        say(f"going on without the remote: {explain_failure(error, CacheObjects(project).remote).what}")
        return False
    # `reproduce(pull=True)` would fetch all of it again; it still fetches what a matching run wrote.
    cache.pull = lambda *_, **__: None
    return True


def _check_restored(project: Project, stages: Iterable[Any]) -> None:
    """Refuse outputs that DVC restored from a damaged cache, after throwing the damaged objects out."""
    objects = CacheObjects(project)
    for out in (out for stage in stages for out in stage.outs if out.use_cache and out.hash_info):
        damaged = {path: info for path, info in _list_files(out) if not is_intact(path, info, project.repo.fs)}
        if not damaged:
            continue
        objects.discard_damaged(out, set(damaged.values()))
        for path in damaged:
            Path(path).unlink(missing_ok=True)
        raise PipelineFailedError(
            f"{project.name(next(iter(damaged)))} was restored from a damaged DVC cache.",
            expected="cache files that hold what their names say.",
            fix="run again: the damaged file was removed. If CI restores .dvc/cache, delete that saved cache.",
        )


def _list_files(out: Any) -> list[tuple[str, Any]]:
    """Return the path and hash of every file of an output."""
    if not out.is_dir_checksum:
        return [(out.fs_path, out.hash_info)]
    return [(out.fs.join(out.fs_path, *key), info) for key, _, info in out.get_obj() or ()]
