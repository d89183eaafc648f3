"""Reads requests from standard input, one a line, does each, and answers on the pipe METRICGATE_REPLY."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from metricgate.execution.messages import Answer, Broken, Failed, FoundFile, Happened, Request, Stale
from metricgate.execution.worker.failures import PipelineFailedError, explain_failure
from metricgate.execution.worker.files import RevisionFiles
from metricgate.execution.worker.inventory import (
    list_data,
    list_metrics,
    list_parameters,
    list_plots,
    read_inventory,
)
from metricgate.execution.worker.lending import lend_files
from metricgate.execution.worker.listings import count_changes
from metricgate.execution.worker.overrides import apply_overrides
from metricgate.execution.worker.project import Project, open_project
from metricgate.execution.worker.publication import push_produced
from metricgate.execution.worker.remote import Remote, describe_remote
from metricgate.execution.worker.reproduction import Reproduction, pull_data, unchanged_stages
from metricgate.execution.worker.staleness import find_stale, has_modified_data, hash_inputs
from metricgate.models.snapshot import Stage

Say = Callable[[Happened | Answer | Failed], None]


class Projects(ExitStack):
    """The projects that were opened: opening one costs as much as a question about it."""

    def __init__(self) -> None:
        super().__init__()
        self._opened: dict[tuple[str, str | None, str | None], Project | None] = {}

    def open(self, request: Request) -> Project | None:
        key = (request.directory, request.revision, request.shares_with)
        if key not in self._opened:
            opening = open_project(Path(request.directory), revision=request.revision, shares_with=request.shares_with)
            self._opened[key] = self.enter_context(opening)
        elif (project := self._opened[key]) is not None:
            project.forget()
        return self._opened[key]


def _answer(request: Request, project: Project, say: Say) -> Answer:  # noqa: PLR0911  one per action
    match request.action:
        case "produce":
            return _produce(request, project, say)
        case "pull":
            return _pull(request, project, say)
        case "bring":
            files = _open_files(request, project)
            wanted = zip(request.predictions, request.hashes, strict=True)
            return Answer(predictions=tuple(files.find_object(path, digest) for path, digest in wanted))
        case "lend":
            return Answer(predictions=lend_files(Path(request.directory), project, request.lent))
        case "count":
            return Answer(counts=count_changes(project, request.folders))
        case "push":
            say(Happened(text=f"pushed {push_produced(project)} objects"))
            return Answer()
        case "inspect" | "read":
            return _inspect(request, project)


def _pull(request: Request, project: Project, say: Say) -> Answer:
    if request.known and not has_modified_data(project):
        return Answer(state="known")
    pull_data(project, lambda text, *, ends=False: say(Happened(text=text, ends=ends)))
    return Answer()


def _inspect(request: Request, project: Project) -> Answer:
    stale = find_stale(project, to_run=False)
    files = _open_files(request, project)
    found = _find_files(request, files)
    inputs = hash_inputs(project, stale)
    return _describe(request, project, found, unchanged_stages(project, stale), _name_stale(project, stale), inputs)


def _produce(request: Request, project: Project, say: Say) -> Answer:
    stale = find_stale(project, to_run=request.reproduce)
    inputs = hash_inputs(project, stale)
    named = _name_stale(project, stale)
    if named and not request.reproduce:
        raise PipelineFailedError(
            f"dvc.lock does not belong to this checkout: {named[0].reason} (stage {named[0].stage}).",
            expected="results that were produced from the committed code, parameters and data.",
            fix="run `dvc repro`, commit dvc.lock and run `dvc push`; or set `reproduce: if-needed`.",
        )
    if stale and (early := _stop_early(request, inputs)):
        return early
    reproduction = Reproduction(project, lambda text, *, ends=False: say(Happened(text=text, ends=ends)))
    os.environ.update(request.environment)
    if stale:
        reproduction.run(stale)
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
    return _describe(request, project, found, reproduction.describe(), named, inputs)


def _stop_early(request: Request, inputs: str) -> Answer | None:
    """Answer before anything is run, where nothing need be or may be run yet."""
    if inputs in request.known:
        return Answer(inputs=inputs, state="known")
    return None if request.may_run else Answer(inputs=inputs, state="waits")


def _refuse_lost(request: Request, file: FoundFile) -> None:
    if not request.reproduce:
        raise PipelineFailedError(
            f"A result that dvc.lock records cannot be had: {file.problem}.",
            expected="the results of the committed dvc.lock in the DVC remote.",
            fix="run `dvc push` on the machine that trained; or set `reproduce: if-needed`.",
        )


def _name_stale(project: Project, stale: Mapping[Any, str]) -> tuple[Stale, ...]:
    return tuple(
        Stale(stage=project.stage_name(stage), reason=reason, recorded=any(entry.hash_info for entry in stage.outs))
        for stage, reason in stale.items()
    )


def _open_files(request: Request, project: Project) -> RevisionFiles:
    return RevisionFiles(project, Path(request.files), as_it_lies=request.action == "read")


def _find_files(request: Request, files: RevisionFiles) -> tuple[FoundFile, ...]:
    metrics = {*list_metrics(files.project), *request.metrics}
    return tuple(
        files.find(path).model_copy(update={"declared": files.producing_stage(path) is not None})
        for path in sorted(metrics | set(request.predictions))
    )


def _describe(  # noqa: PLR0917  the parts of the answer, in its order
    request: Request,
    project: Project,
    found: tuple[FoundFile, ...],
    stages: tuple[Stage, ...],
    stale: tuple[Stale, ...],
    inputs: str,
) -> Answer:
    problems: list[Broken] = []
    parameters = read_inventory("parameters", lambda: list_parameters(project), problems)
    files = {file.path: file for file in found}
    return Answer(
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
        repeats=not any(stage.is_callback or stage.always_changed for stage in project.pipeline_stages),
    )


def _handle(request: Request, projects: Projects, say: Say) -> Answer | Failed:
    remote: Remote | None = None
    try:
        apply_overrides(Path(request.directory), request.overrides)
        project = projects.open(request)
        if project is None:
            lent = lend_files(Path(request.directory), None, request.lent)
            known = request.action == "pull" and bool(request.known)
            return Answer(project=False, pipeline=False, predictions=lent, state="known" if known else "done")
        remote = describe_remote(project.repo)
        return _answer(request, project, say)
    except Exception as error:
        logging.getLogger("metricgate").debug("the worker failed", exc_info=True)
        return explain_failure(error, remote)


def main() -> int:
    """Answer requests until there are no more; return 0 whenever each got an answer or an explained failure."""
    reply = os.fdopen(int(os.environ.pop("METRICGATE_REPLY")), "w", encoding="utf-8", buffering=1)

    def say(message: Happened | Answer | Failed) -> None:
        reply.write(message.model_dump_json() + "\n")

    with reply, Projects() as projects:
        for line in sys.stdin.buffer:
            say(_handle(Request.model_validate_json(line), projects, say))
    return 0


if __name__ == "__main__":
    sys.exit(main())
