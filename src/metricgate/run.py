"""The story of a run: why and against what, the candidate, the baseline, the comparison, the verdict, the report."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from metricgate.comparison.work import sum_reused, sum_tokens, sum_trained
from metricgate.context import RunContext
from metricgate.errors import CancelledError, ConfigurationError, MetricgateError
from metricgate.execution.evaluation import suggest_evaluation
from metricgate.execution.judged_model import keep_model
from metricgate.execution.keeping import keep_results
from metricgate.execution.model_scoring import score_models
from metricgate.execution.new_rows import Sides, complete_sides
from metricgate.execution.snapshots import SnapshotSet, count_changed_files, produce_snapshots, warn_of_belief
from metricgate.judging import Case, apply_enforcement, judge
from metricgate.models.result import Location, Warning_
from metricgate.models.snapshot import RevisionInfo
from metricgate.processes.progress import Progress
from metricgate.processes.signals import limit_time
from metricgate.report.failure import report_failure
from metricgate.report.sections.context_line import describe_cost, describe_timing
from metricgate.report.value import Acceptance, Cost, Report, Timing
from metricgate.results.git_refs import find_last_revision
from metricgate.results.noise_ref import read_noise
from metricgate.results.retention import is_on_default_branch
from metricgate.revisions.baseline_revision import BaselineRevision, resolve_baseline
from metricgate.revisions.changed_parameters import locate_parameters
from metricgate.revisions.changed_sources import (
    NOTHING_CHANGED,
    ChangedSources,
    find_changed_sources,
    find_rewritten,
)
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.revisions.released_revision import resolve_release
from metricgate.services.mlflow_registry import find_registered_commit
from metricgate.settings.mlflow import SCHEME, MlflowAccess
from metricgate.settings.policy import FILE_NAME, GateSpec, Policy, ReleaseSpec
from metricgate.settings.selection import (
    PolicyChoice,
    choose_policy,
    equalise_parameters,
    read_policy_text,
    use_policy_file,
)
from metricgate.trials import ServingInputs, Trials, try_candidate
from metricgate.trigger import Trigger, TriggerKind

LOCAL = Trigger(kind=TriggerKind.LOCAL)
NO_TOKEN = Access()
NO_SERVING = ServingInputs()
NO_MLFLOW = MlflowAccess()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person or a workflow asks for: where, why, against what, and how."""

    directory: Path
    output: Path
    trigger: Trigger = LOCAL
    access: Access = NO_TOKEN
    reproduce: Literal["if-needed", "never"] = "if-needed"
    baseline_results: Literal["auto", "stored", "reproduce"] = "auto"
    timeout_s: float | None = None
    baseline: str | None = None
    policy: Path | None = None  # a working file instead of the baseline revision's
    policy_name: str = FILE_NAME  # the file's name in the project, at every revision
    gates: tuple[GateSpec, ...] | None = None  # judge by these instead of the chosen policy's
    without_absent: bool = False  # rows that only the baseline has are not judged: whoever asks does not choose them
    id: str = "default"
    accepted: Acceptance | None = None
    push_cache: Literal["auto", "always", "never"] = "never"
    serving: ServingInputs = NO_SERVING
    reuse_stored: bool = False  # take results that a run on the default branch stored for the same inputs
    mlflow: MlflowAccess = NO_MLFLOW
    model_folder: Path | None = None  # gets the model that a run on the default branch judges


@dataclass(frozen=True, kw_only=True)
class _Start:
    clock: float
    cpu: float


def _count_cpu() -> float:
    """Return the seconds of processor time of all processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def run(request: Request, progress: Progress) -> Report:
    """Judge the checkout. Whatever fails, the report says what happened; only bugs in MetricGate raise."""
    started = _Start(clock=time.monotonic(), cpu=_count_cpu())
    choice: PolicyChoice | None = None
    changes = NOTHING_CHANGED
    with make_scratch() as scratch:
        try:
            context = _open_context(request, progress, scratch)
            baseline = _find_baseline(context.checkout, request)
            choice = _choose_policy(context.checkout, baseline, request)
            _require_reproduction(choice, request)
            # Before any code of the candidate runs, which could put back what it changed.
            changes = _find_changes(context.checkout, choice, baseline)
            produced = _produce(context, choice, baseline, request, changes)
            choice, snapshots = score_models(context, choice, produced)
            judged_by = _read_judging_text(context.checkout, choice, baseline, request)
            trials = try_candidate(context, choice, snapshots, request.serving, policy_text=judged_by)
            case = _prepare_case(context, choice, baseline, snapshots, request, changes=changes, trials=trials)
            own = case.candidate
            case = _complete(context, case, without_absent=request.without_absent)
        except MetricgateError as error:
            if choice is None:
                return report_failure(error, id_=request.id)
            told = (*_place_warnings(choice, context.checkout, request).warnings, *changes.warnings)
            failed = report_failure(error, id_=request.id, warnings=told, changes=changes.sources)
            return apply_enforcement(failed, choice.judging)
        with progress.step("Compare"), limit_time(request.timeout_s):
            report = judge(case)
        kept = replace(case, candidate=own)
        notes = (*_keep(context, kept, request, trials), *_keep_model(context, kept, request))
    return _finish(context, report, case, notes, started)


def _find_baseline(checkout: Checkout, request: Request) -> BaselineRevision | None:
    named = request.baseline
    if named and named.startswith(SCHEME):
        return find_release(checkout, ReleaseSpec(revision=named), request.trigger, request.mlflow)
    return resolve_baseline(checkout, request.trigger, requested=named, find_last_stored=find_last_revision)


def _find_anchor(checkout: Checkout, policy: Policy, request: Request) -> BaselineRevision | None:
    if policy.anchor is None:
        return None
    named = policy.anchor.revision
    if named is None or named.startswith(SCHEME):
        spec = ReleaseSpec(revision=named) if named else policy.release
        return find_release(checkout, spec, request.trigger, request.mlflow)
    return resolve_baseline(checkout, request.trigger, requested=named, anchor=True)


def find_release(
    checkout: Checkout, spec: ReleaseSpec | None, trigger: Trigger, mlflow: MlflowAccess
) -> BaselineRevision:
    """Return the released revision, wherever the policy says that it is named: in Git, or on the MLflow server.

    Raises
    ------
    WorkspaceError
        If it cannot be resolved.
    """
    find_registered = partial(find_registered_commit, mlflow)
    return resolve_release(checkout, spec, default_branch=trigger.default_branch, find_registered=find_registered)


@contextmanager
def make_scratch() -> Iterator[Path]:
    """Yield an empty folder that every user may enter, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="metricgate-") as scratch:
        Path(scratch).chmod(0o711)  # the pipeline may run as another user
        yield Path(scratch)


def _open_context(request: Request, progress: Progress, scratch: Path) -> RunContext:
    return RunContext(
        checkout=Checkout.open(request.directory, request.access),
        progress=progress,
        logs=request.output / "logs",
        scratch=scratch,
        timeout_s=request.timeout_s,
        reproduce=request.reproduce,
        baseline_results=request.baseline_results,
        use_active=request.trigger.kind is TriggerKind.LOCAL,
        reuse_stored=request.reuse_stored,
        mlflow=request.mlflow,
    )


def _choose_policy(checkout: Checkout, baseline: BaselineRevision | None, request: Request) -> PolicyChoice:
    choice = _find_policy(checkout, baseline, request)
    return choice if request.gates is None else choice.judge_by(request.gates)


def _find_policy(checkout: Checkout, baseline: BaselineRevision | None, request: Request) -> PolicyChoice:
    baseline_text = checkout.read_text(baseline.sha, request.policy_name) if baseline else None
    baseline_name = baseline.name if baseline else ""
    if request.policy is not None:
        text = read_policy_text(request.policy)
        chosen = use_policy_file(text, baseline_text, path=str(request.policy), baseline_name=baseline_name)
        return equalise_parameters(chosen)
    own = checkout.directory / request.policy_name
    candidate_text = read_policy_text(own) if own.is_file() else None
    return equalise_parameters(choose_policy(baseline_text, candidate_text, baseline_name=baseline_name))


def _read_judging_text(
    checkout: Checkout, choice: PolicyChoice, baseline: BaselineRevision | None, request: Request
) -> str | None:
    """Return the text of the policy that judges; None where nobody wrote one."""
    if request.policy is not None:
        return read_policy_text(request.policy)
    earlier = checkout.read_text(baseline.sha, request.policy_name) if baseline else None
    if earlier is not None and not choice.capped:
        return earlier
    own = checkout.directory / request.policy_name
    return read_policy_text(own) if own.is_file() else None


def _require_reproduction(choice: PolicyChoice, request: Request) -> None:
    if choice.judging.reproduce == "always" and request.reproduce == "never":
        raise ConfigurationError(
            f"{choice.origin} says `reproduce: always`, and this run must not reproduce anything.",
            expected="a run that may run the pipeline.",
            fix="drop the input `reproduce: false` (`--no-repro`), or change the policy on the base branch.",
            topic="asked-to-run-and-not-to-run",
        )


def _find_changes(checkout: Checkout, choice: PolicyChoice, baseline: BaselineRevision | None) -> ChangedSources:
    return find_changed_sources(checkout, baseline.sha, choice) if baseline else NOTHING_CHANGED


def _produce(
    context: RunContext,
    choice: PolicyChoice,
    baseline: BaselineRevision | None,
    request: Request,
    changes: ChangedSources,
) -> SnapshotSet:
    """Return the snapshots of candidate, baseline and anchor."""
    checkout = context.checkout
    anchor = _find_anchor(checkout, choice.judging, request)
    on_default_branch = is_on_default_branch(request.trigger, checkout.head_sha)
    return produce_snapshots(context, choice, baseline, anchor, changes=changes, on_default_branch=on_default_branch)


def _prepare_case(
    context: RunContext,
    choice: PolicyChoice,
    baseline: BaselineRevision | None,
    snapshots: SnapshotSet,
    request: Request,
    *,
    changes: ChangedSources,
    trials: Trials,
) -> Case:
    """Return what is judged, with what else changed since the baseline."""
    checkout, candidate = context.checkout, snapshots.candidate
    has_run = trials.has_run_code or any(stage.state == "ran" for stage in candidate.stages)
    rewritten = find_rewritten(checkout, changes) if has_run else ()
    case = Case(
        baseline=snapshots.baseline,
        candidate=replace(candidate, info=_name_candidate(candidate.info, checkout, request.trigger)),
        anchor=snapshots.anchor,
        choice=_place_warnings(choice, checkout, request),
        id=request.id,
        accepted=request.accepted,
        warnings=(*changes.warnings, *rewritten, *warn_of_belief(snapshots)),
        sources=changes.sources,
        file_counts=count_changed_files(context, snapshots.baseline, candidate) if snapshots.baseline else {},
        policy_path=checkout.prefix + request.policy_name,
        reproduce=_reproduce_command(checkout, baseline),
        noise=read_noise(checkout, request.id) if choice.judging.noise else None,
    )
    return trials.add_to(case)


def _place_warnings(choice: PolicyChoice, checkout: Checkout, request: Request) -> PolicyChoice:
    """Return the choice with its warnings on lines of the policy file as the repository names it."""
    path = checkout.prefix + request.policy_name

    def place(warning: Warning_) -> Warning_:
        line = warning.location.line if warning.location else 1
        return warning.model_copy(update={"location": Location(path=path, line=line)})

    return replace(choice, warnings=tuple(map(place, choice.warnings)))


def _name_candidate(info: RevisionInfo, checkout: Checkout, trigger: Trigger) -> RevisionInfo:
    """Name the candidate as people do: the head of its pull request, not GitHub's merge commit, or its branch."""
    pull_request = trigger.pull_request
    if pull_request is not None and checkout.head_sha in {trigger.sha, pull_request.head_sha}:
        return info.model_copy(update={"revision": pull_request.head_sha, "name": pull_request.head_ref})
    return info.model_copy(update={"name": checkout.branch() or info.name})


def _reproduce_command(checkout: Checkout, baseline: BaselineRevision | None) -> str:
    if baseline is None:
        return "metricgate run"
    folder = f"cd {checkout.prefix.rstrip('/')} && " if checkout.prefix else ""
    return f"git checkout {checkout.head_sha[:12]} && {folder}metricgate run --baseline {baseline.sha[:12]}"


def _complete(context: RunContext, case: Case, *, without_absent: bool) -> Case:
    """Evaluate each side's stored model on rows that only the other side has, as far as the policy says how."""
    if case.baseline is None:
        return case
    choice = case.choice
    sides = Sides(
        baseline=case.baseline,
        candidate=case.candidate,
        baseline_policy=choice.baseline,
        candidate_policy=choice.candidate,
        without_absent=without_absent,
    )
    completed = complete_sides(context, sides)
    return replace(
        case,
        baseline=completed.baseline,
        candidate=completed.candidate,
        fresh=completed.fresh,
        warnings=(*case.warnings, *completed.warnings),
        evaluation_lines=suggest_evaluation(context.checkout, choice.candidate),
    )


def _keep(context: RunContext, case: Case, request: Request, trials: Trials) -> tuple[Warning_, ...]:
    """Keep what the run produced for later runs, where it may; a failure becomes a warning, never another verdict."""
    try:
        notes = keep_results(context, request.trigger, case.candidate, case.choice.candidate, request.push_cache)
        notes = (*notes, *trials.keep(context, request.trigger, case.choice.candidate))
    except CancelledError:
        raise
    except MetricgateError as error:
        notes = (error.what,)
    return tuple(Warning_(code="not_kept", text=note) for note in notes)


def _keep_model(context: RunContext, case: Case, request: Request) -> tuple[Warning_, ...]:
    if request.model_folder is None or not is_on_default_branch(request.trigger, context.checkout.head_sha):
        return ()
    try:
        keep_model(context, case.choice.candidate, case.candidate, case.baseline, request.model_folder)
    except CancelledError:
        raise
    except MetricgateError as error:
        return (Warning_(code="not_kept", text=f"The model cannot be registered. {error.what}"),)
    return ()


def _finish(context: RunContext, report: Report, case: Case, notes: tuple[Warning_, ...], started: _Start) -> Report:
    """Return the report with what only the run knows: lines of parameters, trouble with keeping, and time."""
    others = [snapshot for snapshot in (case.baseline, case.anchor) if snapshot]
    timing = Timing(
        total=time.monotonic() - started.clock,
        trained=sum_trained((case.candidate, *others)),
        reused=sum_reused(case.candidate, others),
    )
    cost = Cost(
        cpu_seconds=_count_cpu() - started.cpu,
        pulled_bytes=context.traffic.pulled,
        tokens=sum_tokens((case.candidate, *others)),
    )
    context.progress.line(describe_timing(timing))
    context.progress.line(f"cost: {describe_cost(cost)}")
    changes = locate_parameters(context.checkout, report.changes)
    warnings = (*report.warnings, *notes)
    return report.model_copy(update={"changes": changes, "warnings": warnings, "timing": timing, "cost": cost})
