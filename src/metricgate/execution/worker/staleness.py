"""The stages whose recorded results do not belong to their inputs, and one hash of all inputs of a pipeline."""

import hashlib
import json
from collections.abc import Iterable
from itertools import chain
from typing import Any

from metricgate.execution.worker.dvc_failures import PipelineFailedError
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.folder_content import FolderContent, identify_content, is_modified, list_below


def find_stale(project: Project, *, to_run: bool) -> dict[Any, str]:
    """Return the stages that DVC would run again, each with the reason, without fetching any file.

    An input that was not pulled is taken to be what its ``.dvc`` file or stage records. Stages that always run count
    only where they are ``to_run``: otherwise the recorded results are their last ones.
    """
    recorded = {out.fs_path: out.hash_info for out in project.repo.index.outs}
    stages = [stage for stage in project.pipeline_stages if not stage.frozen]
    reasons = {stage: _stage_reason(project, stage, recorded, to_run=to_run) for stage in stages}
    return {stage: reason for stage, reason in reasons.items() if reason}


def _stage_reason(project: Project, stage: Any, recorded: dict[str, Any], *, to_run: bool) -> str:
    if stage.changed_stage():
        return "its command or definition changed"
    if to_run and (stage.is_callback or stage.always_changed):
        return "it always runs"
    reasons = chain(
        (_dependency_reason(project, dependency, recorded) for dependency in stage.deps),
        (_output_reason(project, output) for output in stage.outs),
    )
    return next(filter(None, reasons), "")


def _status(entry: Any) -> Any:
    # It has one entry, whose name depends on the current folder.
    return next(iter(entry.status().values()), None)


def _dependency_reason(project: Project, dependency: Any, recorded: dict[str, Any]) -> str:
    name = project.entry_name(dependency)
    if _is_folder(project, dependency, recorded):
        return _folder_reason(project, dependency, name)
    status = _status(dependency)
    if status is None:
        return ""
    if status == "deleted":
        tracked = recorded.get(dependency.fs_path)
        if tracked is None:
            return "" if _lies_in_recorded(dependency, recorded) else f"{name} does not exist"
        return "" if tracked == dependency.hash_info else f"{name} changed"
    if isinstance(status, dict):
        return f"{', '.join(sorted(status))} in {name} changed"
    return f"dvc.lock has no record of {name}" if status == "new" else f"{name} changed{_hint_bytecode(dependency)}"


def _is_folder(project: Project, dependency: Any, recorded: dict[str, Any]) -> bool:
    """Return whether a dependency is a folder of the repository that is not, and does not lie in, an output."""
    if not dependency.is_in_repo or _lies_in_recorded(dependency, recorded):
        return False
    return bool(dependency.fs.isdir(dependency.fs_path) or list_below(project, dependency.fs_path))


def _folder_reason(project: Project, dependency: Any, name: str) -> str:
    if not dependency.hash_info:
        return f"dvc.lock has no record of {name}"
    try:
        content = FolderContent(project, dependency).hash_complete()
    except PipelineFailedError as error:
        return f"the files in {name} are not known: {error}"
    except FileNotFoundError:
        return f"the files in {name} are not known: their list is neither in the DVC cache nor in the remote"
    return "" if content == dependency.hash_info.value else f"{name} changed{_hint_bytecode(dependency)}"


def _hint_bytecode(dependency: Any) -> str:
    """Return the likeliest reason why a folder of Python code counts as changed although its code did not change."""
    fs, folder = dependency.fs, dependency.fs_path
    if not fs.isdir(folder) or not any(str(path).endswith(".py") for path in fs.find(folder)):
        return ""
    if dependency.repo.dvcignore.is_ignored_dir(fs.join(folder, "__pycache__")):
        return ""
    return " (DVC counts __pycache__ in it: put `__pycache__/` into .dvcignore)"


def _lies_in_recorded(dependency: Any, recorded: dict[str, Any]) -> bool:
    return any(dependency.fs.isin_or_eq(dependency.fs_path, path) for path in recorded)


def _output_reason(project: Project, output: Any) -> str:
    name = project.entry_name(output)
    if not output.hash_info:
        return f"dvc.lock has no record of {name}"
    if output.use_cache and project.is_revision:
        return ""  # a tree holds no DVC-tracked outputs
    status = _status(output)
    if status in (None, "not in cache", "deleted"):
        return ""  # missing is not wrong: it is fetched where it is needed
    return f"{name} is not what dvc.lock records"


def has_modified_data(project: Project) -> bool:
    """Return whether data added with ``dvc add`` was changed in the work tree since."""
    added = (out for stage in project.stages if not stage.cmd for out in stage.outs)
    return any(map(is_modified, added))


def hash_inputs(project: Project, stale: Iterable[Any], again: Iterable[Any] = ()) -> str:
    """Return a hash of commands, parameters and source files: equal inputs should give equal results.

    Files that stages pass to each other are left out where they follow from the rest. They count where dvc.lock records
    them and their stage does not run again: later stages start from a model that was trained elsewhere and committed.
    Tracked data counts as recorded, or as it lies in the work tree if a person changed it since.
    ``stale`` are the stages that ``find_stale`` returns before any of them runs, ``again`` those that run nevertheless.
    """
    rewritten = _find_rewritten(project, stale, set(again))
    produced = {out.fs_path for stage in project.pipeline_stages for out in stage.outs}
    tracked = {
        out.fs_path: identify_content(project, out)
        for stage in project.repo.index.stages
        if not stage.cmd
        for out in stage.outs
    }
    record = [
        _stage_inputs(project, stage, produced, tracked)
        | (
            {}
            if stage in rewritten
            else {"recorded": {project.name(out.fs_path): str(out.hash_info) for out in stage.outs}}
        )
        for stage in project.pipeline_stages
    ]
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).hexdigest()


def _find_rewritten(project: Project, stale: Iterable[Any], again: set[Any]) -> set[Any]:
    """Return the stages whose recorded outputs do not count, and those that read such outputs."""
    found = set(stale)
    if any(stage.is_callback or stage.always_changed for stage in found):
        found = set(find_stale(project, to_run=False))  # the same set, whether something is to run or not
    return project.find_dependants(found | again, with_frozen=False)


def _stage_inputs(project: Project, stage: Any, produced: set[str], tracked: dict[str, str]) -> dict[str, Any]:
    dependencies = {}
    for dependency in stage.deps:
        name = project.name(dependency.fs_path)
        if hasattr(dependency, "params"):
            dependencies[name] = dependency.read_params()
        elif _find_around(dependency, produced) is None:
            added = _find_around(dependency, tracked)
            dependencies[name] = _content(project, dependency, produced) if added is None else tracked[added]
    return {
        "name": project.stage_name(stage),
        "command": stage.cmd,
        "outputs": sorted(project.name(out.fs_path) for out in stage.outs),
        "inputs": dependencies,
    }


def _find_around(dependency: Any, paths: Iterable[str]) -> str | None:
    """Return the path that is the dependency, or a folder around it."""
    return next((path for path in paths if dependency.fs.isin_or_eq(dependency.fs_path, path)), None)


def _content(project: Project, dependency: Any, produced: set[str]) -> str | dict[str, str]:
    """Return the hash of a file, or of each file in a folder; the same before and after the data in it were pulled."""
    if dependency.is_in_repo and (files := FolderContent(project, dependency).list_inputs(produced)):
        return files
    if not dependency.fs.exists(dependency.fs_path):
        return "missing"
    return str(dependency.get_hash())
