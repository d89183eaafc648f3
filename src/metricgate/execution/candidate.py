"""The candidate: the checkout as it is after its pipeline ran where it had to."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from metricgate.context import RunContext
from metricgate.errors import WorkspaceError
from metricgate.execution.assembly import assemble_snapshot
from metricgate.execution.environment import find_pins, fingerprint_environment
from metricgate.execution.file_copies import open_stored_results
from metricgate.execution.messages import WorkerReply
from metricgate.execution.production import Inspections, copy_files, hash_command, list_predictions, produce_results
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.results.interface import ResultStore
from metricgate.results.retention import was_produced
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec, Policy

_SHARED = "its pipeline has the inputs of a run on the default branch, whose stored results are used"


def produce_candidate(
    context: RunContext,
    policy: Policy,
    *,
    earlier: ResultStore | None = None,
    inspections: Inspections | None = None,
) -> Snapshot:
    """Pull and reproduce what is needed, and return the candidate's snapshot of the checkout.

    What a pipeline with the same inputs gave before is not produced again: in an ``earlier`` run of this workspace or,
    if the context says so, on the default branch.

    Raises
    ------
    WorkspaceError
        If the pipeline or DVC fails, or with ``reproduce: never`` dvc.lock is stale. TimeLimitError: too slow.
    """
    checkout, pipeline = context.checkout, policy.pipeline
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
        reply = _produce(tree, policy, keys, inspections)
        if reply.state == "reusable":
            inputs = reply.inputs or key
            holding = [store for store, listed in stores if inputs in listed]
            if (snapshot := _reuse(context, policy, holding, inputs, environment, dirty=dirty)) is not None:
                return snapshot
            reply = _produce(tree, policy, (), inspections)
    if pipeline.command is not None:
        reply = reply.model_copy(update={"inputs": key})
    if policy.scoring is None:
        require_results(reply, pipeline)
    info = _describe(checkout, Source.WORKSPACE, dirty=dirty)
    snapshot = assemble_snapshot(reply, info, policy, find_pins(pipeline, read))
    is_news = reply.is_repeatable and was_produced(snapshot)
    if earlier is not None and is_news and (problem := earlier.keep(snapshot, environment, policy)):
        context.progress.line(problem)
    return snapshot


def _has_work(checkout: Checkout, policy: Policy) -> bool:
    """Return whether a person changed files since HEAD; a run writes dvc.lock and results, and is yet to begin."""
    return checkout.is_dirty((*_outside_results(policy), ":(exclude,glob)**/dvc.lock"))


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
    tree: WorkTree, policy: Policy, reusable_keys: tuple[str, ...], inspections: Inspections | None
) -> WorkerReply:
    """Produce in the checkout or, where parameters get other values, in a work tree.

    The checkout keeps its own parameters, however the run ends.
    """
    if not policy.pipeline.params:
        return produce_results(tree, policy, reusable_keys, inspections)
    checkout = tree.context.checkout
    with checkout.worktree(checkout.record_state()) as directory:
        apart = replace(tree, directory=directory, shares_with=checkout.directory)
        reply = produce_results(apart, policy, reusable_keys, inspections)
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
        )
    if pipeline.command is None and not reply.pipeline:
        raise WorkspaceError(
            "This DVC project has no pipeline and no metrics.",
            expected="a dvc.yaml with stages and metrics, or a pipeline command in metricgate.yaml.",
            fix="write dvc.yaml (`dvc stage add …`), or name predictions and a pipeline command in metricgate.yaml.",
        )
