"""The candidate: the checkout as it lies after its pipeline ran where it had to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from metricgate.errors import WorkspaceError
from metricgate.execution.assembly import assemble_snapshot
from metricgate.execution.inspections import copy_files
from metricgate.execution.messages import Answer
from metricgate.execution.pins import find_pins, fingerprint_environment
from metricgate.execution.production import hash_command, produce_results
from metricgate.execution.work_tree import ProduceOptions, Site
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.progress import Progress
from metricgate.results.folder import EarlierRuns, was_produced
from metricgate.results.git_refs import list_stored, load_results
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec, Policy

__all__ = ["ProduceOptions", "produce_candidate"]


def produce_candidate(
    checkout: Checkout,
    policy: Policy,
    options: ProduceOptions,
    *,
    progress: Progress,
    logs: Path,
    earlier: EarlierRuns | None = None,
) -> Snapshot:
    """Pull and reproduce what is needed, and read the candidate's snapshot from the checkout.

    What a pipeline with the same inputs gave before is not produced again: on the default branch, or, in the ``earlier``
    runs of this workspace.

    Raises
    ------
    WorkspaceError
        If the pipeline or DVC fails, or with ``reproduce: never`` dvc.lock is stale. TimeLimitError: too slow.
    """
    site = Site(
        directory=checkout.directory,
        files=options.scratch / "candidate",
        logs=logs,
        name="candidate",
        progress=progress,
        owner=checkout.owner,
    )
    reader = _reader(checkout)
    reuse = _Reuse(checkout, policy, site, earlier, fingerprint_environment(options.pipeline, reader))
    command = options.pipeline.command
    outside = _outside_results(policy, options.pipeline)
    is_known = command is not None and not checkout.is_dirty(outside)
    if command is not None and checkout.has_unknown(outside):
        reuse = replace(reuse, earlier=None)  # code that nobody committed may be what the command runs
    key = hash_command(checkout, options.pipeline, checkout.head_sha) if is_known else ""
    stored = reuse.stored() if options.reuse_stored else ()
    known = (*reuse.known(), *stored)
    if command is not None:
        known = (key,) if key in known else ()
    with progress.step("Candidate"):
        answer = _produce(checkout, site, policy, options, known)
        if answer.state == "known":
            inputs = answer.inputs or key
            snapshot = reuse.load(inputs, stored=inputs in stored)
            if snapshot is not None:
                return snapshot
            answer = _produce(checkout, site, policy, options)
    if command is not None:
        answer = answer.model_copy(update={"inputs": key})
    require_results(answer, options.pipeline)
    info = RevisionInfo(revision=checkout.head_sha, name="HEAD", dirty=checkout.is_dirty(), source=Source.WORKSPACE)
    snapshot = assemble_snapshot(answer, info, policy, find_pins(options.pipeline, reader))
    reuse.keep(snapshot, repeats=answer.repeats)
    return snapshot


def _produce(
    checkout: Checkout, site: Site, policy: Policy, options: ProduceOptions, known: tuple[str, ...] = ()
) -> Answer:
    """Produce in the checkout or, where parameters get other values, in a work tree of its own.

    A checkout is never left with parameters that nobody wrote there, however the run ends.
    """
    if not options.pipeline.params:
        return produce_results(site, policy, options, known)
    with checkout.worktree(checkout.record_state()) as directory:
        apart = replace(site, directory=directory, shares_with=checkout.directory)
        return copy_files(produce_results(apart, policy, options, known), options.scratch / "candidate-results")


def _outside_results(policy: Policy, pipeline: PipelineSpec) -> tuple[str, ...]:
    """Return Git's pathspecs of the project but for its results, which an earlier run may have written."""
    results = {*(spec.path for spec in policy.prediction_sets.values()), *pipeline.metrics}
    return (".", *(f":(exclude,literal){path}" for path in sorted(results)))


def _reader(checkout: Checkout) -> Callable[[str], str | None]:
    return lambda name: _read_here(checkout.directory / name)


@dataclass(frozen=True)
class _Reuse:
    """Results that a pipeline with the same inputs gave before: in this workspace, or on the default branch."""

    checkout: Checkout
    policy: Policy
    site: Site
    earlier: EarlierRuns | None
    environment: str

    def known(self) -> tuple[str, ...]:
        """Return the inputs of pipelines that need not run, for what earlier runs here left."""
        return self.earlier.known("candidate", self.environment) if self.earlier else ()

    def stored(self) -> tuple[str, ...]:
        """Return the inputs of pipelines that ran on the default branch, in the environment asked for here."""
        listed = list_stored(self.checkout)
        return tuple(entry.inputs for entry in listed if entry.environment == self.environment)

    def load(self, inputs: str, *, stored: bool) -> Snapshot | None:
        info = RevisionInfo(
            revision=self.checkout.head_sha, name="HEAD", dirty=self.checkout.is_dirty(), source=Source.EARLIER
        )
        if self.earlier and (snapshot := self.earlier.load("candidate", inputs, self.environment, info, self.policy)):
            self.site.progress.line(
                f"not run: it has the inputs of the run of {snapshot.info.made}, whose results are used"
            )
            return snapshot
        if not stored:
            return None
        reason = "its pipeline has the inputs of a run on the default branch, whose stored results are used"
        revision = BaselineRevision(sha=self.checkout.head_sha, name="HEAD", reason=reason)
        snapshot = load_results(self.checkout, inputs, revision, self.policy, self.site)
        if snapshot is not None:
            self.site.progress.line(reason)
        return snapshot

    def keep(self, snapshot: Snapshot, *, repeats: bool) -> None:
        """Keep what was just produced for later runs; that this failed changes nothing."""
        if self.earlier is None or not repeats or not was_produced(snapshot):
            return
        self.earlier.keep("candidate", snapshot, self.environment, self.policy, self.site.progress)


def _read_here(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def require_results(answer: Answer, pipeline: PipelineSpec) -> None:
    """Refuse a project in which there is nothing that could ever be compared."""
    if answer.metrics or answer.predictions:
        return
    if not answer.project:
        raise WorkspaceError(
            "There is no DVC project here, and the policy names no results.",
            expected="a dvc.yaml with a pipeline, or predictions or a pipeline command in metricgate.yaml.",
            fix="run `dvc init` and write dvc.yaml, set working-directory to the project, or name predictions.",
        )
    if pipeline.command is None and not answer.pipeline:
        raise WorkspaceError(
            "This DVC project has no pipeline and no metrics.",
            expected="a dvc.yaml with stages and metrics, or a pipeline command in metricgate.yaml.",
            fix="write dvc.yaml (`dvc stage add …`), or name predictions and a pipeline command in metricgate.yaml.",
        )
