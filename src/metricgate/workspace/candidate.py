"""The candidate: the checkout as it lies after its pipeline ran where it had to."""

from pathlib import Path

from metricgate.errors import WorkspaceError
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.progress import Progress
from metricgate.settings.policy import PipelineSpec, Policy
from metricgate.workspace.assembly import assemble_snapshot
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.messages import Answer
from metricgate.workspace.pins import find_pins
from metricgate.workspace.production import hash_command, produce_results
from metricgate.workspace.revision import BaselineRevision
from metricgate.workspace.site import ProduceOptions, Site
from metricgate.workspace.stored import list_stored, load_results

__all__ = ["ProduceOptions", "produce_candidate"]


def produce_candidate(
    checkout: Checkout, policy: Policy, options: ProduceOptions, *, progress: Progress, logs: Path
) -> Snapshot:
    """Pull and reproduce what is needed, and read the candidate's snapshot from the checkout.

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
    command = options.pipeline.command
    key = "" if command is None or checkout.is_dirty() else hash_command(checkout, command, checkout.head_sha)
    known = tuple(entry.inputs for entry in list_stored(checkout)) if options.reuse_stored else ()
    with progress.step("Candidate"):
        if key in known and (snapshot := _reuse(checkout, key, policy, site)):
            return snapshot
        answer = produce_results(site, policy, options, known)
        if answer.state == "known":
            snapshot = _reuse(checkout, answer.inputs, policy, site)
            if snapshot is not None:
                return snapshot
            answer = produce_results(site, policy, options)
    if command is not None:
        answer = answer.model_copy(update={"inputs": key})
    require_results(answer, options.pipeline)
    info = RevisionInfo(revision=checkout.head_sha, name="HEAD", dirty=checkout.is_dirty(), source=Source.WORKSPACE)
    packages = find_pins(options.pipeline, lambda name: _read_here(checkout.directory / name))
    return assemble_snapshot(answer, info, policy, packages)


def _reuse(checkout: Checkout, inputs: str, policy: Policy, site: Site) -> Snapshot | None:
    reason = "its pipeline has the inputs of a run on the default branch, whose stored results are used"
    revision = BaselineRevision(sha=checkout.head_sha, name="HEAD", reason=reason)
    snapshot = load_results(checkout, inputs, revision, policy, site)
    if snapshot is not None:
        site.progress.line(reason)
    return snapshot


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
