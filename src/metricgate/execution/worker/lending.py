"""Files and folders of the project, copied to where somebody else needs them."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dvc_data.hashfile.hash_info import HashInfo

from metricgate.execution.messages import FileCopy, FoundFile
from metricgate.execution.worker.files import CacheObjects
from metricgate.execution.worker.project import Project


def lend_files(directory: Path, project: Project | None, wanted: Iterable[FileCopy]) -> tuple[FoundFile, ...]:
    """Copy what is asked for from the work tree, brought from the cache or the remote where it is not there."""
    return tuple(_lend(directory, project, lent) for lent in wanted)


def _lend(directory: Path, project: Project | None, lent: FileCopy) -> FoundFile:
    source, target = directory / lent.path, Path(lent.target)
    if project is not None:
        _bring(project, lent)
    if not source.exists():
        where = "the work tree" if project is None else "Git, the DVC cache or its remote"
        return FoundFile(path=lent.path, problem=f"{lent.path} is not in {where}", missing=True)
    if source.resolve() != target.resolve():
        _copy(source, target)
    return FoundFile(path=lent.path, local=str(target))


def _bring(project: Project, lent: FileCopy) -> None:
    """Check out the outputs that the path is, lies in or holds; what lies in the work tree stays as it is.

    An output whose hash is given is another than the one the work tree may have.
    """
    path, isin_or_eq = project.path(lent.path), project.repo.fs.isin_or_eq
    objects = CacheObjects(project)
    for out in project.repo.index.outs:
        covers = isin_or_eq(path, out.fs_path)
        if not out.use_cache or not (covers or isin_or_eq(out.fs_path, path)):
            continue
        if covers and lent.hash:
            out.hash_info, out.obj = HashInfo("md5", lent.hash), None
        elif project.repo.fs.exists(path if covers else out.fs_path):
            continue
        if out.hash_info:
            _check_out(objects, out, path if covers and path != out.fs_path else None)


def _check_out(objects: CacheObjects, out: Any, inside: str | None) -> None:
    objects.bring(out, inside)
    if objects.holds(out, inside):
        out.checkout(force=True, filter_info=inside)


def _copy(source: Path, target: Path) -> None:
    """Copy what is there, not links: the cache must not be written through them."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
