"""Pushes what was produced, so that nobody has to train it again."""

from typing import Any

from dvc.stage.cache import RunCacheNotSupported

from metricgate.execution.worker.project import Project
from metricgate.execution.worker.remote import check_remote


def push_produced(project: Project) -> int:
    """Push the outputs that lie in the cache, and the record of the runs; return the number of pushed objects.

    Files that DVC does not cache (``cache: false``) are pushed as well: DVC's own ``push --run-cache`` leaves them out,
    and then no other machine can use the record of a run that wrote one.

    Raises
    ------
    RemoteFailedError
        If there is no default remote, or nobody answers at its address. What the storage refuses raises as it is.
    """
    check_remote(project.repo)
    pushed = 0
    for odb, hashes in _collect(project).items():
        pushed += len(project.repo.cloud.push(hashes, odb=odb).transferred)
    try:
        project.repo.stage_cache.push(None)
    except RunCacheNotSupported:
        return pushed  # an HTTP remote keeps none
    return pushed


def _collect(project: Project) -> dict[Any, set[Any]]:
    found: dict[Any, set[Any]] = {}
    for stage in project.pipeline_stages:
        for out in stage.outs:
            if not out.hash_info or not out.cache.exists(out.hash_info.value):
                continue
            used = out.get_used_objs() if out.use_cache else {None: {out.hash_info}}
            for odb, hashes in used.items():
                here = {info for info in hashes if out.cache.exists(info.value)}
                found.setdefault(odb, set()).update(here)
    return found
