"""Files of the project, wherever they are kept: in Git, in DVC's cache, in its remote, or in the work tree."""

from pathlib import Path
from typing import Any

from dvc_data.hashfile.hash import file_md5

from metricgate.workspace.messages import FoundFile
from metricgate.workspace.worker.failures import explain_failure
from metricgate.workspace.worker.project import Project


class RevisionFiles:
    """Finds files by their path in the project, and fetches only those that are asked for."""

    def __init__(self, project: Project, destination: Path) -> None:
        self._project = project
        self._repo = project.repo
        self._destination = destination

    def find(self, name: str) -> FoundFile:
        """Return where ``name`` can be read, or why it cannot; never raises for one file's sake."""
        fs_path = self._project.path(name)
        try:
            output = self._covering_output(fs_path)
            if output is None:
                return self._find_in_tree(name, fs_path)
            return self._find_output(name, fs_path, output)
        except Exception as error:  # noqa: BLE001  one unreadable file must not hide the others
            failure = explain_failure(error)
            return FoundFile(path=name, problem=f"{failure.what} {failure.details}".strip())

    def is_folder(self, name: str) -> bool:
        fs_path = self._project.path(name)
        output = self._covering_output(fs_path)
        if output is not None and output.fs_path == fs_path:
            return bool(output.is_dir_checksum)
        return bool(self._repo.fs.isdir(fs_path))

    def _covering_output(self, fs_path: str) -> Any | None:
        """Return the DVC-cached output that ``fs_path`` is, or lies in."""
        isin_or_eq = self._repo.fs.isin_or_eq
        return next((out for out in self._repo.index.outs if out.use_cache and isin_or_eq(fs_path, out.fs_path)), None)

    def _find_in_tree(self, name: str, fs_path: str) -> FoundFile:
        if not self._repo.fs.isfile(fs_path):
            where = "in Git at this revision" if self._project.is_revision else "in the checkout"
            return FoundFile(path=name, problem=f"{name} is not {where}, and DVC does not track it", missing=True)
        if not self._project.is_revision:
            return FoundFile(path=name, local=fs_path, source="workspace")
        target = self._destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self._repo.fs.read_bytes(fs_path))
        return FoundFile(path=name, local=str(target), source="git")

    def _find_output(self, name: str, fs_path: str, output: Any) -> FoundFile:
        if not output.hash_info:
            if not self._project.is_revision and Path(fs_path).is_file():
                return FoundFile(path=name, local=fs_path, source="workspace")
            return FoundFile(path=name, problem=f"dvc.lock has no record of {name}", missing=True)
        filter_info = None if fs_path == output.fs_path else fs_path
        fetched = self._bring_objects(output, filter_info)
        content = output.get_obj(filter_info=filter_info)
        if content is None:
            return FoundFile(path=name, problem=f"{output.def_path} has no file {name}", missing=True)
        cached = output.cache.oid_to_path(content.hash_info.value)
        if not self._is_intact(cached, content.hash_info):
            self._repo.cache.local.fs.remove(cached)
            fetched = self._bring_objects(output, filter_info)
            if not self._is_intact(cached, content.hash_info):
                return FoundFile(path=name, problem=f"{name} is damaged in the DVC cache and in the remote")
        if self._project.is_revision:
            return self._copy_from_cache(name, cached, fetched=fetched)
        return self._restore(name, fs_path, output, content.hash_info)

    def _bring_objects(self, output: Any, filter_info: str | None) -> bool:
        """Put the objects of a file into the cache; return whether any had to be fetched."""
        fetched = False
        for odb, hashes in output.get_used_objs(filter_info=filter_info).items():
            missing = {info for info in hashes if not output.cache.exists(info.value)}
            if missing:
                self._repo.cloud.pull(missing, odb=odb)
                fetched = True
        return fetched

    def _is_intact(self, path: str, hash_info: Any) -> bool:
        # DVC trusts a read-only cache file whatever it holds (one restored by actions/cache, say): we do not.
        if not Path(path).is_file():
            return False
        return bool(file_md5(path, self._repo.cache.local.fs, name=hash_info.name) == hash_info.value)

    def _copy_from_cache(self, name: str, cached: str, *, fetched: bool) -> FoundFile:
        # A link with the file's own name: the cache knows it by its hash, readers by its suffix.
        target = self._destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(cached)
        return FoundFile(path=name, local=str(target), source="dvc remote" if fetched else "dvc cache")

    def _restore(self, name: str, fs_path: str, output: Any, hash_info: Any) -> FoundFile:
        if not self._is_intact(fs_path, hash_info):
            Path(fs_path).unlink(missing_ok=True)
            output.checkout(force=True, filter_info=fs_path)
        if not self._is_intact(fs_path, hash_info):
            return FoundFile(path=name, problem=f"{name} could not be restored from the DVC cache")
        return FoundFile(path=name, local=fs_path, source="workspace")
