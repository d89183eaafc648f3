"""What is known before anything is trained: the project, its policy, its released model, and whether that is due."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.messages import ImportState
from metricgate.models.retraining import Retraining
from metricgate.processes.progress import Progress
from metricgate.report.value import Report
from metricgate.retraining.memory_ref import MemoryRef, Remembered
from metricgate.retraining.plan import Facts, NewData, Watched, make_plan
from metricgate.retraining.work_tree import TrainingTree
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.revisions.last_change import find_date, find_last_change
from metricgate.run import LOCAL, NO_MLFLOW, NO_TOKEN, find_release
from metricgate.settings.mlflow import MlflowAccess
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.settings.retrain import RetrainSpec
from metricgate.trigger import Trigger


@dataclass(frozen=True, kw_only=True)
class RetrainRequest:
    """What a person or a workflow asks for.

    ``now`` is the time by which the model's age and every wait are counted. ``is_shared``: the memory is on origin.
    ``hide`` returns a report without secrets, as it may be kept.
    """

    directory: Path
    output: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    trigger: Trigger = LOCAL
    access: Access = NO_TOKEN
    policy_name: str = FILE_NAME
    id: str = "default"
    timeout_s: float | None = None
    dry_run: bool = False
    force: bool = False
    approved: bool = False
    is_shared: bool = False
    mlflow: MlflowAccess = NO_MLFLOW
    hide: Callable[[Report], Report] = lambda report: report


@dataclass(frozen=True, kw_only=True)
class RetrainProject:
    """The project at the commit that is checked out. ``model`` names the released model: equal ones are the same."""

    request: RetrainRequest
    context: RunContext
    policy: Policy
    spec: RetrainSpec
    released: BaselineRevision
    model: str
    ref: MemoryRef


def open_project(request: RetrainRequest, progress: Progress, scratch: Path) -> RetrainProject:
    checkout = Checkout.open(request.directory, request.access)
    text = checkout.read_text(checkout.head_sha, request.policy_name)
    policy = read_policy(text or "", origin=f"{request.policy_name} at {checkout.head_sha[:9]}")
    if policy.retrain is None:
        raise ConfigurationError(
            f"The committed {request.policy_name} does not say when the model is retrained.",
            expected="a section `retrain:`, committed.",
            fix="add `retrain: {when: {max_age: 90d}}`; docs/retraining.md has the keys.",
            topic="retraining-is-not-described",
        )
    spec = policy.retrain
    limits = [limit for limit in (request.timeout_s, (spec.max_minutes or 0) * 60 or None) if limit]
    context = RunContext(
        checkout=checkout,
        progress=progress,
        logs=request.output / "logs",
        scratch=scratch,
        timeout_s=min(limits, default=None),
    )
    released = find_release(checkout, policy.release, request.trigger, request.mlflow)
    ref = MemoryRef(checkout=checkout, id=request.id, is_shared=request.is_shared)
    return RetrainProject(
        request=request,
        context=context,
        policy=policy,
        spec=spec,
        released=released,
        model=_name_model(checkout, policy, released.sha),
        ref=ref,
    )


def watch_model(project: RetrainProject) -> Watched | None:
    """Return what `monitor:` shows now; None where it is no reason, or nothing watches the model."""
    request, when = project.request, project.spec.when
    if project.policy.monitor is None or not (when.drift or when.performance):
        return None
    from metricgate.monitoring.story import WatchRequest  # noqa: PLC0415  most projects do not need it
    from metricgate.retraining.watching import watch  # noqa: PLC0415

    return watch(
        WatchRequest(
            directory=request.directory,
            output=request.output,
            now=request.now,
            trigger=request.trigger,
            access=request.access,
            policy_name=request.policy_name,
            id=request.id,
            timeout_s=project.context.timeout_s,
            mlflow=request.mlflow,
            again=True,  # data that a run of `monitor` judged before are a reason still
        ),
        project.context.progress,
    )


def find_plan(
    project: RetrainProject, tree: TrainingTree, remembered: Remembered, watched: Watched | None
) -> Retraining:
    request = project.request
    imports = tree.look_at_imports() if project.spec.when.new_data else ()
    _require_sources(imports)
    facts = Facts(
        model=project.model,
        trained_at=_find_trained_at(project),
        imports=len(imports),
        new_data=[NewData(path=state.path, source=state.source) for state in imports if state.is_changed],
        watched=watched,
        force=request.force,
        approved=request.approved,
        memory=remembered.memory,
    )
    plan = make_plan(project.spec, facts, request.now)
    return plan.model_copy(update={"released": f"{project.released.name} ({project.released.sha[:9]})"})


def _require_sources(imports: Sequence[ImportState]) -> None:
    """Raise WorkspaceError if a source cannot be read: whether it has new data is then not known."""
    if gone := next((state for state in imports if state.problem), None):
        raise WorkspaceError(
            f"The source of {gone.path} ({gone.source}) cannot be read: {gone.problem}",
            expected="the source that the import names.",
            fix=f"bring it back, or import the data anew; {gone.file} and its data stay as they are.",
            topic="the-source-of-an-import-fails",
        )


def _find_trained_at(project: RetrainProject) -> datetime:
    """Return when the released model was trained, as Git knows it: the last change of dvc.lock, or of the model."""
    checkout, sha = project.context.checkout, project.released.sha
    evaluation = project.policy.evaluation
    patterns = ("**/dvc.lock", *((evaluation.model,) if evaluation else ()))
    return find_last_change(checkout, sha, *patterns) or find_date(checkout, sha)


def _name_model(checkout: Checkout, policy: Policy, sha: str) -> str:
    """Return a name of the model at a revision: its file's, and what DVC recorded; another commit may have the same."""
    evaluation = policy.evaluation
    paths = ("**/dvc.lock", *((evaluation.model,) if evaluation else ()))
    patterns = [f":(top,glob){checkout.prefix}{path}" for path in paths]
    listed = checkout.list_blobs(sha, patterns)
    return hashlib.sha256(listed.encode()).hexdigest() if listed else sha
