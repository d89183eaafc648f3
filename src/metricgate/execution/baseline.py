"""The baseline's results, from wherever they are without training, and reproduced only if they are nowhere."""

from dataclasses import replace
from functools import partial

from metricgate.context import RunContext
from metricgate.errors import WorkspaceError
from metricgate.execution.assembly import assemble_snapshot
from metricgate.execution.environment import find_pins, fingerprint_environment
from metricgate.execution.file_copies import open_stored_results
from metricgate.execution.messages import FoundFile, Inspect, Stale, WorkerReply
from metricgate.execution.production import (
    Inspections,
    copy_files,
    describe_reading,
    hash_command,
    list_predictions,
    produce_results,
)
from metricgate.execution.run_files import add_run_files
from metricgate.execution.session import ask_worker
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.results.interface import ResultStore
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.settings.mlflow import is_run_file
from metricgate.settings.policy import Policy

_FILES = "baseline"


def describe_inspection(context: RunContext, revision: BaselineRevision, policy: Policy) -> Inspect:
    """Return the request for what ``revision`` recorded; ``policy`` is its own."""
    return Inspect(
        directory=context.checkout.directory,
        revision=revision.sha,
        predictions=list_predictions(policy),
        metrics=policy.pipeline.metrics,
        files=context.scratch / _FILES,
    )


def fetch_baseline(
    context: RunContext,
    revision: BaselineRevision,
    policy: Policy,
    *,
    earlier: ResultStore | None = None,
    inspections: Inspections | None = None,
) -> Snapshot:
    """Return the snapshot of ``revision``, never touching the checkout.

    ``policy`` is that revision's own. First hit wins: Git, DVC's cache, its remote, stored results, what an ``earlier``
    run here reproduced, a reproduction in a work tree that shares the cache. ``info.source`` says which it was, and
    ``info.stale`` why committed results were not used.

    Raises
    ------
    WorkspaceError
        If none of them has the results.
    """
    checkout = context.checkout
    tree = WorkTree(context=context, directory=checkout.directory, files=context.scratch / _FILES, name="baseline")
    with context.progress.step(f"Baseline {revision.sha[:9]}"):
        recorded = _inspect(tree, revision, policy, inspections or Inspections())
        recorded = add_run_files(context, recorded, policy)
        stale = "; ".join(f"{entry.stage}: {entry.reason}" for entry in recorded.stale if entry.recorded)
        read = partial(checkout.read_text, revision.sha)
        packages = find_pins(policy.pipeline, read)
        if not _needs_reproduction(recorded, policy, context):
            return assemble_snapshot(recorded, _describe(revision, _find_source(recorded), stale), policy, packages)
        stored = open_stored_results(tree)
        if context.baseline_results != "reproduce":
            # Whatever the environment: what the default branch produced is what it is compared with.
            found = stored.find(recorded.inputs, None, policy, _describe(revision, stored.source, stale))
            if found is not None:
                return found
        if context.baseline_results == "stored":
            raise _explain_not_stored(revision, recorded, stale)
        environment = fingerprint_environment(policy.pipeline, read, use_active=context.use_active)
        if earlier is not None and context.baseline_results == "auto":
            found = earlier.find(recorded.inputs, environment, policy, _describe(revision, earlier.source, stale))
            if found is not None:
                return found
        reply = _reproduce(tree, revision, policy).model_copy(update={"inputs": recorded.inputs})
        snapshot = assemble_snapshot(reply, _describe(revision, Source.REPRODUCED, stale), policy, packages)
        if earlier is not None and reply.is_repeatable and (problem := earlier.keep(snapshot, environment, policy)):
            context.progress.line(problem)
        return snapshot


def _explain_not_stored(revision: BaselineRevision, recorded: WorkerReply, stale: str) -> WorkspaceError:
    problems = [stale, *(file.problem for file in recorded.results if file.local is None)]
    return WorkspaceError(
        f"The baseline {revision.sha[:9]} ({revision.name}) has no usable results, and must not be reproduced.",
        expected="results in Git, in the DVC remote, or stored by a run on the default branch.",
        fix="let the action run on pushes to the default branch, or set `baseline-results: auto`.",
        details="\n".join(filter(None, problems)),
        topic="the-baseline-has-no-results",
    )


def _describe(revision: BaselineRevision, source: Source, stale: str) -> RevisionInfo:
    return RevisionInfo(revision=revision.sha, name=revision.name, source=source, reason=revision.reason, stale=stale)


def _inspect(tree: WorkTree, revision: BaselineRevision, policy: Policy, inspections: Inspections) -> WorkerReply:
    if policy.pipeline.params:
        return _inspect_overridden(tree, revision, policy)
    context, request = tree.context, describe_inspection(tree.context, revision, policy)
    tree.make_folder(tree.files)
    reply = inspections.take(request) or ask_worker(context, request, log=tree.log, timeout_s=context.timeout_s)
    if not reply.project:
        reply = _read_git(context, revision, request, reply)
    if policy.pipeline.command is not None:
        key = hash_command(context.checkout, policy.pipeline, revision.sha)
        reply = reply.model_copy(update={"inputs": key, "stale": ()})
    return reply


def _inspect_overridden(tree: WorkTree, revision: BaselineRevision, policy: Policy) -> WorkerReply:
    """Read a work tree whose parameters have the policy's other values: nothing is recorded of what depends on them."""
    context, checkout = tree.context, tree.context.checkout
    with checkout.worktree(revision.sha) as directory:
        request = describe_reading(replace(tree, directory=directory, shares_with=checkout.directory), policy)
        reply = ask_worker(context, request, log=tree.log, timeout_s=context.timeout_s)
        reply = copy_files(reply, context.scratch / "baseline-recorded")
    if policy.pipeline.command is None:
        return reply
    lost = Stale(stage="command", reason="its parameters get other values", recorded=False)
    key = hash_command(checkout, policy.pipeline, revision.sha)
    return reply.model_copy(update={"inputs": key, "stale": (lost,)})


def _read_git(context: RunContext, revision: BaselineRevision, request: Inspect, reply: WorkerReply) -> WorkerReply:
    """Find the files of a revision that has no DVC, in Git alone."""

    def find(name: str) -> FoundFile:
        content = context.checkout.read_bytes(revision.sha, name)
        if content is None:
            return FoundFile(path=name, problem=f"{name} is not in Git at this revision", missing=True)
        target = request.files / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return FoundFile(path=name, local=str(target), source="git")

    return reply.find_results(request, find)


def _needs_reproduction(reply: WorkerReply, policy: Policy, context: RunContext) -> bool:
    by_command = policy.pipeline.command is not None
    if not reply.pipeline and not by_command:
        return False
    if context.baseline_results == "reproduce":
        return True
    # A training brings back what a stage or the command writes, not a file that no stage names.
    lost = [file for file in reply.results if file.local is None and not is_run_file(file.path)]
    return bool(reply.stale) or any(file.declared or by_command for file in lost)


def _find_source(reply: WorkerReply) -> Source:
    sources = {file.source for file in reply.results}
    for source in (Source.MLFLOW, Source.DVC_REMOTE, Source.DVC_CACHE):
        if source.value in sources:
            return source
    return Source.GIT


def _reproduce(tree: WorkTree, revision: BaselineRevision, policy: Policy) -> WorkerReply:
    context = replace(tree.context, reproduce="if-needed")
    context.progress.line(f"the baseline {revision.sha[:9]} has no usable results: reproducing its pipeline")
    files = context.scratch / "baseline-reproduced"
    with context.checkout.worktree(revision.sha) as directory:
        own = WorkTree(
            context=context,
            directory=directory,
            files=files,
            name="baseline-reproduction",
            shares_with=context.checkout.directory,
        )
        return copy_files(produce_results(own, policy), files)
