"""DVC-tracked data that stages or commands need, brought into the work tree; the record of earlier runs."""

from typing import Any

from metricgate.execution.worker.cache_objects import CacheObjects
from metricgate.execution.worker.dvc_failures import PipelineFailedError, RemoteFailedError, explain_failure
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.dvc_remote import describe_remote
from metricgate.execution.worker.remote_check import check_remote
from metricgate.execution.worker.stage_watcher import Say
from metricgate.report.number_format import format_bytes


def pull_data(project: Project, say: Say) -> None:
    """Check out all data that was added with ``dvc add`` and is missing: what a command reads is unknown."""
    objects = CacheObjects(project)
    for stage in project.stages:
        for out in stage.outs if not stage.cmd else ():
            if out.use_cache and out.hash_info and not out.exists:
                say(f"pulling {project.name(out.fs_path)}{_describe_size(out)}")
                _check_out(project, objects, out, None)


def pull_inputs(project: Project, affected: set[Any], say: Say) -> set[Any]:
    """Check out the DVC-tracked inputs that are missing and that none of the ``affected`` stages will write.

    Returns
    -------
    The stages whose outputs are needed and are neither in the cache nor in the remote.
    """
    objects = CacheObjects(project)
    lost = set()
    missing = _missing_inputs(project, affected)
    for number, (out, path) in enumerate(missing, start=1):
        inside = path if project.repo.fs.isin(path, out.fs_path) else None
        name = project.name(inside or out.fs_path)
        say(f"pulling {number} of {len(missing)}: {name}{_describe_size(out)}")
        if not _check_out(project, objects, out, inside):
            say(f"stage {project.stage_name(out.stage)} runs again: {name} is neither in the cache nor in the remote")
            lost.add(out.stage)
    return lost


def _check_out(project: Project, objects: CacheObjects, out: Any, inside: str | None) -> bool:
    """Bring an output, or one path in it, into the work tree; return False where only its stage can write it again."""
    if objects.check_out(out, inside):
        return True
    if out.stage.cmd:
        return False
    raise PipelineFailedError(
        f"{project.name(inside or out.fs_path)} is needed and is neither in the DVC cache nor in the remote.",
        expected="all files that the .dvc files name, pushed to the remote.",
        fix="run `dvc push` on the machine that has it.",
        topic="files-are-missing-from-the-remote",
    )


def _missing_inputs(project: Project, affected: set[Any]) -> list[tuple[Any, str]]:
    """Return outputs, and the path in each, that the ``affected`` stages need and the work tree lacks."""
    fs = project.repo.fs
    kept = [out for out in project.repo.index.outs if out.use_cache and out.hash_info and out.stage not in affected]
    needed = [dependency for stage in affected for dependency in stage.deps]
    absent = [dependency.fs_path for dependency in needed if not dependency.fs.exists(dependency.fs_path)]
    around = {(out, path) for path in absent for out in kept if fs.isin_or_eq(path, out.fs_path)}
    folders = {dependency.fs_path for dependency in needed}
    below = {(out, out.fs_path) for path in folders for out in kept if fs.isin(out.fs_path, path) and not out.exists}
    return sorted(around | below, key=lambda item: (str(item[0].fs_path), item[1]))


def _describe_size(out: Any) -> str:
    size, files = (out.meta.size, out.meta.nfiles) if out.meta else (None, None)
    text = ", ".join(filter(None, (f"{files:,} files" if files else "", format_bytes(size) if size else "")))
    return f" ({text})" if text else ""


def pull_run_cache(project: Project, say: Say, *, wanted: bool = True) -> bool:
    """Fetch the record of earlier runs if it is ``wanted``; return whether the remote can be used at all."""
    from dvc.stage.cache import RunCacheNotSupported  # noqa: PLC0415

    if not project.has_remote:
        return False
    cache = project.repo.stage_cache
    try:
        check_remote(project.repo)
        if wanted:
            cache.pull(None)
    except RunCacheNotSupported:
        say("this kind of remote does not keep a run cache")
    except RemoteFailedError as error:
        say(f"continuing without the remote: {error}")
        return False
    except Exception as error:  # noqa: BLE001  whatever the storage's client raises: only a shortcut is lost
        say(f"continuing without the remote: {explain_failure(error, describe_remote(project.repo)).what}")
        return False
    # `reproduce(pull=True)` would fetch all of it again; it still fetches what a matching run wrote.
    cache.pull = lambda *_, **__: None
    return True
