"""DVC's imports: which have newer data at their source, and bringing those; and the files that belong into Git.

`dvc status` and `dvc repro` take an import for unchanged, whatever its source holds: it is frozen. `dvc repro -f` would
write the new source's hash into the `.dvc` file and keep the old data, after which `dvc update` sees no change.
"""

from typing import Any

from metricgate.execution.messages import ImportState
from metricgate.execution.worker.dvc_failures import PipelineFailedError, explain_failure
from metricgate.execution.worker.dvc_project import Project


def look_at_imports(project: Project) -> tuple[ImportState, ...]:
    """Return each import, and whether its source has other data; nothing is brought."""
    return tuple(_look(project, stage) for stage in _list_imports(project))


def update_imports(project: Project) -> tuple[ImportState, ...]:
    """Bring the data of every import whose source has other ones, as `dvc update` does.

    Raises
    ------
    PipelineFailedError
        If a source is gone or cannot be read, before its data here are touched.
    """
    states = []
    for state in look_at_imports(project):
        if state.problem:
            raise PipelineFailedError(
                f"The source of {state.path} ({state.source}) cannot be read: {state.problem}",
                expected="the source that the import names.",
                fix=f"bring it back, or import the data anew; {state.file} and its data stay as they are.",
                topic="the-source-of-an-import-fails",
            )
        if state.is_changed:
            project.repo.update([project.path(state.file)])
            project.forget()
            [stage] = [stage for stage in _list_imports(project) if project.name(stage.path) == state.file]
            after = _hash_of(stage)
            state = state.model_copy(update={"after": after, "is_changed": after != state.before})  # noqa: PLW2901
        states.append(state)
    return tuple(states)


def _list_imports(project: Project) -> list[Any]:
    return [stage for stage in project.stages if stage.is_import]


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
