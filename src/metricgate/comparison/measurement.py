"""Metric rows: every metric of both models, with intervals, on all rows and on slices."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metricgate.comparison.evidence import Evidence
from metricgate.comparison.file_numbers import measure_numbers
from metricgate.comparison.subject import Missing, Subject
from metricgate.models.result import MetricRow, Slice
from metricgate.models.samples import IntArray, Sample
from metricgate.stats.contrast import single_interval
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.registry import list_metrics, main_metrics


def measure_evidence(
    evidence: Evidence, gated: frozenset[tuple[str, str]], *, tail: float, all_on_slices: bool
) -> tuple[MetricRow, ...]:
    """Return every metric that the columns allow, and the numbers in metrics files.

    On slices those that are ``gated`` (set and metric) and the task's main ones, or all of them.
    """
    rows: list[MetricRow] = []
    for name, subject in evidence.subjects.items():
        available = list_metrics(subject.candidate.sample)
        names = {metric.name for metric in available}
        extra = tuple(subject.find(metric) for set_, metric in sorted(gated) if set_ == name and metric not in names)
        metrics = (*available, *extra)
        wanted = {metric for set_, metric in gated if set_ == name} | set(main_metrics(subject.candidate.task))
        on_slices = [metric for metric in metrics if all_on_slices or metric.name in wanted]
        rows += measure(subject, metrics, tail=tail)
        rows += measure(subject, on_slices, tail=tail, slices=all_slices(subject))
    return (*rows, *measure_numbers(evidence.baseline, evidence.candidate))


def measure(
    subject: Subject, metrics: Iterable[Metric], *, tail: float, slices: Iterable[Slice | None] = (None,)
) -> tuple[MetricRow, ...]:
    """Return each metric on each slice (None: all rows). ``tail`` is the one-sided error of each end of an interval."""
    listed = tuple(metrics)
    return tuple(measure_metric(subject, metric, slice_, tail=tail) for slice_ in slices for metric in listed)


def all_slices(subject: Subject) -> tuple[Slice, ...]:
    """Return every slice of the subject, column by column."""
    return tuple(
        Slice(column=column, value=value) for column, values in subject.slice_values.items() for value in values
    )


def measure_metric(subject: Subject, metric: Metric, slice_: Slice | None, *, tail: float) -> MetricRow:
    """Return one metric on all rows or one slice; what cannot be measured is null, with a note."""
    result = subject.contrast(metric, slice_)
    if isinstance(result, Missing):
        return _candidate_row(subject, metric, slice_, result, tail=tail)
    pair = subject.pair(slice_)
    assert pair is not None  # noqa: S101  # there is a contrast
    note = find_obstacle(pair.candidate, metric) if slice_ else ""
    low, high = (None, None) if note or not result.has_interval else result.interval(tail)
    own_low, own_high = (None, None) if note else result.candidate_interval(tail)
    return MetricRow(
        name=metric.name,
        set=subject.name,
        slice=slice_,
        direction=metric.direction,
        rows=pair.rows,
        positives=count_positives(pair.candidate),
        baseline=result.baseline,
        candidate=result.candidate,
        difference=result.candidate - result.baseline,
        low=low,
        high=high,
        candidate_low=own_low,
        candidate_high=own_high,
        method=result.method,
        note=note or result.inconclusive or metric.refusal or " ".join(result.notes),
    )


@dataclass(frozen=True, kw_only=True)
class OwnValue:
    """A metric of one model alone, with its interval where there is one."""

    value: float
    low: float | None
    high: float | None


def evaluate_own(sample: Sample, metric: Metric, group: IntArray | None, *, tail: float) -> OwnValue | Missing:
    """Return one metric of one model; ``tail`` is the one-sided error of each end of the interval."""
    try:
        value = metric.evaluate(sample).value
        low, high = single_interval(sample, metric, tail=tail, group=group)
    except MetricUndefined as undefined:
        return Missing(side="candidate", code=undefined.code, reason=undefined.reason)
    return OwnValue(value=value, low=low, high=high)


def _candidate_row(
    subject: Subject, metric: Metric, slice_: Slice | None, missing: Missing, *, tail: float
) -> MetricRow:
    """Return the row of a metric without a difference: the candidate's own value, where it has one."""
    sample = subject.candidate_sample(slice_)
    own = evaluate_own(sample, metric, subject.candidate_group(slice_), tail=tail)
    known = None if isinstance(own, Missing) else own
    return MetricRow(
        name=metric.name,
        set=subject.name,
        slice=slice_,
        direction=metric.direction,
        rows=sample.rows,
        positives=count_positives(sample),
        candidate=known.value if known else None,
        candidate_low=known.low if known else None,
        candidate_high=known.high if known else None,
        note=missing.reason if isinstance(own, OwnValue) else own.reason,
    )


def evaluate_or_none(sample: Sample, metric: Metric) -> float | None:
    """Return the metric's value, or None where the sample does not allow it."""
    try:
        return metric.evaluate(sample).value
    except MetricUndefined:
        return None


def count_positives(sample: Sample) -> int | None:
    """Return the number of rows of the positive class, where there is one."""
    if sample.task != "binary" or sample.label is None:
        return None
    return int(np.count_nonzero(sample.label))
