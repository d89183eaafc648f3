"""The story of a retraining: is the model due, train it apart, judge it as a person's change, remember what it came to.

Who is asked to merge it, and where, is not decided here.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Verdict
from metricgate.models.retraining import Obstacle, Retraining
from metricgate.processes.progress import Progress
from metricgate.report.failure import report_skip
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.retraining.fresh_labels import count_new_labels
from metricgate.retraining.memory import Training
from metricgate.retraining.memory_ref import MemoryRef, Remembered
from metricgate.retraining.plan import Facts, NewData, Watched, make_plan
from metricgate.retraining.proposal import propose
from metricgate.retraining.work_tree import TrainingTree, open_training_tree
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.revisions.last_change import find_date, find_last_change
from metricgate.revisions.released_revision import resolve_release
from metricgate.run import LOCAL, NO_MLFLOW, NO_TOKEN, Request, make_scratch, run
from metricgate.services.mlflow_registry import find_registered_commit
from metricgate.settings.mlflow import MlflowAccess
from metricgate.settings.policy import FILE_NAME, GateSpec, Policy
from metricgate.settings.policy_file import read_policy
from metricgate.settings.retrain import RetrainSpec
from metricgate.trigger import Trigger

_HELPED = (Verdict.PASSED, Verdict.INCONCLUSIVE)


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
class RetrainOutcome:
    """What came of it: the report, what is remembered now, and the policy's section. A proposal waits to be offered."""

    report: Report
    remembered: Remembered
    spec: RetrainSpec
    checkout: Checkout

    @property
    def plan(self) -> Retraining:
        return self.report.retraining or Retraining()


@dataclass(frozen=True, kw_only=True)
class _Project:
    """What is known of the project before anything is trained."""

    request: RetrainRequest
    context: RunContext
    policy: Policy
    spec: RetrainSpec
    released: BaselineRevision
    ref: MemoryRef


def retrain(request: RetrainRequest, progress: Progress, watched: Watched | None = None) -> RetrainOutcome:
    """Retrain the model if it is due, judge it against the released one, and remember what it came to.

    Raises
    ------
    MetricgateError
        If anything fails before the verdict. A failure counts as no training: the next run tries again.
    """
    with make_scratch() as scratch:
        project = _open(request, progress, scratch)
        remembered = project.ref.read()
        with open_training_tree(project.context, project.context.checkout.head_sha) as tree:
            plan = _plan(project, tree, remembered, watched)
            progress.line(_tell(plan))
            if request.dry_run or not plan.may_train:
                return _end(project, remembered, plan)
            return _train(project, tree, remembered, plan)


def _open(request: RetrainRequest, progress: Progress, scratch: Path) -> _Project:
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
    released = resolve_release(
        checkout,
        policy.release,
        default_branch=request.trigger.default_branch,
        find_registered=partial(find_registered_commit, request.mlflow),
    )
    ref = MemoryRef(checkout=checkout, id=request.id, is_shared=request.is_shared)
    return _Project(request=request, context=context, policy=policy, spec=spec, released=released, ref=ref)


def _plan(project: _Project, tree: TrainingTree, remembered: Remembered, watched: Watched | None) -> Retraining:
    request = project.request
    imports = tree.look_at_imports() if project.spec.when.new_data else ()
    facts = Facts(
        released=project.released.sha,
        trained_at=_find_trained_at(project),
        imports=len(imports),
        new_data=[NewData(path=state.path, source=state.source) for state in imports if state.is_changed],
        watched=watched,
        force=request.force,
        approved=request.approved,
        memory=remembered.memory,
    )
    for state in imports:
        if state.problem:
            project.context.progress.line(f"the source of {state.path} cannot be read: {state.problem}")
    plan = make_plan(project.spec, facts, request.now)
    return plan.model_copy(update={"released": f"{project.released.name} ({project.released.sha[:9]})"})


def _find_trained_at(project: _Project) -> datetime:
    """Return when the released model was trained, as Git knows it: the last change of dvc.lock, or of the model."""
    checkout, sha = project.context.checkout, project.released.sha
    evaluation = project.policy.evaluation
    patterns = ("**/dvc.lock", *((evaluation.model,) if evaluation else ()))
    return find_last_change(checkout, sha, *patterns) or find_date(checkout, sha)


def _tell(plan: Retraining) -> str:
    why = "; ".join(reason.text for reason in plan.reasons) or "not due"
    return f"{why}. {plan.why_not}".strip() if plan.is_due else plan.why_not


def _end(project: _Project, remembered: Remembered, plan: Retraining) -> RetrainOutcome:
    """Return what a run without a training comes to: a clean success that says why."""
    reason = plan.why_not or f"the model is due: {'; '.join(one.text for one in plan.reasons)}"
    report = report_skip(reason, id_=project.request.id).model_copy(update={"retraining": plan})
    return RetrainOutcome(report=report, remembered=remembered, spec=project.spec, checkout=project.context.checkout)


def _train(project: _Project, tree: TrainingTree, remembered: Remembered, plan: Retraining) -> RetrainOutcome:
    began = time.monotonic()
    updates = tree.update_imports()
    found = tree.read(project.policy)
    key = _hash_training(plan, found.inputs or tree.checkout.head_sha, project.released.sha)
    earlier = remembered.memory.find(key)
    if earlier is not None and not (project.request.force and not earlier.helped):
        why = (
            f"The same was trained on {earlier.at:%Y-%m-%d}, for the same reason, on the same data, against the same "
            f"released model: {earlier.headline}."
        )
        return _end(project, remembered, _stop(plan, "tried", why))
    if found.pipeline and not found.stale and found.is_repeatable:
        why = "Nothing that the pipeline reads changed since it last ran: training again would give the same model."
        return _end(project, remembered, _stop(plan, "no_news", why))
    if project.spec.min_rows is not None and not project.request.force:
        arrived = count_new_labels(tree, updates, project.policy)
        if arrived < project.spec.min_rows:
            why = f"{arrived:,} new labelled rows have arrived; {project.spec.min_rows:,} are asked for."
            return _end(project, remembered, _stop(plan, "few_rows", why))
    report = _judge(project, tree, plan)
    if report.failure is not None:
        report = report.model_copy(update={"retraining": plan})
        return RetrainOutcome(
            report=report, remembered=remembered, spec=project.spec, checkout=project.context.checkout
        )
    files = tree.list_changed(project.policy)
    helped = bool(files) and _has_helped(report, plan)
    report = report.model_copy(update={"retraining": plan.model_copy(update={"helped": helped})})
    training = Training(
        key=key,
        at=project.request.now,
        released=project.released.sha,
        reasons=tuple(reason.kind for reason in plan.reasons),
        verdict=report.verdict.value,
        headline=headline(report),
        helped=helped,
        seconds=time.monotonic() - began,
    )
    waiting: dict[str, object] = {"proposal": None, "report": None}
    if helped:
        if project.request.is_shared:
            tree.push()
        base = project.context.checkout.head_sha
        offered = propose(base, key, files, report, tree.list_read(project.policy))
        kept_report = project.request.hide(report.model_copy(update={"charts": ()}))
        waiting = {"proposal": offered, "report": kept_report}
    kept = project.ref.write(replace(remembered, memory=remembered.memory.add(training), **waiting))  # type: ignore[arg-type]
    return RetrainOutcome(report=report, remembered=kept, spec=project.spec, checkout=project.context.checkout)


def _hash_training(plan: Retraining, inputs: str, released: str) -> str:
    """Return the key of a training: the same reasons, inputs of the pipeline and released model are the same one."""
    reasons = ",".join(sorted(reason.kind for reason in plan.reasons if reason.kind != "forced"))
    return hashlib.sha256(f"{reasons}\n{inputs}\n{released}".encode()).hexdigest()


def _stop(plan: Retraining, obstacle: Obstacle, why: str) -> Retraining:
    return plan.model_copy(update={"obstacle": obstacle, "why_not": why})


def _judge(project: _Project, tree: TrainingTree, plan: Retraining) -> Report:
    """Reproduce in the work tree, and judge against the released model on rows that neither was trained on."""
    request = project.request
    return run(
        Request(
            directory=tree.checkout.directory,
            output=request.output,
            # Not a run on the default branch: what is retrained is no baseline before it is merged.
            trigger=replace(request.trigger, sha=None, ref=""),
            access=request.access,
            timeout_s=project.context.timeout_s,
            baseline=project.released.sha,
            policy_name=request.policy_name,
            gates=_list_gates(project, plan),
            without_absent=True,
            id=request.id,
            mlflow=request.mlflow,
        ),
        project.context.progress,
    )


def _list_gates(project: _Project, plan: Retraining) -> tuple[GateSpec, ...]:
    """Return the policy's gates and, where performance is the reason, that a gain must be shown."""
    gates = project.policy.gates
    if not _needs_gain(plan):
        return gates
    gains = tuple(GateSpec(metric=name, min_gain=margin) for name, margin in project.spec.min_gain.items())
    return (*gates, *gains)


def _needs_gain(plan: Retraining) -> bool:
    return any(reason.kind == "performance" for reason in plan.reasons)


def _has_helped(report: Report, plan: Retraining) -> bool:
    """Return whether the retrained model may be offered: as a person's change might be merged.

    Where performance was the reason, a gain has to be shown; "cannot tell" is then no help.
    """
    if report.verdict is Verdict.INCONCLUSIVE and _needs_gain(plan):
        return False
    return report.verdict in _HELPED and report.exit_code == 0
