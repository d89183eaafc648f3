"""Reads one request from standard input, does it, and answers on the pipe METRICGATE_REPLY."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from metricgate.workspace.messages import Answer, Broken, Failed, Happened, Request
from metricgate.workspace.worker.failures import PipelineFailedError, explain_failure
from metricgate.workspace.worker.files import RevisionFiles
from metricgate.workspace.worker.inventory import (
    list_data,
    list_metrics,
    list_parameters,
    list_plots,
    read_inventory,
)
from metricgate.workspace.worker.project import Project, open_project
from metricgate.workspace.worker.reproduction import reproduce_stages, unchanged_stages
from metricgate.workspace.worker.staleness import find_stale, hash_inputs

Say = Callable[[Happened | Answer | Failed], None]


def _answer(request: Request, project: Project, say: Say) -> Answer:
    stale = find_stale(project)
    if request.action == "produce":
        if stale and not request.reproduce:
            raise PipelineFailedError(
                f"dvc.lock does not belong to this checkout: {stale[0].reason} in stage {stale[0].stage}.",
                expected="results that were produced from the committed code, parameters and data.",
                fix="run `dvc repro`, commit dvc.lock and push with `dvc push`; or set `reproduce: if-needed`.",
            )
        stages = reproduce_stages(project, stale, lambda text: say(Happened(text=text)))
        project.forget()
    else:
        stages = unchanged_stages(project, stale)
    return _collect(request, project, stages, stale)


def _collect(request: Request, project: Project, stages: tuple, stale: tuple) -> Answer:  # type: ignore[type-arg]
    files = RevisionFiles(project, Path(request.files))
    problems: list[Broken] = []
    parameters = read_inventory("parameters", lambda: list_parameters(project), problems)
    paths = sorted({*list_metrics(project), *request.metrics})
    return Answer(
        pipeline=bool(project.pipeline_stages),
        metrics=tuple(files.find(path) for path in paths),
        predictions=tuple(files.find(path) for path in request.predictions),
        plots=tuple(list_plots(project, files)),
        parameters=tuple(parameters),
        data=tuple(list_data(project)),
        stages=stages,
        stale=stale,
        problems=tuple(problems),
        inputs=hash_inputs(project),
    )


def main() -> int:
    """Answer one request; return 0 whenever an answer or an explained failure was given."""
    request = Request.model_validate_json(sys.stdin.buffer.read())
    with os.fdopen(int(os.environ.pop("METRICGATE_REPLY")), "w", encoding="utf-8", buffering=1) as reply:

        def say(message: Happened | Answer | Failed) -> None:
            reply.write(message.model_dump_json() + "\n")

        try:
            shares_with = None if request.shares_with is None else Path(request.shares_with)
            with open_project(Path(request.directory), revision=request.revision, shares_with=shares_with) as project:
                say(Answer(project=False, pipeline=False) if project is None else _answer(request, project, say))
        except Exception as error:
            logging.getLogger("metricgate").debug("the worker failed", exc_info=True)
            say(explain_failure(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
