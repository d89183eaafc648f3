"""DVC's imports: which have newer data at their source, and bringing those; and the files that belong into Git.

`dvc status` and `dvc repro` take an import for unchanged, whatever its source holds: it is frozen. `dvc repro -f` would
write the new source's hash into the `.dvc` file and keep the old data, after which `dvc update` sees no change.
"""

import os
from pathlib import Path
from typing import Any

from metricgate.execution.messages import ImportState
from metricgate.execution.worker.dvc_failures import PipelineFailedError, explain_failure
from metricgate.execution.worker.dvc_project import Project


def look_at_imports(project: Project, origin: Path | None = None) -> tuple[ImportState, ...]:
    """Return each import, and whether its source has other data; nothing is brought."""
    return tuple(_look(project, stage) for stage in _list_imports(project, origin))


def update_imports(project: Project, origin: Path | None = None) -> tuple[ImportState, ...]:
    """Bring the data of every import whose source has other ones, as `dvc update` does.

    Raises
    ------
    PipelineFailedError
        If a source is gone or cannot be read, before its data here are touched.
    """
    states = []
    for state in look_at_imports(project, origin):
        if state.problem:
            raise PipelineFailedError(
                f"The source of {state.path} ({state.source}) cannot be read: {state.problem}",
                expected="the source that the import names.",
                fix=f"bring it back, or import the data anew; {state.file} and its data stay as they are.",
                topic="the-source-of-an-import-fails",
            )
        if state.is_changed:
            stage = _find_import(project, state.file, origin)
            with project.repo.lock:  # `Repo.update` would read the stage again, without its source's place
                stage.update()
                stage.dump()
            project.forget()
            stage = _find_import(project, state.file, origin)
            after = _hash_of(stage)
            state = state.model_copy(update={"after": after, "is_changed": after != state.before})  # noqa: PLW2901
        states.append(state)
    return tuple(states)


def _find_import(project: Project, file: str, origin: Path | None) -> Any:
    return next(stage for stage in _list_imports(project, origin) if project.name(stage.path) == file)


def _list_imports(project: Project, origin: Path | None) -> list[Any]:
    found = [stage for stage in project.stages if stage.is_import]
    if origin is not None:
        for stage in found:
            _place_source(project, stage, origin)
    return found


def _place_source(project: Project, stage: Any, origin: Path) -> None:
    """Read a relative source that the work tree lacks from beside the checkout."""
    [dependency] = stage.deps
    written = str(dependency.def_path or "")
    is_relative = dependency.protocol == "local" and "://" not in written and not Path(written).is_absolute()
    if stage.is_repo_import or not is_relative:
        return
    source = Path(dependency.fs_path)
    if source.is_relative_to(project.repo.scm.root_dir) and source.exists():
        return
    folder = origin / os.path.relpath(stage.wdir, project.base)
    dependency.fs_path = os.path.normpath(folder / written)


def _hash_of(stage: Any) -> str:
    found = stage.outs[0].hash_info
    return str(found.value) if found else ""


def _look(project: Project, stage: Any) -> ImportState:
    [dependency] = stage.deps
    found = ImportState(
        file=project.name(stage.path),
        path=project.name(stage.outs[0].fs_path),
        source=str(dependency),
        before=_hash_of(stage),
    )
    try:
        status = dependency.workspace_status()
    except Exception as error:  # noqa: BLE001  what a storage raises is not known here
        return found.model_copy(update={"problem": explain_failure(error).what})
    if "deleted" in status.values():
        return found.model_copy(update={"problem": "it does not exist."})
    return found.model_copy(update={"is_changed": bool(status)})


def list_committed(project: Project) -> list[str]:
    """Return the files that a reproduction may change and that belong into Git, relative to the project."""
    found: set[str] = set()
    for stage in project.stages:
        if stage.is_import:
            found.add(stage.path)
        elif stage.cmd:
            found.add(project.repo.fs.join(project.repo.fs.parent(stage.path), "dvc.lock"))
            found |= {out.fs_path for out in stage.outs if not out.use_cache}
            found |= {dependency.fs_path for dependency in stage.deps if hasattr(dependency, "params")}
    return sorted(project.name(path) for path in found)


def list_read(project: Project) -> list[str]:
    """Return the files and folders in the repository that decide what a reproduction gives."""
    found: set[str] = set()
    for stage in project.stages:
        found.add(stage.path)
        found |= {dependency.fs_path for dependency in stage.deps if stage.cmd and dependency.is_in_repo}
    return sorted(project.name(path) for path in found)
