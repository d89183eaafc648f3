"""A DVC project, in the work tree or at a revision, seen from the project's folder."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dvc.exceptions import NotDvcRepoError
from dvc.repo import Repo

from metricgate.execution.worker.measured_cloud import MeasuredCloud


class Project:
    """DVC's repository, and the part of it that is under the project's folder.

    ``base`` is the project's folder in the file system of ``repo``: a real folder, or one in a Git tree.
    """

    def __init__(
        self, repo: Any, base: str, *, is_revision: bool, shared: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """``shared`` are the settings that it has from another folder."""
        self.shared = shared
        self.repo = repo
        self.repo.cloud = self.cloud = MeasuredCloud(repo)
        self.base = base
        self.is_revision = is_revision

    def forget(self) -> None:
        """Make DVC read dvc.yaml and dvc.lock again when they are next needed."""
        self.repo._reset()  # noqa: SLF001  what DVC's own commands call after a change

    def inside(self, fs_path: str) -> bool:
        return bool(self.repo.fs.isin_or_eq(fs_path, self.base))

    def name(self, fs_path: str) -> str:
        """Return a path relative to the project's folder, with slashes."""
        return Path(self.repo.fs.relpath(fs_path, self.base)).as_posix()

    def path(self, name: str) -> str:
        """Return the path, in the file system of ``repo``, of a file named relative to the project's folder."""
        return str(self.repo.fs.normpath(self.repo.fs.join(self.base, name)))

    def stage_name(self, stage: Any) -> str:
        """Return ``train``, or ``sub/dvc.yaml:train`` for a pipeline in another folder.

        DVC's own name depends on the current folder.
        """
        file = self.name(stage.path)
        if not stage.cmd:
            return file
        return str(stage.name) if file == "dvc.yaml" else f"{file}:{stage.name}"

    def entry_name(self, entry: Any) -> str:
        """Return the name of a dependency or output: a path in the project, or a URL."""
        return str(entry.def_path) if "://" in str(entry.def_path) else self.name(entry.fs_path)

    @property
    def stages(self) -> list[Any]:
        """Every stage under the project's folder, ``.dvc`` files included, sorted by name."""
        found = [stage for stage in self.repo.index.stages if self.inside(stage.path)]
        return sorted(found, key=self.stage_name)

    @property
    def pipeline_stages(self) -> list[Any]:
        return [stage for stage in self.stages if stage.cmd]

    def find_dependants(self, stages: Iterable[Any], *, with_frozen: bool = True) -> set[Any]:
        """Return the stages and everything that depends on them; without ``with_frozen``, not through frozen stages."""
        predecessors = self.repo.index.graph.predecessors  # the graph leads from a stage to what it depends on
        return _reach(stages, lambda stage: (found for found in predecessors(stage) if with_frozen or not found.frozen))

    def find_dependencies(self, stage: Any) -> set[Any]:
        """Return the stage and everything that it depends on."""
        return _reach([stage], self.repo.index.graph.successors)

    @property
    def has_remote(self) -> bool:
        return bool(self.repo.config["core"].get("remote"))


def _reach(start: Iterable[Any], neighbours: Callable[[Any], Iterable[Any]]) -> set[Any]:
    reached = set(start)
    pending = list(reached)
    while pending:
        new = set(neighbours(pending.pop())) - reached
        reached |= new
        pending += new
    return reached


@contextmanager
def open_project(
    directory: Path, *, revision: str | None = None, shares_with: str | None = None
) -> Iterator[Project | None]:
    """Yield the DVC project around ``directory``, in the work tree or at ``revision``; None if there is none.

    With ``shares_with``, another folder's cache, remotes and local settings are used.
    """
    directory, shared = directory.resolve(), {}
    try:
        if revision is not None:
            repo = _open_revision(directory, revision)
        else:
            shared = {} if shares_with is None else _shared_settings(directory, Path(shares_with))
            repo = Repo(str(directory), config=shared or None)
    except NotDvcRepoError:
        yield None
        return
    with repo:
        if revision is None:
            yield Project(repo, str(directory), is_revision=False, shared=shared)
        else:
            yield Project(repo, _path_in_tree(directory, repo), is_revision=True)


def _path_in_tree(directory: Path, repo: Any) -> str:
    return "/" + Path(os.path.relpath(directory, repo.scm.root_dir)).as_posix().removeprefix(".")


def _open_revision(directory: Path, revision: str) -> Any:
    from dvc.config import Config  # noqa: PLC0415  only where a revision is read
    from dvc.fs import GitFileSystem  # noqa: PLC0415
    from dvc.scm import SCM  # noqa: PLC0415

    scm = SCM(str(directory), search_parent_directories=True)
    fs = GitFileSystem(scm=scm, rev=revision)
    root = Path(os.path.relpath(directory, scm.root_dir))
    for folder in (root, *root.parents):
        inside = "/" + folder.as_posix().removeprefix(".")
        if fs.isdir(fs.join(inside, ".dvc")):
            real = Path(scm.root_dir) / folder / ".dvc"
            config = Config(fs.join(inside, ".dvc"), local_dvc_dir=str(real), validate=False, fs=fs)
            # Repo(rev=…) would look for .dvc at the top of the tree only.
            return Repo(inside, fs=fs, scm=scm, config=_place_relative_paths(config, real))
    raise NotDvcRepoError(f"{directory} at {revision}")


def _place_relative_paths(config: Any, real: Path) -> dict[str, Any]:
    """Return settings that resolve paths of .dvc/config against the checkout's .dvc folder, ``real``.

    DVC resolves them against the folder of that file: a folder in a Git tree, which has no cache, or in a work tree
    elsewhere. config.local overrides them, as always.
    """
    written, local = config._load_config("repo"), config._load_config("local")  # noqa: SLF001  the paths as written

    def place(path: str | None, other: str | None) -> str | None:
        is_relative = path and "://" not in path and not path.startswith(("/", "~"))
        return os.path.normpath(real / str(path)) if is_relative and other is None else None

    settings: dict[str, Any] = {"remote": {}}
    for name, remote in written.get("remote", {}).items():
        url = place(remote.get("url"), local.get("remote", {}).get(name, {}).get("url"))
        if url is not None:
            settings["remote"][name] = {"url": url}
    cache = place(written.get("cache", {}).get("dir"), local.get("cache", {}).get("dir"))
    return settings if cache is None else {**settings, "cache": {"dir": cache}}


def _shared_settings(directory: Path, shares_with: Path) -> dict[str, Any]:
    """Return what a new work tree lacks: settings that are not committed, the cache, and the real paths of remotes."""
    from dvc.config import Config  # noqa: PLC0415  only where a baseline is reproduced

    own, shared = Path(Repo.find_root(str(directory))), Path(Repo.find_root(str(shares_with)))
    settings = _place_relative_paths(Config(str(own / ".dvc"), validate=False), shared / ".dvc")
    with Repo(str(shares_with)) as repo:
        for section, values in repo.config.load_one("local").items():
            merged = settings.setdefault(section, {})
            for key, value in values.items():
                merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
        settings.setdefault("cache", {})["dir"] = repo.cache.local_cache_dir
    return settings


def keep_settings(project: Project) -> None:
    """Write the settings that the project was opened with, where they are not committed, into its own folder."""
    with project.repo.config.edit("local", validate=False) as local:
        for section, values in project.shared.items():
            local.setdefault(section, {}).update(values)
