"""Files of a revision or the work tree, wherever they are: in Git, in DVC's cache or its remote, or checked out."""

import os
from pathlib import Path
from typing import Any

from dvc_data.hashfile.hash_info import HashInfo

from metricgate.execution.messages import FoundFile
from metricgate.execution.worker.cache_objects import CacheObjects, is_intact
from metricgate.execution.worker.dvc_failures import RemoteFailedError, explain_failure
from metricgate.execution.worker.dvc_project import Project
from metricgate.models.file_kind import describe_kind


class RevisionFiles:
    """Finds files by their path in the project, and fetches only the requested ones.

    ``as_it_lies``: a file of the work tree is right even where dvc.lock records another one: a command wrote it.
    """

    def __init__(self, project: Project, destination: Path, *, as_it_lies: bool = False) -> None:
        self.project = project
        self._repo = project.repo
        self._objects = CacheObjects(project)
        self._destination = destination
        self._as_it_lies = as_it_lies

    def find(self, name: str, *, optional: bool = False) -> FoundFile:
        """Return where ``name`` can be read, or why it cannot.

        Raises
        ------
        RemoteFailedError
            If the remote as a whole fails and the file is not ``optional``.
        """
        fs_path = self.project.path(name)
        if self._as_it_lies and Path(fs_path).is_file():
            return FoundFile(path=name, local=fs_path, source="workspace")
        try:
            output = self._covering_output(fs_path)
            if output is None:
                return self._find_in_tree(name, fs_path)
            return self._find_output(name, fs_path, output)
        except Exception as error:
            if isinstance(error, RemoteFailedError) and not optional:
                raise
            failure = explain_failure(error, self._objects.remote)
            return FoundFile(path=name, problem=f"{failure.what} {failure.details}".strip())

    def find_object(self, name: str, digest: str) -> FoundFile:
        """Return where the object with this hash can be read, as a file with the suffix of ``name``."""
        info = HashInfo("md5", digest)
        cached = self._repo.cache.local.oid_to_path(digest)
        fetched = not Path(cached).exists()
        if fetched:
            self._objects.bring_object(info)
        if not is_intact(cached, info, self._repo.cache.local.fs):
            return FoundFile(path=name, problem=f"{name} is neither in the DVC cache nor in the remote", missing=True)
        return self._copy_from_cache(name, cached, fetched=fetched)

    def producing_stage(self, name: str) -> Any | None:
        """Return the stage that writes ``name``; None for a file that no stage names."""
        fs_path, isin_or_eq = self.project.path(name), self._repo.fs.isin_or_eq
        stages = self.project.pipeline_stages
        return next((stage for stage in stages for out in stage.outs if isin_or_eq(fs_path, out.fs_path)), None)

    def _covering_output(self, fs_path: str) -> Any | None:
        """Return the DVC-cached output that is at ``fs_path`` or around it."""
        isin_or_eq = self._repo.fs.isin_or_eq
        return next((out for out in self._repo.index.outs if out.use_cache and isin_or_eq(fs_path, out.fs_path)), None)

    def _find_in_tree(self, name: str, fs_path: str) -> FoundFile:
        if not self.project.is_revision and (kind := describe_kind(Path(fs_path))):
            return FoundFile(path=name, problem=f"{name} is {kind}, not a file")
        if not self._repo.fs.isfile(fs_path):
            where = "in Git at this revision" if self.project.is_revision else "in the checkout"
            return FoundFile(path=name, problem=f"{name} is not {where}, and DVC does not track it", missing=True)
        if not self.project.is_revision:
            return FoundFile(path=name, local=fs_path, source="workspace")
        target = self._make_target(name)
        target.write_bytes(self._repo.fs.cat_file(fs_path))
        return FoundFile(path=name, local=str(target), source="git")

    def _find_output(self, name: str, fs_path: str, output: Any) -> FoundFile:
        filter_info = None if fs_path == output.fs_path else fs_path
        if not output.hash_info:
            return self._find_unrecorded(name, fs_path)
        if not self.project.is_revision and self._is_checked_out(fs_path, output, filter_info):
            return FoundFile(path=name, local=fs_path, source="workspace")
        fetched = self._objects.bring(output, filter_info)
        content = output.get_obj(filter_info=filter_info)
        if content is None or content.hash_info.isdir:
            return FoundFile(path=name, problem=f"{output.def_path} has no file {name}", missing=True)
        cached = output.cache.oid_to_path(content.hash_info.value)
        if not is_intact(cached, content.hash_info, output.cache.fs):
            missing = not Path(cached).exists()
            state = "neither in the DVC cache nor in the remote" if missing else "damaged in the DVC remote"
            return FoundFile(path=name, problem=f"{name} is {state}", missing=missing)
        if self.project.is_revision:
            return self._copy_from_cache(name, cached, fetched=fetched)
        output.checkout(force=True, filter_info=filter_info)
        return FoundFile(path=name, local=fs_path, source="workspace")

    def _find_unrecorded(self, name: str, fs_path: str) -> FoundFile:
        if not self.project.is_revision and Path(fs_path).is_file():
            return FoundFile(path=name, local=fs_path, source="workspace")
        return FoundFile(path=name, problem=f"dvc.lock has no record of {name}", missing=True)

    def _is_checked_out(self, fs_path: str, output: Any, filter_info: str | None) -> bool:
        """Return whether the work tree's file is the recorded one, so that neither cache nor remote is needed."""
        if output.is_dir_checksum and not output.cache.exists(output.hash_info.value):
            return False
        content = output.get_obj(filter_info=filter_info) if output.is_dir_checksum else output
        return content is not None and is_intact(fs_path, content.hash_info, self._repo.fs)

    def _make_target(self, name: str) -> Path:
        target = self._destination / os.path.normpath(name)
        if not target.is_relative_to(self._destination):
            target = self._destination / "outside" / Path(name).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        return target

    def _copy_from_cache(self, name: str, cached: str, *, fetched: bool) -> FoundFile:
        # A link with the file's own name: in the cache its name is a hash, and readers go by the suffix.
        target = self._make_target(name)
        target.symlink_to(cached)
        return FoundFile(path=name, local=str(target), source="dvc remote" if fetched else "dvc cache")
