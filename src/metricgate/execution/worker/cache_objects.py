"""Objects of DVC's local cache: fetched where they are missing, removed where they are damaged."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.hash_info import HashInfo

from metricgate.execution.worker.dvc_failures import PipelineFailedError, find_remote_failure
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.dvc_remote import Remote, describe_remote
from metricgate.execution.worker.remote_check import check_bucket, check_remote


def is_intact(path: str, hash_info: Any, fs: Any) -> bool:
    """Return whether a file has the content that its hash promises.

    DVC trusts a read-only cache file whatever is in it (one restored by actions/cache, say), and every file of the
    work tree it was linked or copied to.
    """
    return Path(path).is_file() and bool(file_md5(path, fs, name=hash_info.name) == hash_info.as_raw().value)


class CacheObjects:
    """DVC's local cache, filled from the remote on request."""

    def __init__(self, project: Project) -> None:
        self._repo = project.repo
        self._checked = False
        self.remote: Remote | None = describe_remote(project.repo)

    def bring(self, output: Any, filter_info: str | None = None) -> bool:
        """Put the intact objects of an output, or of one file in it, into the cache; return whether any was fetched.

        Raises
        ------
        RemoteFailedError
            If something must be fetched and the remote as a whole fails.
        PipelineFailedError
            If it was imported from a repository that cannot be read.
        """
        if output.stage.is_repo_import:
            return self._bring_import(output)
        self.bring_listing(output)
        fetched = False
        for odb, hashes in output.get_used_objs(filter_info=filter_info).items():
            self.discard_damaged(output, hashes)
            missing = {info for info in hashes if not output.cache.exists(info.value)}
            if missing:
                self._pull(missing, odb)
                fetched = True
        return fetched

    def bring_listing(self, output: Any) -> None:
        """Put the list of an output's files into the cache, where it is a folder; raises as ``bring``."""
        if not output.is_dir_checksum or output.cache.exists(output.hash_info.value):
            return
        if output.stage.is_repo_import:
            self._bring_import(output)
        else:
            self._pull({output.hash_info}, None)
        output.obj = None

    def bring_object(self, hash_info: HashInfo) -> None:
        """Fetch one object by its hash from the default remote."""
        self._pull({hash_info}, None)

    def check_out(self, output: Any, inside: str | None = None) -> bool:
        """Bring an output, or one path in it, into the work tree; return whether the cache or the remote had it."""
        self.bring(output, inside)
        if not self._holds(output, inside):
            return False
        output.checkout(force=True, filter_info=inside)
        return True

    def _holds(self, output: Any, inside: str | None) -> bool:
        if not output.cache.exists(output.hash_info.value):
            return False
        if output.stage.is_repo_import:
            return _is_whole(output)
        used = output.get_used_objs(filter_info=inside)
        return all(output.cache.exists(info.value) for hashes in used.values() for info in hashes)

    def _bring_import(self, output: Any) -> bool:
        """Fetch what ``dvc import`` brought: no remote of this project has it, but the repository that it came from."""
        if _is_whole(output):
            return False
        try:
            self._repo.fetch(targets=[output.stage.addressing])
        except Exception as error:
            raise _explain_import(output, str(error)) from error
        output.obj = None
        return True

    def discard_damaged(self, output: Any, hashes: set[Any]) -> None:
        for info in hashes:
            path = output.cache.oid_to_path(info.value)
            if Path(path).exists() and not is_intact(path, info, output.cache.fs):
                Path(path).unlink()

    def _pull(self, hashes: set[Any], odb: Any) -> None:
        if not self._checked:
            check_remote(self._repo)
            self._checked = True
        try:
            self._repo.cloud.pull(hashes, odb=odb)
        except Exception as error:
            if failure := find_remote_failure(error, self.remote):
                raise failure from error
            raise
        if self.remote and any(not self._repo.cache.local.exists(info.value) for info in hashes):
            check_bucket(self._repo, self.remote)


def _is_whole(output: Any) -> bool:
    """Return whether the cache has the output, of a folder every file."""
    if not output.cache.exists(output.hash_info.value):
        return False
    return not output.is_dir_checksum or all(output.cache.exists(info.value) for _, _, info in output.get_obj() or ())


def _explain_import(output: Any, reason: str) -> PipelineFailedError:
    source = output.stage.deps[0].def_repo.get("url", "another repository")
    what = f"{output.def_path} is imported from {source}, which cannot be read: {reason}"
    return PipelineFailedError(
        re.sub(r"(?<=://)[^/@\s]+@", "", what),  # a password
        expected="the repository that `dvc import` named, and its data, within this machine's reach.",
        fix="give this machine access to it, or keep a copy: `dvc unprotect`, `dvc add` and `dvc push` that file.",
        topic="the-source-of-an-import-fails",
    )


def check_restored(project: Project, stages: Iterable[Any]) -> None:
    """Remove outputs that DVC restored from a damaged cache, and the damaged objects.

    Raises
    ------
    PipelineFailedError
        If there are any.
    """
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
            expected="cache files whose content matches their names.",
            fix="run again: the damaged file was removed. If CI restores .dvc/cache, delete that saved cache.",
            topic="the-dvc-cache-is-damaged",
        )


def _list_files(out: Any) -> list[tuple[str, Any]]:
    """Return the path and hash of every file of an output."""
    if not out.is_dir_checksum:
        return [(out.fs_path, out.hash_info)]
    return [(out.fs.join(out.fs_path, *key), info) for key, _, info in out.get_obj() or ()]
