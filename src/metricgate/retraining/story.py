"""The story of a retraining: is the model due, train it apart, judge it as a person's change, remember what it came to.

Who is asked to merge it, and where, is not decided here.
"""

import hashlib
import time
from dataclasses import dataclass, replace

from metricgate.models.retraining import Obstacle, Retraining
from metricgate.processes.progress import Progress
from metricgate.report.failure import report_skip
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.retraining.fresh_labels import count_new_labels
from metricgate.retraining.memory import Training
from metricgate.retraining.memory_ref import Remembered
from metricgate.retraining.project import RetrainProject, RetrainRequest, find_plan, open_project, watch_model
from metricgate.retraining.proposal import propose
from metricgate.retraining.usefulness import explain_no_help, has_helped, list_gates
from metricgate.retraining.work_tree import TrainingTree, open_training_tree
from metricgate.revisions.checkout import Checkout
from metricgate.run import Request, make_scratch, run
from metricgate.settings.retrain import RetrainSpec


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


def retrain(request: RetrainRequest, progress: Progress) -> RetrainOutcome:
    """Retrain the model if it is due, judge it against the released one, and remember what it came to.

    Raises
    ------
    MetricgateError
        If anything fails before the verdict. A failure counts as no training: the next run tries again.
    """
    with make_scratch() as scratch:
        project = open_project(request, progress, scratch)
        remembered, watched = project.ref.read(), watch_model(project)
        with open_training_tree(project.context, project.context.checkout.head_sha) as tree:
            plan = find_plan(project, tree, remembered, watched)
            progress.line(_tell(plan))
            if request.dry_run or not plan.may_train:
                return _end(project, remembered, plan)
            return _train(project, tree, remembered, plan)


def _tell(plan: Retraining) -> str:
    why = "; ".join(reason.text for reason in plan.reasons) or "not due"
    return f"{why}. {plan.why_not}".strip() if plan.is_due else plan.why_not


def _end(project: RetrainProject, remembered: Remembered, plan: Retraining) -> RetrainOutcome:
    """Return what a run without a training comes to: a clean success that says why."""
    reason = plan.why_not or f"the model is due: {'; '.join(one.text for one in plan.reasons)}"
    report = report_skip(reason, id_=project.request.id).model_copy(update={"retraining": plan})
    return RetrainOutcome(report=report, remembered=remembered, spec=project.spec, checkout=project.context.checkout)


def _train(project: RetrainProject, tree: TrainingTree, remembered: Remembered, plan: Retraining) -> RetrainOutcome:
    began = time.monotonic()
    updates = tree.update_imports()
    found = tree.read(project.policy)
    key = _hash_training(plan, found.inputs or tree.checkout.head_sha, project.model)
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
    # What cannot be remembered is not trained, and of two runs at once only one trains.
    remembered = project.ref.write(remembered)
    report = _judge(project, tree, plan)
    if report.failure is not None:
        report = report.model_copy(update={"retraining": plan})
        return RetrainOutcome(
            report=report, remembered=remembered, spec=project.spec, checkout=project.context.checkout
        )
    files = tree.list_changed(project.policy)
    helped = bool(files) and has_helped(report, plan)
    report = report.model_copy(update={"retraining": plan.model_copy(update={"helped": helped})})
    if not helped:
        report = explain_no_help(report, has_changed=bool(files))
    training = Training(
        key=key,
        at=project.request.now,
        model=project.model,
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


def _hash_training(plan: Retraining, inputs: str, model: str) -> str:
    """Return the key of a training: the same reasons, inputs of the pipeline and released model are the same one."""
    reasons = ",".join(sorted(reason.kind for reason in plan.reasons if reason.kind != "forced"))
    return hashlib.sha256(f"{reasons}\n{inputs}\n{model}".encode()).hexdigest()


def _stop(plan: Retraining, obstacle: Obstacle, why: str) -> Retraining:
    return plan.model_copy(update={"obstacle": obstacle, "why_not": why})


def _judge(project: RetrainProject, tree: TrainingTree, plan: Retraining) -> Report:
    """Reproduce in the work tree, and judge against the released model on rows that neither was trained on."""
    request = project.request
    report = run(
        Request(
            directory=tree.checkout.directory,
            output=request.output,
            # Not a run on the default branch: what is retrained is no baseline before it is merged.
            trigger=replace(request.trigger, sha=None, ref=""),
            access=request.access,
            timeout_s=project.context.timeout_s,
            baseline=project.released.sha,
            policy_name=request.policy_name,
            gates=list_gates(project.policy, project.spec, plan),
            without_absent=True,
            id=request.id,
            mlflow=request.mlflow,
        ),
        project.context.progress,
    )
    return _name_sides(report, project)


def _name_sides(report: Report, project: RetrainProject) -> Report:
    """Return the report with both sides named as people know them, not as a work tree has them."""
    baseline, candidate = report.baseline, report.candidate
    own = candidate and candidate.model_copy(update={"name": "retrained", "dirty": False})
    before = baseline and baseline.model_copy(
        update={"name": project.released.name, "reason": f"the released model: {project.released.reason}"}
    )
    return report.model_copy(update={"baseline": before, "candidate": own})
