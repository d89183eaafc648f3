"""Pushes what was produced from the cache to the remote, so that it is not trained again elsewhere."""

from collections.abc import Iterable
from typing import Any

from dvc.stage.cache import RunCacheNotSupported

from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.remote_check import check_remote


def push_produced(project: Project, *, with_imports: bool = False) -> int:
    """Push the outputs that are in the cache, and the record of the runs; return the number of pushed objects.

    ``with_imports``: the data of imports from a URL as well, for their source may hold other data tomorrow.

    Files that DVC does not cache (``cache: false``) are pushed as well: DVC's own ``push --run-cache`` leaves them out,
    and then no other machine can use the record of a run that wrote one.

    Raises
    ------
    RemoteFailedError
        If there is no default remote, or nothing answers at its address. Other errors of the storage pass through.
    """
    check_remote(project.repo)
    pushed = 0
    imports = [stage for stage in project.stages if stage.is_import and not stage.is_repo_import and with_imports]
    for odb, hashes in _collect([*project.pipeline_stages, *imports]).items():
        pushed += len(project.repo.cloud.push(hashes, odb=odb).transferred)
    try:
        project.repo.stage_cache.push(None)
    except RunCacheNotSupported:
        return pushed  # an HTTP remote does not keep any
    return pushed


def _collect(stages: Iterable[Any]) -> dict[Any, set[Any]]:
    found: dict[Any, set[Any]] = {}
    for stage in stages:
        for out in stage.outs:
            if not out.hash_info or not out.cache.exists(out.hash_info.value):
                continue
            used = out.get_used_objs() if out.use_cache else {None: {out.hash_info}}
            for odb, hashes in used.items():
                here = {info for info in hashes if out.cache.exists(info.value)}
                found.setdefault(odb, set()).update(here)
    return found
