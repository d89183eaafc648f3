"""The candidate: the checkout as it lies after its pipeline ran where it had to."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from metricgate.errors import WorkspaceError
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.progress import Progress
from metricgate.settings.policy import PipelineSpec, Policy
from metricgate.workspace.assembly import assemble_snapshot
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.messages import Answer, Request
from metricgate.workspace.session import ask_worker


@dataclass(frozen=True, kw_only=True)
class ProduceOptions:
    """How results are produced.

    ``scratch`` is an empty folder that lives as long as the run: files of other revisions are put there.
    ``timeout_s`` is for the pipeline, in seconds of wall time.
    """

    scratch: Path
    reproduce: Literal["if-needed", "never"] = "if-needed"
    baseline_results: Literal["auto", "stored", "reproduce"] = "auto"
    timeout_s: float | None = None
    pipeline: PipelineSpec = field(default_factory=PipelineSpec)


def produce_candidate(
    checkout: Checkout, policy: Policy, options: ProduceOptions, *, progress: Progress, logs: Path
) -> Snapshot:
    """Pull and reproduce what is needed, and read the candidate's snapshot from the checkout.

    Raises
    ------
    WorkspaceError
        If the pipeline or DVC fails, or with ``reproduce: never`` dvc.lock is stale. TimeLimitError: too slow.
    """
    files = make_folder(options.scratch / "candidate", checkout)
    request = Request(
        action="produce",
        directory=str(checkout.directory),
        reproduce=options.reproduce == "if-needed",
        predictions=tuple(spec.path for spec in policy.prediction_sets.values()),
        metrics=options.pipeline.metrics,
        files=str(files),
    )
    with progress.step("Candidate"):
        answer = ask_worker(
            request,
            progress=progress,
            log=logs / "candidate.log",
            owner=checkout.owner,
            timeout_s=options.timeout_s,
        )
    require_results(answer, policy)
    info = RevisionInfo(revision=checkout.head_sha, name="HEAD", dirty=checkout.is_dirty(), source=Source.WORKSPACE)
    return assemble_snapshot(answer, info, policy)


def make_folder(folder: Path, checkout: Checkout) -> Path:
    """Create ``folder`` so that the worker can write into it."""
    folder.mkdir(parents=True, exist_ok=True)
    if checkout.owner is not None:
        os.chown(folder, checkout.owner.uid, checkout.owner.gid)
    return folder


def require_results(answer: Answer, policy: Policy) -> None:
    """Refuse a project in which there is nothing that could ever be compared."""
    if answer.metrics or answer.predictions:
        return
    if not answer.project:
        raise WorkspaceError(
            "There is no DVC project here, and the policy names no results.",
            expected="a dvc.yaml with a pipeline, or predictions or a pipeline command in metricgate.yaml.",
            fix="run `dvc init` and write dvc.yaml, set working-directory to the project, or name predictions.",
        )
    if not policy.pipeline.command and not answer.pipeline:
        raise WorkspaceError(
            "This DVC project has no pipeline and no metrics.",
            expected="a dvc.yaml with stages and metrics, or a pipeline command in metricgate.yaml.",
            fix="write dvc.yaml (`dvc stage add …`), or name predictions and a pipeline command in metricgate.yaml.",
        )
