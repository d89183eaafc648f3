"""What a folder that a stage depends on holds, once the DVC-tracked files in it are brought; nothing in it is brought."""

from collections.abc import Iterable, Iterator
from typing import Any

from dvc_data.hashfile.tree import Tree

from metricgate.execution.worker.cache_objects import CacheObjects
from metricgate.execution.worker.dvc_project import Project

Key = tuple[str, ...]


def list_below(project: Project, folder: str) -> list[Any]:
    """Return the DVC-tracked outputs that lie below ``folder``: of ``.dvc`` files and of stages."""
    fs = project.repo.fs
    return [out for out in project.repo.index.outs if out.is_in_repo and fs.isin(out.fs_path, folder)]


def is_modified(output: Any) -> bool:
    """Return whether a tracked file or folder was changed in the work tree since its record was written."""
    return bool(output.use_cache and output.exists and "modified" in output.status().values())


def identify_content(project: Project, output: Any) -> str:
    """Return the hash that an output's record names; of data that was changed since, the hash of what lies here."""
    return str(output.get_hash() if not project.is_revision and is_modified(output) else output.hash_info)


class FolderContent:
    """A folder as the work tree or the revision holds it, without what ``.dvcignore`` names."""

    def __init__(self, project: Project, dependency: Any) -> None:
        self._project = project
        self._dependency = dependency
        self._outputs = list_below(project, dependency.fs_path)

    def hash_complete(self) -> str:
        """Return DVC's hash of the folder with its missing outputs in place, as their records describe them.

        Raises
        ------
        PipelineFailedError
            If the list of an output's files has to be fetched, and the remote or the import's source fails.
        FileNotFoundError
            If that list is nowhere.
        """
        tree: Any = Tree()  # type: ignore[no-untyped-call]
        for key, info in self._list_files():
            tree.add(key, None, info)
        for out in self._outputs:
            if not out.exists and out.hash_info:
                for key, info in self._list_recorded(out):
                    tree.add(key, None, info)
        tree.digest()
        return str(tree.oid)

    def list_inputs(self, produced: Iterable[str]) -> dict[str, str]:
        """Return each file with its hash; without what stages write, the ``produced``."""
        fs, folder = self._project.repo.fs, self._dependency.fs_path
        below = {self._key(out): out for out in self._outputs}
        found = {
            "/".join(key): str(info)
            for key, info in self._list_files()
            if not any(key[: len(around)] == around for around in below)
        }
        made = set(produced)
        recorded = {
            fs.relpath(out.fs_path, folder): identify_content(self._project, out)
            for out in self._outputs
            if not any(fs.isin_or_eq(out.fs_path, path) for path in made)
        }
        return {**found, **recorded}

    def _key(self, out: Any) -> Key:
        return tuple(out.fs.relparts(out.fs_path, self._dependency.fs_path))

    def _list_files(self) -> Iterator[tuple[Key, Any]]:
        dependency = self._dependency
        if not dependency.fs.isdir(dependency.fs_path):
            return
        _, _, tree = dependency._build(  # noqa: SLF001  DVC has no public function that returns a folder's files
            dependency.local_cache,
            dependency.fs_path,
            dependency.fs,
            dependency.hash_name,
            ignore=dependency.dvcignore,
            dry_run=True,
            no_progress_bar=True,
        )
        for key, _, info in tree:
            if not self._is_ignored(key):
                yield key, info

    def _is_ignored(self, key: Key) -> bool:
        """Return whether ``.dvcignore`` names a file: in the folder of a Git revision DVC does not ask it."""
        if not self._project.is_revision:
            return False
        ignore, join = self._project.repo.dvcignore, self._project.repo.fs.join
        top = self._dependency.fs_path
        folders = (join(top, *key_part) for key_part in (key[:depth] for depth in range(1, len(key))))
        return ignore.is_ignored_file(join(top, *key)) or any(map(ignore.is_ignored_dir, folders))

    def _list_recorded(self, out: Any) -> Iterator[tuple[Key, Any]]:
        start = self._key(out)
        if not out.hash_info.isdir:
            yield start, out.hash_info
            return
        CacheObjects(self._project).bring_listing(out)
        for key, _, info in Tree.load(out.cache, out.hash_info, hash_name=out.hash_info.name):
            yield (*start, *key), info
