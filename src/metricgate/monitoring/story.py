"""The story of watching a released model: find both tables, is there news, measure, judge, remember.

``watch_release(request, progress)`` returns the report of one run; ``list_drifted`` and ``list_losses`` say in a
report's own names what drifted and what lost, for whoever acts on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, MetricgateError, PredictionsError
from metricgate.gates.drift_gates import SOURCE
from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow, Warning_
from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.models.watch import PastFinding
from metricgate.monitoring.column_measurement import MeasuredColumn
from metricgate.monitoring.detector import DetectorRows, run_detector
from metricgate.monitoring.fingerprints import Fingerprints, take_fingerprints
from metricgate.monitoring.fresh_labels import measure_labels
from metricgate.monitoring.joint_shift import read_numbers_of_both
from metricgate.monitoring.memory import MOST_EFFECTS, MOST_RUNS, PastEffect, PastRun, WatchMemory, WatchRef
from metricgate.monitoring.redaction import redact_columns
from metricgate.monitoring.tables import WatchedTables, find_tables
from metricgate.monitoring.unjudged import asks_for_issue, mark_unjudged, read_own_policy, report_stale
from metricgate.monitoring.watch_report import Watched, lay_out_watch
from metricgate.monitoring.watched_features import MeasuredTable, choose_features, measure_table
from metricgate.predictions.labelled_rows import Month, find_newest, list_months
from metricgate.predictions.table_pair import SideName, TablePair, open_pair
from metricgate.processes.progress import Progress
from metricgate.processes.signals import limit_time
from metricgate.report.failure import report_failure, report_skip
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.run import LOCAL, NO_MLFLOW, NO_TOKEN, find_release, make_scratch
from metricgate.settings.mlflow import MlflowAccess
from metricgate.settings.monitor import DetectorSpec, MonitorSpec
from metricgate.settings.policy import FILE_NAME, Policy
from metricgate.trigger import Trigger

SHOWN_PAST = 12  # earlier runs that a report shows


@dataclass(frozen=True, kw_only=True)
class WatchRequest:
    """What a person or a workflow asks for.

    ``now`` is the time that ages are counted to. ``is_shared``: the memory is on origin. ``current``: a file in place of
    the policy's. ``again``: judge data that was judged before, too. ``backfill``: judge each past month of the fresh rows first.
    """

    directory: Path
    output: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    trigger: Trigger = LOCAL
    access: Access = NO_TOKEN
    policy_name: str = FILE_NAME
    id: str = "default"
    timeout_s: float | None = None
    mlflow: MlflowAccess = NO_MLFLOW
    is_shared: bool = False
    current: Path | None = None
    again: bool = False
    backfill: bool = False


@dataclass(frozen=True, kw_only=True)
class _Project:
    """What is known before anything is measured."""

    request: WatchRequest
    context: RunContext
    policy: Policy
    spec: MonitorSpec
    released: BaselineRevision
    ref: WatchRef


def watch_release(request: WatchRequest, progress: Progress) -> Report:
    """Watch the released model once. Whatever fails, the report says what happened; only bugs in MetricGate raise."""
    issue = asks_for_issue(request.directory, request.policy_name)
    with make_scratch() as scratch:
        try:
            project = _open(request, progress, scratch)
            with limit_time(request.timeout_s):
                return _watch(project)
        except MetricgateError as error:
            return mark_unjudged(report_failure(error, id_=request.id), issue=issue)


def list_drifted(report: Report) -> tuple[str, ...]:
    """Return the features that drifted, alone or (`all features together`) jointly, and `predictions` where those did."""
    # Stale data fails too, and is no feature's.
    failed = [gate for gate in report.gates if _is_of_a_feature(gate) and gate.outcome is Outcome.FAILED]
    roles = {one.name: one.role for one in report.watch.features} if report.watch else {}
    names = ["predictions" if roles.get(gate.feature) == "prediction" else gate.feature for gate in failed]
    return tuple(dict.fromkeys(names))


def _is_of_a_feature(gate: GateRow) -> bool:
    return gate.source == SOURCE and gate.feature != ""


def list_losses(report: Report) -> tuple[str, ...]:
    """Return the metrics that lost more than is allowed on fresh labelled rows."""
    return tuple(gate.metric for gate in report.gates if gate.source != SOURCE and gate.outcome is Outcome.FAILED)


def _open(request: WatchRequest, progress: Progress, scratch: Path) -> _Project:
    checkout = Checkout.open(request.directory, request.access)
    policy = read_own_policy(checkout.directory, request.policy_name)
    if policy.monitor is None:
        raise ConfigurationError(
            f"{request.policy_name} does not say what is watched.",
            expected="a section `monitor:` with the fresh rows, or two files: `--reference FILE --current FILE`.",
            fix="add `monitor: {current: data/fresh.parquet}`; docs/monitoring.md has the keys.",
            topic="what-is-watched",
        )
    context = RunContext(
        checkout=checkout,
        progress=progress,
        logs=request.output / "logs",
        scratch=scratch,
        timeout_s=request.timeout_s,
        use_active=request.trigger is LOCAL,
    )
    return _Project(
        request=request,
        context=context,
        policy=policy,
        spec=policy.monitor,
        released=find_release(checkout, policy.release, request.trigger, request.mlflow),
        ref=WatchRef(checkout=checkout, id=request.id, is_shared=request.is_shared),
    )


def _watch(project: _Project) -> Report:
    request, spec = project.request, project.spec
    tables = find_tables(project.context, project.policy, spec, project.released, current=request.current)
    memory = project.ref.read()
    seen = take_fingerprints(tables, spec)
    months = _list_months(project, tables) if request.backfill else []
    memory = _fill_memory(project, tables, memory, seen, months[:-1])
    first_seen = next((run.first_seen for run in memory.runs if run.data == seen.data), request.now)
    age = _find_age(project, tables, first_seen)
    last = memory.last
    if spec.max_age is not None and age > spec.max_age:
        stale = report_stale(age, spec.max_age, id_=request.id)
        report = mark_unjudged(stale, issue=spec.issue, model=seen.model)
    elif (
        last
        and last.data == seen.data
        and last.model == seen.compared
        and not (request.again or request.backfill)
        and not _is_stale(last)
    ):
        told = f"no rows are newer than those of the run of {last.at:%Y-%m-%d %H:%M}, which said: {last.headline}"
        return report_skip(told, id_=request.id)
    else:
        report = _measure(project, tables, memory, seen.model, month=months[-1] if months else None)
    _remember(project, memory, report, seen, first_seen)
    return report


def _list_months(project: _Project, tables: WatchedTables) -> list[Month]:
    time = project.spec.time
    if time is None:
        raise ConfigurationError(
            "Past months cannot be told apart: `monitor:` names no `time`.",
            expected="`monitor: {time: COLUMN}`, the column with the time of a row.",
            fix="add the key.",
            topic="what-is-watched",
        )
    return list_months(*tables.current, time)


def _fill_memory(
    project: _Project, tables: WatchedTables, memory: WatchMemory, seen: Fingerprints, months: Sequence[Month]
) -> WatchMemory:
    """Return the memory with a run for each month, as if it had been watched at its end."""
    for month in months:
        try:
            report = _measure(project, tables, memory, seen.model, month=month)
        except PredictionsError as error:  # a month of one row is no reason to judge none
            project.context.progress.line(f"{month.start:%Y-%m}: left out: {error.what}")
            continue
        at = month.end.replace(tzinfo=UTC)
        run = _describe_run(report, at, replace(seen, data=f"{month.start:%Y-%m}"), at)
        others = [one for one in memory.runs if one.data != run.data]
        memory = WatchMemory(runs=tuple(sorted((*others, run), key=lambda one: one.at))[-MOST_RUNS:])
        project.context.progress.line(f"{month.start:%Y-%m}: {run.headline}")
    return memory


def _is_stale(last: PastRun) -> bool:
    return any(effect.metric == "data_age" for effect in last.effects)


def _find_age(project: _Project, tables: WatchedTables, first_seen: datetime) -> timedelta:
    """Return how old the newest row is or, without a column of times, since when the data has been the same."""
    if project.spec.time is None:
        return project.request.now - first_seen
    newest = find_newest(*tables.current, project.spec.time)
    age = project.request.now - newest.replace(tzinfo=UTC)
    if project.spec.max_age is not None and age < -timedelta(days=1):
        raise PredictionsError(
            f"{tables.current[1]}: the newest '{project.spec.time}' is {newest:%Y-%m-%d}, in the future: with such a time, "
            "the rows would never be older than `max_age`.",
            expected="times that have passed.",
            fix="correct the query or the stage that writes the file.",
            topic="two-tables-that-cannot-be-compared",
        )
    return age


def _measure(
    project: _Project, tables: WatchedTables, memory: WatchMemory, model: str, *, month: Month | None = None
) -> Report:
    spec, context = project.spec, project.context
    answers = list_answers(project)
    files: dict[SideName, tuple[Path, str]] = {"reference": tables.reference, "current": tables.current}
    opened = open_pair(files, rows=_choose_rows(spec, month), shows_values=spec.redact is None)
    with context.progress.step("Compare with the reference"), opened as pair:
        table = measure_table(pair, choose_features(pair, spec, answers), spec)
        seen = _read_detector_rows(pair, table, spec.detector) if spec.detector else None
        inside = tuple(name for name in answers if all(name in side.types for side in pair.sides.values()))
        predicted = measure_table(pair, inside, spec).columns if inside else ()
    if not inside and answers and tables.answers is not None:
        predicted = _measure_answers(tables, answers, spec, month)
    watched = [*(_as_prediction(one) for one in predicted if one.feature.role == "feature"), *table.columns]
    detector = run_detector(context, project.policy.pipeline, spec.detector, seen) if spec.detector and seen else None
    labels = measure_labels(project.policy, spec, tables, project.request.now, month=month)
    measured = MeasuredTable(columns=tuple(watched), extra=table.extra, rows=table.rows)
    rules = measured.list_rules(spec.margins, spec)
    shown = redact_columns(measured.columns, spec.redact)
    names = {one.feature.name: other.feature.name for one, other in zip(measured.columns, shown, strict=True)}
    return lay_out_watch(
        Watched(
            reference=_describe(tables.reference[1], project.released, table.rows[0]),
            current=RevisionInfo(name=tables.current[1], source=Source.WORKSPACE, rows=table.rows[1]),
            columns=shown,
            rules=tuple(replace(rule, feature=names[rule.feature]) for rule in rules),
            performance=labels.gates,
            detector=detector,
            labelled_rows=labels.rows,
            extra=_list_extra(table.extra, spec, answers),
            warnings=(*_explain_rows(table, spec), *_explain_unseen(answers, predicted), *labels.warnings),
            shown=spec.shown,
            confidence=project.policy.confidence,
            on_inconclusive=project.policy.on_inconclusive,
            group=spec.group or "",
            issue=spec.issue,
            model=model,
            past=tuple(_show_past(run) for run in memory.runs[-SHOWN_PAST:]),
            id=project.request.id,
            origin=project.request.policy_name,
        )
    )


def _read_detector_rows(pair: TablePair, table: MeasuredTable, spec: DetectorSpec) -> DetectorRows:
    names = tuple(column.name for column in table.watched if column.kind == "number")
    return DetectorRows.of(*read_numbers_of_both(pair, table.watched, spec.rows), names)


def _choose_rows(spec: MonitorSpec, month: Month | None) -> dict[SideName, str]:
    return {"current": month.select(spec.time)} if month is not None and spec.time is not None else {}


def list_answers(project: _Project) -> tuple[str, ...]:
    """Return the columns with the model's answers: those that `monitor:` names, or those of `predictions:`."""
    if project.spec.predictions:
        return project.spec.predictions
    sets = list(project.policy.prediction_sets.values())
    if len(sets) != 1:
        return ()
    own = sets[0]
    return tuple(name for name in (own.score, own.prediction, *(own.scores or {}).values()) if name)


def _measure_answers(
    tables: WatchedTables, answers: tuple[str, ...], spec: MonitorSpec, month: Month | None
) -> tuple[MeasuredColumn, ...]:
    """Measure the answers against those of the release's own predictions file."""
    assert tables.answers is not None  # noqa: S101  # the caller looked
    files: dict[SideName, tuple[Path, str]] = {"reference": tables.answers, "current": tables.current}
    with open_pair(files, rows=_choose_rows(spec, month), shows_values=spec.redact is None) as pair:
        there = tuple(name for name in answers if all(name in side.types for side in pair.sides.values()))
        known = spec.group is None or all(spec.group in side.types for side in pair.sides.values())
        return (
            measure_table(pair, there, spec if known else spec.model_copy(update={"group": None})).columns
            if there
            else ()
        )


def _as_prediction(column: MeasuredColumn) -> MeasuredColumn:
    feature = column.feature.model_copy(update={"role": "prediction"})
    return MeasuredColumn(feature=feature, effects=column.effects, histogram=column.histogram)


def _describe(name: str, released: BaselineRevision, rows: int) -> RevisionInfo:
    return RevisionInfo(revision=released.sha, name=name, source=Source.GIT, rows=rows, reason=released.reason)


def _list_extra(extra: tuple[str, ...], spec: MonitorSpec, answers: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(name for name in extra if name not in spec.unwatched and name not in answers)
    return tuple(f"column {number}" for number, _ in enumerate(found, 1)) if spec.redact == "names" else found


def _explain_unseen(answers: Sequence[str], measured: Sequence[MeasuredColumn]) -> tuple[Warning_, ...]:
    """Return the model's answers that were not compared: no drift of them could show."""
    seen = {one.feature.name for one in measured}
    unseen = [name for name in answers if name not in seen]
    if not unseen:
        return ()
    text = (
        f"The model's answers ({', '.join(unseen)}) were not compared: the fresh rows lack them, or the reference and the "
        "release's predictions do."
    )
    return (Warning_(code="answers_not_compared", text=text),)


def _explain_rows(table: MeasuredTable, spec: MonitorSpec) -> tuple[Warning_, ...]:
    """Return what is assumed of the rows: in groups, or one row for each value of ``id``."""
    if spec.group is None:
        return ()
    units = [round(rows * share) for rows, share in zip(table.rows, table.units, strict=True)]
    text = (
        f"Rows with the same {spec.group} depend on each other and count as one: {units[0]:,} of {table.rows[0]:,} rows in "
        f"the reference, {units[1]:,} of {table.rows[1]:,} current ones."
    )
    return (Warning_(code="grouped_rows", text=text),)


def _remember(project: _Project, memory: WatchMemory, report: Report, seen: Fingerprints, first_seen: datetime) -> None:
    run = _describe_run(report, project.request.now, seen, first_seen)
    if problem := project.ref.write(memory.add(run)):
        project.context.progress.line(problem)


def _describe_run(report: Report, at: datetime, seen: Fingerprints, first_seen: datetime) -> PastRun:
    effects = sorted(report.gates, key=lambda gate: -(gate.difference or 0.0) / (gate.bound or 1.0))[:MOST_EFFECTS]
    return PastRun(
        at=at,
        data=seen.data,
        model=seen.compared,
        first_seen=first_seen,
        verdict=report.verdict,
        headline=headline(report),
        exit_code=report.exit_code,
        effects=tuple(_keep(gate) for gate in effects),
    )


def _keep(gate: GateRow) -> PastEffect:
    is_drift = gate.source == SOURCE
    return PastEffect(
        feature=gate.feature,
        metric=gate.metric,
        source=gate.source,
        outcome=gate.outcome,
        value=gate.difference if is_drift else gate.candidate,
        low=gate.low if is_drift else gate.candidate_low,
        high=gate.high if is_drift else gate.candidate_high,
        bound=gate.bound,
    )


def _show_past(run: PastRun) -> PastFinding:
    shifts: dict[str, float] = {}
    for effect in run.effects:
        if effect.source == SOURCE and effect.value is not None and effect.feature and effect.bound:
            shifts[effect.feature] = max(shifts.get(effect.feature, 0.0), effect.value / effect.bound)
    metrics = {one.metric: one.value for one in run.effects if one.source != SOURCE and one.value is not None}
    return PastFinding(at=f"{run.at:%Y-%m-%d}", verdict=run.verdict.value, shifts=shifts, metrics=metrics)
