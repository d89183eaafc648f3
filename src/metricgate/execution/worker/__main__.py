"""Reads requests from standard input, one a line, does each, and replies on the pipe METRICGATE_REPLY."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from metricgate.execution.messages import (
    REQUESTS,
    Adopt,
    Bring,
    Broken,
    CopyOut,
    Count,
    Failed,
    FoundFile,
    Happened,
    Inspect,
    ListCommitted,
    Produce,
    Pull,
    Push,
    Read,
    SearchTask,
    Stale,
    Update,
    WorkerReply,
    WorkerRequest,
    WorkerTask,
)
from metricgate.execution.worker.cache_push import push_produced
from metricgate.execution.worker.data_pull import pull_data
from metricgate.execution.worker.dvc_failures import PipelineFailedError, explain_failure
from metricgate.execution.worker.dvc_project import Project, keep_settings, open_project
from metricgate.execution.worker.dvc_remote import Remote, describe_remote
from metricgate.execution.worker.file_copies import copy_out
from metricgate.execution.worker.folder_counts import count_changes
from metricgate.execution.worker.imports import list_committed, list_read, look_at_imports, update_imports
from metricgate.execution.worker.inventory import (
    list_data,
    list_metrics,
    list_parameters,
    list_plots,
    read_inventory,
)
from metricgate.execution.worker.overrides import apply_overrides
from metricgate.execution.worker.reproduction import Reproduction, unchanged_stages
from metricgate.execution.worker.reruns import explain_rerun, find_reruns
from metricgate.execution.worker.revision_files import RevisionFiles
from metricgate.execution.worker.staleness import find_stale, has_modified_data, hash_inputs
from metricgate.models.snapshot import Believed, Stage

Say = Callable[[Happened | WorkerReply | Failed], None]


class Projects(ExitStack):
    """The projects that were opened: opening one costs as much as a question about it."""

    def __init__(self) -> None:
        super().__init__()
        self._opened: dict[tuple[str, str | None, str | None], Project | None] = {}

    def open(self, request: WorkerRequest) -> Project | None:
        revision = request.revision if isinstance(request, Inspect) else None
        shares_with = None if request.shares_with is None else str(request.shares_with)
        key = (str(request.directory), revision, shares_with)
        if key not in self._opened:
            opening = open_project(request.directory, revision=revision, shares_with=shares_with)
            self._opened[key] = self.enter_context(opening)
        elif (project := self._opened[key]) is not None:
            project.forget()
        return self._opened[key]

    def take_pulled(self) -> int:
        """Return the bytes that were pulled since the last call."""
        return sum(project.cloud.take_pulled() for project in self._opened.values() if project)


def _reply(request: WorkerRequest, project: Project, say: Say) -> WorkerReply:  # noqa: C901, PLR0911  one per action
    match request:
        case Produce():
            return _produce(request, project, say)
        case Inspect() | Read():
            return _inspect(request, project)
        case Pull():
            return _pull(request, project, say)
        case Bring():
            files = _open_files(request, project)
            return WorkerReply(files=tuple(files.find_object(found.path, found.hash) for found in request.objects))
        case CopyOut():
            return WorkerReply(files=copy_out(request.directory, project, request.copies))
        case Count():
            return WorkerReply(counts=count_changes(project, request.folders))
        case Push():
            pushed = push_produced(project, with_imports=request.with_imports)
            say(Happened(text=f"pushed {pushed} objects"))
            return WorkerReply()
        case Adopt():
            keep_settings(project)
            return WorkerReply()
        case Update():
            bring = look_at_imports if request.only_look else update_imports
            return WorkerReply(imports=bring(project, request.origin))
        case ListCommitted():
            written = [FoundFile(path=name, declared=True) for name in list_committed(project)]
            return WorkerReply(files=(*written, *(FoundFile(path=name) for name in list_read(project))))


def _reply_without_dvc(request: WorkerRequest) -> WorkerReply:
    copies = copy_out(request.directory, None, request.copies) if isinstance(request, CopyOut) else ()
    is_reusable = isinstance(request, Pull) and bool(request.reusable_keys)
    return WorkerReply(project=False, pipeline=False, files=copies, state="reusable" if is_reusable else "done")


def _pull(request: Pull, project: Project, say: Say) -> WorkerReply:
    if request.reusable_keys and not has_modified_data(project):
        return WorkerReply(state="reusable")
    pull_data(project, lambda text, *, ends=False: say(Happened(text=text, ends=ends)))
    return WorkerReply()


def _inspect(request: Inspect | Read, project: Project) -> WorkerReply:
    stale = find_stale(project, to_run=False)
    files = _open_files(request, project)
    found = _find_files(request, files)
    inputs = hash_inputs(project, stale)
    return _describe(request, project, found, unchanged_stages(project, stale), _name_stale(project, stale), inputs)


def _produce(request: Produce, project: Project, say: Say) -> WorkerReply:
    stale = find_stale(project, to_run=request.reproduce)
    named = _name_stale(project, stale)
    if named and not request.reproduce:
        raise PipelineFailedError(
            f"dvc.lock does not belong to this checkout: {named[0].reason} (stage {named[0].stage}).",
            expected="results that were produced from the committed code, parameters and data.",
            fix="run `dvc repro`, commit dvc.lock and run `dvc push`; or set `reproduce: if-needed`.",
            topic="the-lock-file-is-out-of-date",
        )
    again = find_reruns(project, request, _open_files(request, project)) if request.reproduce else set()
    inputs = hash_inputs(project, stale, again)
    if (stale or again) and (early := _stop_early(request, inputs)):
        return early
    reproduction = Reproduction(
        project,
        lambda text, *, ends=False: say(Happened(text=text, ends=ends)),
        run_cache=not request.doubt.run_cache,
    )
    os.environ.update(request.environment)
    believed: tuple[Believed, ...] = ()
    if again and (problem := reproduction.find_missing({*stale, *again})):
        believed = tuple(Believed(what=name, reason=problem) for name in sorted(map(project.stage_name, again)))
        again = set()
        inputs = hash_inputs(project, stale)
    if stale or again:
        with explain_rerun(reproduction, again - project.find_dependants(stale)):
            reproduction.run(stale, again)
    files = _open_files(request, project)
    found = _find_files(request, files)
    lost: dict[Any, FoundFile] = {}
    for file in found:
        stage = files.producing_stage(file.path) if file.missing else None
        if stage is not None:
            lost.setdefault(stage, file)
    if lost:
        _refuse_lost(request, next(iter(lost.values())))
        if early := _stop_early(request, inputs):
            return early
        reproduction.run((), lost)
        found = _find_files(request, _open_files(request, project))
    reply = _describe(request, project, found, reproduction.describe(), named, inputs)
    return reply.model_copy(update={"believed": believed})


def _stop_early(request: Produce, inputs: str) -> WorkerReply | None:
    """Return the reply where nothing has to be run, or may be run yet; None where the stages are to run now."""
    if inputs in request.reusable_keys:
        return WorkerReply(inputs=inputs, state="reusable")
    return None if request.may_run else WorkerReply(inputs=inputs, state="needs_run")


def _refuse_lost(request: Produce, file: FoundFile) -> None:
    if not request.reproduce:
        raise PipelineFailedError(
            f"A result that dvc.lock records is not available: {file.problem}.",
            expected="the results of the committed dvc.lock in the DVC remote.",
            fix="run `dvc push` on the machine that trained; or set `reproduce: if-needed`.",
            topic="files-are-missing-from-the-remote",
        )


def _name_stale(project: Project, stale: Mapping[Any, str]) -> tuple[Stale, ...]:
    return tuple(
        Stale(stage=project.stage_name(stage), reason=reason, recorded=any(entry.hash_info for entry in stage.outs))
        for stage, reason in stale.items()
    )


def _open_files(request: WorkerTask, project: Project) -> RevisionFiles:
    return RevisionFiles(project, request.files, as_it_lies=isinstance(request, Read))


def _find_files(request: SearchTask, files: RevisionFiles) -> tuple[FoundFile, ...]:
    metrics = {*list_metrics(files.project), *request.metrics}
    return tuple(
        files.find(path).model_copy(update={"declared": files.producing_stage(path) is not None})
        for path in sorted(metrics | set(request.predictions))
    )


def _describe(  # noqa: PLR0917  the parts of the reply, in its order
    request: SearchTask,
    project: Project,
    found: tuple[FoundFile, ...],
    stages: tuple[Stage, ...],
    stale: tuple[Stale, ...],
    inputs: str,
) -> WorkerReply:
    problems: list[Broken] = []
    parameters = read_inventory("parameters", lambda: list_parameters(project), problems)
    files = {file.path: file for file in found}
    return WorkerReply(
        pipeline=bool(project.pipeline_stages),
        metrics=tuple(files[path] for path in sorted({*list_metrics(project), *request.metrics})),
        predictions=tuple(files[path] for path in request.predictions),
        plots=tuple(list_plots(project, _open_files(request, project))),
        parameters=tuple(parameters),
        data=tuple(list_data(project)),
        stages=stages,
        stale=stale,
        problems=tuple(problems),
        inputs=inputs,
        is_repeatable=not any(stage.is_callback or stage.always_changed for stage in project.pipeline_stages),
    )


def _handle(request: WorkerRequest, projects: Projects, say: Say) -> WorkerReply | Failed:
    remote: Remote | None = None
    try:
        apply_overrides(request.directory, request.overrides)
        project = projects.open(request)
        if project is None:
            return _reply_without_dvc(request)
        remote = describe_remote(project.repo)
        return _reply(request, project, say).model_copy(update={"pulled": projects.take_pulled()})
    except Exception as error:
        logging.getLogger("metricgate").debug("the worker failed", exc_info=True)
        return explain_failure(error, remote)


def main() -> int:
    """Do requests until there are no more; return 0 if each got a reply or an explained failure."""
    reply = os.fdopen(int(os.environ.pop("METRICGATE_REPLY")), "w", encoding="utf-8", buffering=1)

    def say(message: Happened | WorkerReply | Failed) -> None:
        reply.write(message.model_dump_json() + "\n")

    with reply, Projects() as projects:
        for line in sys.stdin.buffer:
            say(_handle(REQUESTS.validate_json(line), projects, say))
    return 0


if __name__ == "__main__":
    sys.exit(main())
