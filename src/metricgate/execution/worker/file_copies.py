"""Files and folders of the project, copied to other places."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from dvc_data.hashfile.hash_info import HashInfo

from metricgate.execution.messages import FileCopy, FoundFile
from metricgate.execution.worker.cache_objects import CacheObjects
from metricgate.execution.worker.dvc_project import Project


def copy_out(directory: Path, project: Project | None, copies: Iterable[FileCopy]) -> tuple[FoundFile, ...]:
    """Copy files and folders of the project, fetched from the cache or the remote where the work tree lacks them."""
    return tuple(_copy_out(directory, project, copy) for copy in copies)


def _copy_out(directory: Path, project: Project | None, copy: FileCopy) -> FoundFile:
    source, target = directory / copy.path, Path(copy.target)
    if project is not None:
        _bring(project, copy)
    if not source.exists():
        where = "the work tree" if project is None else "Git, the DVC cache or its remote"
        return FoundFile(path=copy.path, problem=f"{copy.path} is not in {where}", missing=True)
    if source.resolve() != target.resolve():
        _copy(source, target)
    return FoundFile(path=copy.path, local=str(target))


def _bring(project: Project, copy: FileCopy) -> None:
    """Check out the outputs that are at, around or below the path, as far as the work tree lacks them.

    With a hash given, that version of the output replaces the one in the work tree.
    """
    path, isin_or_eq = project.path(copy.path), project.repo.fs.isin_or_eq
    objects = CacheObjects(project)
    for out in project.repo.index.outs:
        covers = isin_or_eq(path, out.fs_path)
        if not out.use_cache or not (covers or isin_or_eq(out.fs_path, path)):
            continue
        if covers and copy.hash:
            out.hash_info, out.obj = HashInfo("md5", copy.hash), None
        elif project.repo.fs.exists(path if covers else out.fs_path):
            continue
        if out.hash_info:
            objects.check_out(out, path if covers and path != out.fs_path else None)


def _copy(source: Path, target: Path) -> None:
    """Copy contents, never links: nothing may write to the cache through one."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
