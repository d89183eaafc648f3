"""The baseline's results, from wherever they can be had without training, and only else reproduced."""

import shutil
from pathlib import Path

from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.progress import Progress
from metricgate.settings.policy import Policy
from metricgate.workspace.assembly import assemble_snapshot
from metricgate.workspace.baseline import BaselineRevision
from metricgate.workspace.candidate import ProduceOptions, make_folder
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.messages import Answer, FoundFile, Request
from metricgate.workspace.session import ask_worker


def fetch_baseline(
    checkout: Checkout,
    revision: BaselineRevision,
    policy: Policy,
    options: ProduceOptions,
    *,
    progress: Progress,
    logs: Path,
) -> Snapshot:
    """Return the snapshot of ``revision``, never touching the checkout.

    ``policy`` is that revision's own. First hit wins: Git, DVC's cache, its remote, a reproduction in a work tree of
    its own that shares the cache. ``info.source`` says which, ``info.stale`` why committed results were not believed.

    Raises
    ------
    WorkspaceError
        If none of them has the results.
    """
    with progress.step(f"Baseline {revision.sha[:9]}"):
        recorded = _inspect(checkout, revision, policy, options, progress=progress, logs=logs)
        stale = "; ".join(f"{entry.stage}: {entry.reason}" for entry in recorded.stale)
        if not _needs_reproduction(recorded, options):
            return assemble_snapshot(recorded, _describe(revision, _find_source(recorded), stale), policy)
        reproduced = _reproduce(checkout, revision, policy, options, progress=progress, logs=logs)
        return assemble_snapshot(reproduced, _describe(revision, Source.REPRODUCED, stale), policy)


def _describe(revision: BaselineRevision, source: Source, stale: str) -> RevisionInfo:
    return RevisionInfo(revision=revision.sha, name=revision.name, source=source, reason=revision.reason, stale=stale)


def _request(policy: Policy, files: Path) -> Request:
    return Request(
        action="inspect",
        directory="",
        predictions=tuple(spec.path for spec in policy.prediction_sets.values()),
        metrics=policy.pipeline.metrics,
        files=str(files),
    )


def _inspect(
    checkout: Checkout,
    revision: BaselineRevision,
    policy: Policy,
    options: ProduceOptions,
    *,
    progress: Progress,
    logs: Path,
) -> Answer:
    files = make_folder(options.scratch / "baseline", checkout)
    return ask_worker(
        _request(policy, files).model_copy(update={"directory": str(checkout.directory), "revision": revision.sha}),
        progress=progress,
        log=logs / "baseline.log",
        owner=checkout.owner,
        timeout_s=options.timeout_s,
    )


def _wanted(answer: Answer) -> tuple[FoundFile, ...]:
    return (*answer.metrics, *answer.predictions)


def _needs_reproduction(answer: Answer, options: ProduceOptions) -> bool:
    if not answer.pipeline:
        return False
    if options.baseline_results == "reproduce":
        return True
    # A pipeline's results that are missing or lag behind are worth a training; a file it never wrote is not.
    return bool(answer.stale) or any(file.local is None for file in _wanted(answer))


def _find_source(answer: Answer) -> Source:
    sources = {file.source for file in _wanted(answer)}
    for source in (Source.DVC_REMOTE, Source.DVC_CACHE):
        if source.value in sources:
            return source
    return Source.GIT


def _reproduce(
    checkout: Checkout,
    revision: BaselineRevision,
    policy: Policy,
    options: ProduceOptions,
    *,
    progress: Progress,
    logs: Path,
) -> Answer:
    progress.line(f"no results of {revision.sha[:9]} that can be believed: its pipeline is reproduced")
    files = make_folder(options.scratch / "baseline-reproduced", checkout)
    with checkout.worktree(revision.sha) as directory:
        answer = ask_worker(
            _request(policy, files).model_copy(
                update={"action": "produce", "directory": str(directory), "shares_with": str(checkout.directory)}
            ),
            progress=progress,
            log=logs / "baseline-reproduction.log",
            owner=checkout.owner,
            timeout_s=options.timeout_s,
        )
        return _keep_files(answer, directory, files)


def _keep_files(answer: Answer, directory: Path, files: Path) -> Answer:
    """Copy what was found out of the work tree, which goes, into ``files``, which stays."""

    def keep(file: FoundFile) -> FoundFile:
        if file.local is None:
            return file
        target = files / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(directory / file.path, target)
        return file.model_copy(update={"local": str(target)})

    return answer.model_copy(
        update={
            "metrics": tuple(map(keep, answer.metrics)),
            "predictions": tuple(map(keep, answer.predictions)),
            "plots": tuple(plot.model_copy(update={"file": keep(plot.file)}) for plot in answer.plots),
        }
    )
