"""The stages that are run although dvc.lock has results for them: a change concerns them, and must not be believed."""

from fnmatch import fnmatchcase
from typing import Any

from metricgate.execution.messages import Produce
from metricgate.execution.worker.dvc_project import Project
from metricgate.execution.worker.inventory import list_metrics
from metricgate.execution.worker.revision_files import RevisionFiles


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


def _is_named(name: str, wanted: tuple[str, ...]) -> bool:
    # `train` is also every stage of a `foreach` or `matrix` of that name: train@small.
    return any(
        name == other or name.startswith(f"{other}@") or (other.endswith("*") and fnmatchcase(name, other))
        for other in wanted
    )
