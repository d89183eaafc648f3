"""The baseline's results, from wherever they can be had without training, and only else reproduced."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from metricgate.errors import WorkspaceError
from metricgate.execution.assembly import assemble_snapshot
from metricgate.execution.inspections import Inspections, copy_files
from metricgate.execution.messages import Answer, FoundFile, Request, Stale
from metricgate.execution.pins import find_pins, fingerprint_environment
from metricgate.execution.production import hash_command, list_overrides, produce_results
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import ProduceOptions, Site
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.progress import Progress
from metricgate.results.folder import EarlierRuns
from metricgate.results.git_refs import load_results
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

_FILES = "baseline"


def describe_inspection(
    checkout: Checkout, revision: BaselineRevision, policy: Policy, options: ProduceOptions
) -> Request:
    """Return the question what ``revision`` recorded; ``policy`` is its own."""
    return Request(
        action="inspect",
        directory=str(checkout.directory),
        revision=revision.sha,
        predictions=tuple(spec.path for spec in policy.prediction_sets.values()),
        metrics=options.pipeline.metrics,
        files=str(options.scratch / _FILES),
    )


def fetch_baseline(
    checkout: Checkout,
    revision: BaselineRevision,
    policy: Policy,
    options: ProduceOptions,
    *,
    progress: Progress,
    logs: Path,
    earlier: EarlierRuns | None = None,
) -> Snapshot:
    """Return the snapshot of ``revision``, never touching the checkout.

    ``policy`` is that revision's own. First hit wins: Git, DVC's cache, its remote, stored results, what an
    ``earlier`` run here reproduced, a reproduction in a work tree of its own that shares the cache. ``info.source`` says which, ``info.stale`` why committed results were not believed.

    Raises
    ------
    WorkspaceError
        If none of them has the results.
    """
    site = Site(
        directory=checkout.directory,
        files=options.scratch / _FILES,
        logs=logs,
        name="baseline",
        progress=progress,
        owner=checkout.owner,
    )
    with progress.step(f"Baseline {revision.sha[:9]}"):
        recorded = _inspect(checkout, revision, policy, options, site)
        stale = "; ".join(f"{entry.stage}: {entry.reason}" for entry in recorded.stale if entry.recorded)
        read = partial(checkout.read_text, revision.sha)
        packages = find_pins(options.pipeline, read)
        if not _needs_reproduction(recorded, options):
            return assemble_snapshot(recorded, _describe(revision, _find_source(recorded), stale), policy, packages)
        if options.baseline_results != "reproduce":
            stored = load_results(checkout, recorded.inputs, revision, policy, site)
            if stored is not None:
                return replace(stored, info=stored.info.model_copy(update={"stale": stale}))
        if options.baseline_results == "stored":
            raise _explain_not_stored(revision, recorded, stale)
        environment = fingerprint_environment(options.pipeline, read)
        if earlier is not None and options.baseline_results == "auto":
            info = _describe(revision, Source.EARLIER, stale)
            again = earlier.load("baseline", recorded.inputs, environment, info, policy)
            if again is not None:
                return again
        answer = _reproduce(checkout, revision, policy, options, site).model_copy(update={"inputs": recorded.inputs})
        snapshot = assemble_snapshot(answer, _describe(revision, Source.REPRODUCED, stale), policy, packages)
        if earlier is not None and answer.repeats:
            earlier.keep("baseline", snapshot, environment, policy, progress)
        return snapshot


def _explain_not_stored(revision: BaselineRevision, recorded: Answer, stale: str) -> WorkspaceError:
    problems = [stale, *(file.problem for file in _wanted(recorded) if file.local is None)]
    return WorkspaceError(
        f"There are no results of the baseline {revision.sha[:9]} ({revision.name}), and it may not be reproduced.",
        expected="results in Git, in the DVC remote, or stored by a run on the default branch.",
        fix="let the action run on pushes to the default branch, or set `baseline-results: auto`.",
        details="\n".join(filter(None, problems)),
    )


def _describe(revision: BaselineRevision, source: Source, stale: str) -> RevisionInfo:
    return RevisionInfo(revision=revision.sha, name=revision.name, source=source, reason=revision.reason, stale=stale)


def _inspect(
    checkout: Checkout, revision: BaselineRevision, policy: Policy, options: ProduceOptions, site: Site
) -> Answer:
    if options.pipeline.params:
        return _inspect_overridden(checkout, revision, policy, options, site)
    request = describe_inspection(checkout, revision, policy, options)
    site.make_folder(site.files)
    answer = options.inspections.take(request) or ask_worker(
        request,
        progress=site.progress,
        log=site.logs / "baseline.log",
        owner=site.owner,
        timeout_s=options.timeout_s,
    )
    if not answer.project:
        answer = _read_git(checkout, revision, request, answer)
    if options.pipeline.command is not None:
        key = hash_command(checkout, options.pipeline, revision.sha)
        answer = answer.model_copy(update={"inputs": key, "stale": ()})
    return answer


def _inspect_overridden(
    checkout: Checkout, revision: BaselineRevision, policy: Policy, options: ProduceOptions, site: Site
) -> Answer:
    """Find what is recorded in a work tree whose parameters have the policy's other values: nothing, where it matters."""
    with checkout.worktree(revision.sha) as directory:
        request = describe_inspection(checkout, revision, policy, options)
        answer = ask_worker(
            request.model_copy(
                update={
                    "action": "read",
                    "directory": str(directory),
                    "revision": None,
                    "files": str(site.make_folder(site.files)),
                    "shares_with": str(checkout.directory),
                    "overrides": list_overrides(options.pipeline),
                }
            ),
            progress=site.progress,
            log=site.logs / "baseline.log",
            owner=site.owner,
            timeout_s=options.timeout_s,
        )
        answer = copy_files(answer, options.scratch / "baseline-recorded")
    if options.pipeline.command is None:
        return answer
    lost = Stale(stage="command", reason="its parameters get other values", recorded=False)
    return answer.model_copy(
        update={"inputs": hash_command(checkout, options.pipeline, revision.sha), "stale": (lost,)}
    )


def _read_git(checkout: Checkout, revision: BaselineRevision, request: Request, answer: Answer) -> Answer:
    """Find the files of a revision that has no DVC, in Git alone."""

    def find(name: str) -> FoundFile:
        content = checkout.read_bytes(revision.sha, name)
        if content is None:
            return FoundFile(path=name, problem=f"{name} is not in Git at this revision", missing=True)
        target = Path(request.files) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return FoundFile(path=name, local=str(target), source="git")

    return answer.model_copy(
        update={
            "metrics": tuple(map(find, sorted(request.metrics))),
            "predictions": tuple(map(find, request.predictions)),
        }
    )


def _wanted(answer: Answer) -> tuple[FoundFile, ...]:
    return (*answer.metrics, *answer.predictions)


def _needs_reproduction(answer: Answer, options: ProduceOptions) -> bool:
    if not answer.pipeline and options.pipeline.command is None:
        return False
    if options.baseline_results == "reproduce":
        return True
    # A training brings back what a stage or the command writes, not a file that no stage names.
    lost = [file for file in _wanted(answer) if file.local is None]
    return bool(answer.stale) or any(file.declared or options.pipeline.command is not None for file in lost)


def _find_source(answer: Answer) -> Source:
    sources = {file.source for file in _wanted(answer)}
    for source in (Source.DVC_REMOTE, Source.DVC_CACHE):
        if source.value in sources:
            return source
    return Source.GIT


def _reproduce(
    checkout: Checkout, revision: BaselineRevision, policy: Policy, options: ProduceOptions, site: Site
) -> Answer:
    site.progress.line(f"no results of {revision.sha[:9]} that can be believed: its pipeline is reproduced")
    files = options.scratch / "baseline-reproduced"
    with checkout.worktree(revision.sha) as directory:
        site = replace(
            site, directory=directory, files=files, name="baseline-reproduction", shares_with=checkout.directory
        )
        answer = produce_results(site, policy, replace(options, reproduce="if-needed", inspections=Inspections()))
        return copy_files(answer, files)
