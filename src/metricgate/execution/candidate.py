"""The candidate: the checkout as it is after its pipeline ran where it had to."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from metricgate.context import RunContext
from metricgate.errors import WorkspaceError
from metricgate.execution.assembly import assemble_snapshot
from metricgate.execution.environment import find_pins, fingerprint_environment
from metricgate.execution.file_copies import open_stored_results
from metricgate.execution.messages import Doubt, WorkerReply
from metricgate.execution.production import (
    Inspections,
    copy_files,
    hash_command,
    list_predictions,
    produce_results,
)
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import Believed, RevisionInfo, Snapshot, Source
from metricgate.results.interface import ResultStore
from metricgate.results.retention import was_produced
from metricgate.revisions.changed_sources import NOTHING_CHANGED, ChangedSources
from metricgate.revisions.checkout import Checkout
from metricgate.settings.mlflow import is_run_file
from metricgate.settings.policy import PipelineSpec, Policy

_SHARED = "its pipeline has the inputs of a run on the default branch, whose stored results are used"


def produce_candidate(
    context: RunContext,
    policy: Policy,
    *,
    changes: ChangedSources = NOTHING_CHANGED,
    doubt: Doubt | None = None,
    earlier: ResultStore | None = None,
    inspections: Inspections | None = None,
) -> Snapshot:
    """Pull and reproduce what is needed, and return the candidate's snapshot of the checkout.

    What is in ``doubt`` is run rather than believed; by default, what the ``changes`` since the baseline concern.
    What a pipeline with the same inputs gave before is not produced again: in an ``earlier`` run of this workspace or,
    if the context says so, on the default branch.

    Raises
    ------
    WorkspaceError
        If the pipeline or DVC fails, or with ``reproduce: never`` dvc.lock is stale. TimeLimitError: too slow.
    """
    checkout, pipeline = context.checkout, policy.pipeline
    doubt = find_doubt(changes) if doubt is None else doubt
    tree = WorkTree(
        context=context, directory=checkout.directory, files=context.scratch / "candidate", name="candidate"
    )
    read = _read_files(checkout)
    dirty = _has_work(checkout, policy)
    environment = fingerprint_environment(pipeline, read, use_active=context.use_active)
    key = ""
    if pipeline.command is not None:
        outside = _outside_results(policy)
        key = "" if checkout.is_dirty(outside) else hash_command(checkout, pipeline, checkout.head_sha)
        if checkout.has_unknown(outside):
            earlier = None  # code that is not in Git may be what the command runs
    shared = open_stored_results(tree) if context.reuse_stored else None
    stores = [(store, store.list_keys(environment)) for store in (earlier, shared) if store is not None]
    keys = tuple(inputs for _, listed in stores for inputs in listed)
    if pipeline.command is not None:
        keys = (key,) if key in keys else ()
    with context.progress.step("Candidate"):
        reply = _produce(tree, policy, keys, inspections, doubt)
        if reply.state == "reusable":
            inputs = reply.inputs or key
            holding = [store for store, listed in stores if inputs in listed]
            if (snapshot := _reuse(context, policy, holding, inputs, environment, dirty=dirty)) is not None:
                return _name_believed(snapshot, changes)
            reply = _produce(tree, policy, (), inspections, doubt)
    if pipeline.command is not None:
        reply = reply.model_copy(update={"inputs": key})
    if policy.scoring is None:
        require_results(reply, pipeline)
    info = _describe(checkout, Source.WORKSPACE, dirty=dirty)
    reply = _add_committed_files(reply, changes, by_command=pipeline.command is not None)
    snapshot = _name_believed(assemble_snapshot(reply, info, policy, find_pins(pipeline, read)), changes)
    is_news = reply.is_repeatable and was_produced(snapshot)
    if earlier is not None and is_news and (problem := earlier.keep(snapshot, environment, policy)):
        context.progress.line(problem)
    return snapshot


def _has_work(checkout: Checkout, policy: Policy) -> bool:
    """Return whether a person changed files since HEAD: not dvc.lock or results, which an earlier run may have written.

    Without a pipeline nobody else writes results.
    """
    has_pipeline = policy.pipeline.command is not None or (checkout.directory / "dvc.yaml").is_file()
    return checkout.is_dirty((*_outside_results(policy), ":(exclude,glob)**/dvc.lock") if has_pipeline else (".",))


def find_doubt(changes: ChangedSources, *, everything: bool = False, run_cache: bool = False) -> Doubt:
    """Return what is not believed: edited stages, those that judge, and results that fit their inputs badly.

    A stage whose inputs and results both changed was trained elsewhere: its results are named, and not made again.
    """
    odd = {stage for stage, both_changed in changes.recorded.items() if not both_changed}
    return Doubt(
        stages=tuple(sorted(changes.edited | odd)),
        results=changes.judges,
        everything=everything,
        run_cache=run_cache,
    )


def _add_committed_files(reply: WorkerReply, changes: ChangedSources, *, by_command: bool) -> WorkerReply:
    """Return the reply with the results named that this change committed, and that no stage writes."""
    named = {believed.what for believed in reply.believed}
    committed = tuple(
        Believed(what=file.path, reason="it is this change's own file, and no stage writes it")
        for file in reply.results
        if file.local and not file.declared and not by_command and file.path not in named
        if not is_run_file(file.path) and changes.touches(file.path)
    )
    return reply.model_copy(update={"believed": (*reply.believed, *dict.fromkeys(committed))})


def _name_believed(snapshot: Snapshot, changes: ChangedSources) -> Snapshot:
    """Return the snapshot with the stages named whose results this change committed, and that did not run here."""
    named = {believed.what for believed in snapshot.believed if believed.origin == "commit"}
    committed = [
        stage.name
        for stage in snapshot.stages
        if stage.name in changes.recorded
        if stage.state in {"unchanged", "committed"} and stage.seconds is None
    ]
    stages = tuple(
        stage.model_copy(update={"state": "committed"}) if stage.name in {*committed, *named} else stage
        for stage in snapshot.stages
    )
    added = tuple(
        Believed(what=name, reason="its results in dvc.lock are this change's own")
        for name in committed
        if name not in named
    )
    return replace(snapshot, stages=stages, believed=(*snapshot.believed, *added))


def _describe(checkout: Checkout, source: Source, reason: str = "", *, dirty: bool) -> RevisionInfo:
    return RevisionInfo(revision=checkout.head_sha, name="HEAD", dirty=dirty, source=source, reason=reason)


def _reuse(
    context: RunContext, policy: Policy, stores: Sequence[ResultStore], inputs: str, environment: str, *, dirty: bool
) -> Snapshot | None:
    """Return what a pipeline with the same inputs gave before, from the first store that has all of it."""
    for store in stores:
        info = _describe(context.checkout, store.source, _SHARED if store.source is Source.STORED else "", dirty=dirty)
        snapshot = store.find(inputs, environment, policy, info)
        if snapshot is not None:
            earlier = f"not run: it has the inputs of the run of {snapshot.info.made}, whose results are used"
            context.progress.line(snapshot.info.reason or earlier)
            return snapshot
    return None


def _produce(
    tree: WorkTree,
    policy: Policy,
    reusable_keys: tuple[str, ...],
    inspections: Inspections | None,
    doubt: Doubt,
) -> WorkerReply:
    """Produce in the checkout or, where parameters get other values, in a work tree.

    The checkout keeps its own parameters, however the run ends.
    """
    if not policy.pipeline.params:
        return produce_results(tree, policy, reusable_keys, inspections, doubt=doubt)
    checkout = tree.context.checkout
    with checkout.worktree(checkout.record_state()) as directory:
        apart = replace(tree, directory=directory, shares_with=checkout.directory)
        reply = produce_results(apart, policy, reusable_keys, inspections, doubt=doubt)
        return copy_files(reply, tree.context.scratch / "candidate-results")


def _outside_results(policy: Policy) -> tuple[str, ...]:
    """Return Git's pathspecs of the project but for its results, which an earlier run may have written."""
    results = {*list_predictions(policy), *policy.pipeline.metrics}
    return (".", *(f":(exclude,literal){path}" for path in sorted(results)))


def _read_files(checkout: Checkout) -> Callable[[str], str | None]:
    """Return a function that reads a text file of the project; None for what is not a file."""

    def read(name: str) -> str | None:
        path = checkout.directory / name
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    return read


def require_results(reply: WorkerReply, pipeline: PipelineSpec) -> None:
    """Raise WorkspaceError for a project in which there is nothing to compare."""
    if reply.metrics or reply.predictions:
        return
    if not reply.project:
        raise WorkspaceError(
            "There is no DVC project here, and the policy names no results.",
            expected="a dvc.yaml with a pipeline, or predictions or a pipeline command in metricgate.yaml.",
            fix="run `dvc init` and write dvc.yaml, set working-directory to the project, or name predictions.",
            topic="nothing-to-run-and-nothing-to-judge",
        )
    if pipeline.command is None and not reply.pipeline:
        raise WorkspaceError(
            "This DVC project has no pipeline and no metrics.",
            expected="a dvc.yaml with stages and metrics, or a pipeline command in metricgate.yaml.",
            fix="write dvc.yaml (`dvc stage add …`), or name predictions and a pipeline command in metricgate.yaml.",
            topic="nothing-to-run-and-nothing-to-judge",
        )
