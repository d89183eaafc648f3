"""A worker's reply as a snapshot."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType

from metricgate.execution.messages import FoundFile, WorkerReply
from metricgate.execution.metrics_file import read_metrics
from metricgate.models.snapshot import Believed, FileMetric, RevisionInfo, Snapshot, Unreadable
from metricgate.settings.policy import Policy


def assemble_snapshot(
    reply: WorkerReply, info: RevisionInfo, policy: Policy, packages: tuple[tuple[str, str], ...] = ()
) -> Snapshot:
    """Return a reply in the form that is compared. What could not be read becomes ``Unreadable``, never absent."""
    metrics: list[FileMetric] = []
    problems = [Unreadable(what=broken.what, reason=broken.reason) for broken in reply.problems]
    for file in reply.metrics:
        found = _read_metrics(file)
        if isinstance(found, Unreadable):
            problems.append(found)
        else:
            metrics += found
    problems += [unreadable(found.file) for found in reply.plots if found.file.local is None]
    return Snapshot(
        info=info,
        metrics=tuple(metrics),
        parameters=reply.parameters,
        data=reply.data,
        stages=reply.stages,
        packages=packages,
        python=reply.python,
        plots=tuple((found.plot, Path(found.file.local)) for found in reply.plots if found.file.local is not None),
        predictions=MappingProxyType(_locate_predictions(reply.predictions, policy)),
        problems=tuple(problems),
        inputs=reply.inputs,
        believed=(*reply.believed, *_list_cached(reply)),
    )


def _list_cached(reply: WorkerReply) -> Iterator[Believed]:
    for stage in reply.stages:
        if stage.state == "cached":
            yield Believed(what=stage.name, reason="restored from the run cache", origin="run cache")


def unreadable(file: FoundFile) -> Unreadable:
    return Unreadable(what=file.path, reason=file.problem, missing=file.missing)


def _read_metrics(file: FoundFile) -> tuple[FileMetric, ...] | Unreadable:
    return unreadable(file) if file.local is None else read_metrics(Path(file.local), file.path)


def _locate_predictions(files: Iterable[FoundFile], policy: Policy) -> dict[str, Path | Unreadable]:
    by_path = {file.path: file for file in files}
    return {
        name: unreadable(file) if (file := by_path[spec.path]).local is None else Path(file.local)
        for name, spec in policy.prediction_sets.items()
    }
