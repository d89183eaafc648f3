"""The stages that are run although dvc.lock has results for them: a change concerns them, and must not be believed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from metricgate.execution.messages import Produce
from metricgate.execution.worker.dvc_failures import (
    PipelineFailedError,
    explain_failure,
    is_failed_command,
)
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.inventory import list_metrics
from metricgate.execution.worker.reproduction import Reproduction
from metricgate.execution.worker.revision_files import RevisionFiles

_ADVICE = (
    "dvc.lock has results for this stage, and it ran because the change edits what decides the verdict. Where it needs "
    "something that this machine lacks (a GPU, a service, a secret), give the job that; or set `reproduce: false` "
    "(`--no-repro`), and a person reviews the committed results, which the report then calls not reproduced."
)


def find_reruns(project: Project, request: Produce, files: RevisionFiles) -> set[Any]:
    """Return the stages that the request wants to be run, whatever dvc.lock says."""
    doubt, stages = request.doubt, project.pipeline_stages
    if doubt.everything:
        return set(stages)
    found = {stage for stage in stages if _is_named(project.stage_name(stage), doubt.stages)}
    if doubt.results:
        written = {files.producing_stage(path) for path in request.predictions or list_metrics(project)}
        found |= written - {None}
    return found


@contextmanager
def explain_rerun(reproduction: Reproduction, again: Iterable[Any]) -> Iterator[None]:
    """Add to a stage's failure why the stage ran, if it ran ``again`` only because its results were not believed.

    Raises
    ------
    PipelineFailedError
        In place of DVC's own error.
    """
    names = {stage.addressing for stage in again}
    try:
        yield
    except Exception as error:
        if not is_failed_command(error) or reproduction.last_started not in names:
            raise
        failed = explain_failure(error)
        raise PipelineFailedError(
            failed.what,
            expected=failed.expected,
            fix=f"{failed.fix} {_ADVICE}",
            topic="a-stage-failed-that-had-results",
            details=failed.details,
        ) from error


def _is_named(name: str, wanted: tuple[str, ...]) -> bool:
    # `train` is also every stage of a `foreach` or `matrix` of that name: train@small.
    return any(
        name == other or name.startswith(f"{other}@") or (other.endswith("*") and fnmatchcase(name, other))
        for other in wanted
    )
