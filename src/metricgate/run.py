"""The story of a run: why and against what, the candidate, the baseline, the comparison, the verdict, the report."""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from metricgate.comparison.work import sum_reused, sum_trained
from metricgate.errors import CancelledError, MetricgateError
from metricgate.execution.baseline import describe_inspection, fetch_baseline
from metricgate.execution.candidate import ProduceOptions, produce_candidate
from metricgate.execution.evaluation_hint import suggest_evaluation
from metricgate.execution.folder_counts import count_changed_files
from metricgate.execution.inspections import Inspections
from metricgate.execution.keeping import is_on_default_branch, keep_results
from metricgate.execution.new_rows import Sides, complete_baseline
from metricgate.judging import Case, judge, report_failure
from metricgate.models.result import Warning_
from metricgate.models.snapshot import RevisionInfo, Snapshot
from metricgate.processes.progress import Progress
from metricgate.report.sections.context import describe_timing
from metricgate.report.value import Acceptance, Report, Timing
from metricgate.results.folder import EarlierRuns
from metricgate.results.git_refs import find_last_revision
from metricgate.revisions.baseline_revision import BaselineRevision, resolve_baseline
from metricgate.revisions.changed_sources import find_changed_sources, locate_parameters
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.settings.policy import FILE_NAME
from metricgate.settings.selection import (
    PolicyChoice,
    choose_policy,
    equalise_parameters,
    read_policy_text,
    use_policy_file,
)
from metricgate.trigger import Trigger, TriggerKind

LOCAL = Trigger(kind=TriggerKind.LOCAL)
NO_TOKEN = Access()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a run: where, why, against what, and how."""

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
    id: str = "default"
    accepted: Acceptance | None = None
    push_cache: Literal["auto", "always", "never"] = "never"
    reuse_stored: bool = False  # take results that a run on the default branch stored for the same inputs


def run(request: Request, progress: Progress) -> Report:
    """Judge the checkout. Whatever fails, the report says what happened; only defects of ours raise."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="metricgate-") as scratch:
        Path(scratch).chmod(0o711)
        try:
            checkout = Checkout.open(request.directory, request.access)
            revision = resolve_baseline(
                checkout, request.trigger, requested=request.baseline, find_last_stored=find_last_revision
            )
            choice = _choose_policy(checkout, revision, request)
            case = _produce(checkout, revision, choice, request, progress, Path(scratch))
            case = _complete(checkout, case, request, progress, Path(scratch))
        except MetricgateError as error:
            return report_failure(error, id_=request.id)
        with progress.step("Compare"):
            report = judge(case)
        notes = _keep(checkout, case, request, progress, Path(scratch))
    changes = locate_parameters(checkout, report.changes)
    others = [snapshot for snapshot in (case.baseline, case.anchor) if snapshot]
    timing = Timing(
        total=time.monotonic() - started,
        trained=sum_trained((case.candidate, *others)),
        reused=sum_reused(case.candidate, others),
    )
    progress.line(describe_timing(timing))
    return report.model_copy(
        update={
            "changes": changes,
            "warnings": (*report.warnings, *notes),
            "timing": timing,
        }
    )


def _produce(  # noqa: PLR0917  the run's own values, in the order of the story
    checkout: Checkout,
    revision: BaselineRevision | None,
    choice: PolicyChoice,
    request: Request,
    progress: Progress,
    scratch: Path,
) -> Case:
    """Have both snapshots, and the anchor's: the candidate's by running what must run, the others' from where they lie."""
    options = ProduceOptions(
        scratch=scratch / "run",
        reproduce=request.reproduce,
        baseline_results=request.baseline_results,
        timeout_s=request.timeout_s,
        pipeline=choice.candidate.pipeline,
        reuse_stored=request.reuse_stored,
    )
    logs = request.output / "logs"
    named = choice.judging.anchor
    anchored = (
        resolve_baseline(checkout, request.trigger, requested=named.revision, anchor=True)
        if named is not None
        else None
    )
    options, for_baseline, for_anchor = _plan_inspections(checkout, revision, anchored, choice, options)
    earlier = EarlierRuns.open(checkout)
    # What is on the default branch becomes a baseline: never with results that a pull request left here.
    own = None if is_on_default_branch(request.trigger, checkout.head_sha) else earlier
    candidate = produce_candidate(checkout, choice.candidate, options, progress=progress, logs=logs, earlier=own)

    def fetch(other: BaselineRevision | None, how: ProduceOptions) -> Snapshot | None:
        if other is None:
            return None
        return fetch_baseline(checkout, other, choice.baseline, how, progress=progress, logs=logs, earlier=earlier)

    baseline, anchor = fetch(revision, for_baseline), fetch(anchored, for_anchor)
    counts = (
        count_changed_files(checkout, baseline, candidate, files=scratch, progress=progress, logs=logs)
        if baseline
        else {}
    )
    changed = revision and find_changed_sources(checkout, revision.sha, choice.candidate)
    return Case(
        baseline=baseline,
        candidate=replace(candidate, info=_name_candidate(candidate.info, checkout, request.trigger)),
        anchor=anchor,
        choice=choice,
        id=request.id,
        accepted=request.accepted,
        warnings=changed.warnings if changed else (),
        sources=changed.sources if changed else (),
        file_counts=counts,
        policy_path=checkout.prefix + request.policy_name,
        reproduce=_reproduce_command(checkout, revision),
    )


def _plan_inspections(
    checkout: Checkout,
    baseline: BaselineRevision | None,
    anchor: BaselineRevision | None,
    choice: PolicyChoice,
    options: ProduceOptions,
) -> tuple[ProduceOptions, ProduceOptions, ProduceOptions]:
    """Give the options of candidate, baseline and anchor; the candidate's worker is asked about the others as well."""
    own = replace(options, pipeline=choice.baseline.pipeline)
    frozen = replace(own, scratch=options.scratch / "anchor")
    # With other values for parameters, what a revision recorded is not what is asked for.
    others = [] if own.pipeline.params else [(baseline, own), (anchor, frozen)]
    inspections = Inspections(
        requests=tuple(
            describe_inspection(checkout, revision, choice.baseline, how) for revision, how in others if revision
        )
    )
    together = (replace(how, inspections=inspections) for how in (options, own, frozen))
    return next(together), next(together), next(together)


def _complete(checkout: Checkout, case: Case, request: Request, progress: Progress, scratch: Path) -> Case:
    """Have the baseline's stored model judged on the candidate's new rows, as far as the policy says how."""
    if case.baseline is None:
        return case
    choice = case.choice
    sides = Sides(
        baseline=case.baseline,
        candidate=case.candidate,
        baseline_policy=choice.baseline,
        candidate_policy=choice.candidate,
    )
    options = ProduceOptions(scratch=scratch / "run", timeout_s=request.timeout_s, pipeline=choice.baseline.pipeline)
    completed = complete_baseline(checkout, sides, options, progress=progress, logs=request.output / "logs")
    return replace(
        case,
        baseline=completed.snapshot,
        fresh=completed.fresh,
        warnings=(*case.warnings, *completed.warnings),
        evaluation_lines=suggest_evaluation(checkout, choice.candidate),
    )


def _keep(checkout: Checkout, case: Case, request: Request, progress: Progress, scratch: Path) -> tuple[Warning_, ...]:
    """Keep what the run produced for later runs, where it may; what could not be kept never changes the verdict."""
    try:
        notes = keep_results(
            checkout,
            request.trigger,
            case.candidate,
            case.choice.candidate,
            mode=request.push_cache,
            scratch=scratch / "keep",
            progress=progress,
            logs=request.output / "logs",
        )
    except CancelledError:
        raise
    except MetricgateError as error:
        notes = (error.what,)
    return tuple(Warning_(code="not_kept", text=note) for note in notes)


def _name_candidate(info: RevisionInfo, checkout: Checkout, trigger: Trigger) -> RevisionInfo:
    """Call the candidate what people call it: the head of its pull request, not GitHub's merge commit; its branch."""
    pull_request = trigger.pull_request
    if pull_request is not None and checkout.head_sha in {trigger.sha, pull_request.head_sha}:
        return info.model_copy(update={"revision": pull_request.head_sha, "name": pull_request.head_ref})
    return info.model_copy(update={"name": checkout.branch() or info.name})


def _choose_policy(checkout: Checkout, revision: BaselineRevision | None, request: Request) -> PolicyChoice:
    baseline_text = checkout.read_text(revision.sha, request.policy_name) if revision else None
    baseline_name = revision.name if revision else ""
    if request.policy is not None:
        text = read_policy_text(request.policy)
        chosen = use_policy_file(text, baseline_text, path=str(request.policy), baseline_name=baseline_name)
        return equalise_parameters(chosen)
    own = checkout.directory / request.policy_name
    candidate_text = read_policy_text(own) if own.is_file() else None
    return equalise_parameters(choose_policy(baseline_text, candidate_text, baseline_name=baseline_name))


def _reproduce_command(checkout: Checkout, revision: BaselineRevision | None) -> str:
    if revision is None:
        return "metricgate run"
    folder = f"cd {checkout.prefix.rstrip('/')} && " if checkout.prefix else ""
    return f"git checkout {checkout.head_sha[:12]} && {folder}metricgate run --baseline {revision.sha[:12]}"
