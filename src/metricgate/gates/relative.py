"""Relative gates on metrics computed from predictions: the paired difference against what is allowed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from metricgate.comparison.readings import Reading, list_readings
from metricgate.comparison.subject import Missing, Subject
from metricgate.gates.assessment import assess_rule, describe_power
from metricgate.gates.gate_row import Estimate, build_row
from metricgate.gates.judgement import IDENTICAL, Gain, Judgement, judge_gain
from metricgate.gates.other_readings import combine
from metricgate.gates.prepared_rules import (
    FamilyBounds,
    PreparedRule,
    allowed_loss,
    bound_together,
    direction_of,
    prepare_rule,
)
from metricgate.gates.rules import Rule
from metricgate.models.result import GateRow
from metricgate.stats.contrast import Contrast


def judge_relative_rules(rules: Iterable[tuple[Rule, Subject]], *, tail: float) -> tuple[GateRow, ...]:
    """Judge one family of rules together, by every reading of the rows that the candidate's test set asks for."""
    listed = list(rules)
    rows = _judge_family(listed, tail=tail)
    for reading in list_readings(subject.paired for _, subject in listed):
        rows = _judge_reading(reading, listed, rows, tail=tail)
    return rows


def _judge_reading(
    reading: Reading, listed: Sequence[tuple[Rule, Subject]], rows: Sequence[GateRow], *, tail: float
) -> tuple[GateRow, ...]:
    """Return the rows, each combined with what another reading says; a set that it does not apply to stays as it is."""
    others = [_read_subject(reading, rule, subject) for rule, subject in listed]
    family = [(rule, other) for (rule, _), other in zip(listed, others, strict=True) if other is not None]
    judged = iter(_judge_family(family, tail=tail))
    again = [None if other is None else next(judged) for other in others]
    return tuple(
        combine(row, other, reading, subject.pairing) if reading in subject.readings else row
        for (_, subject), row, other in zip(listed, rows, again, strict=True)
    )


def _read_subject(reading: Reading, rule: Rule, subject: Subject) -> Subject | None:
    if reading not in subject.readings:
        return subject
    metric = subject.find(rule.metric)
    return subject.read_as(reading, replace(metric, direction=direction_of(rule, metric)), rule.slice)


def _judge_family(rules: Iterable[tuple[Rule, Subject]], *, tail: float) -> tuple[GateRow, ...]:
    """Judge one family of rules together: "failed" uses bounds that hold for all of them at once."""
    prepared = [prepare_rule(rule, subject) for rule, subject in rules]
    bounds = bound_together([one for one in prepared if one.early_judgement is None], tail=tail)
    return tuple(_judge_rule(one, bounds.get(id(one)), tail=tail) for one in prepared)


def _judge_rule(prepared: PreparedRule, bounds: FamilyBounds | None, *, tail: float) -> GateRow:
    """Return the row of one rule; its intervals are of the difference, which the bound is compared with."""
    contrast, judgement = prepared.contrast, prepared.early_judgement
    estimate = Estimate(bound=abs(allowed_loss(prepared)))
    if not isinstance(contrast, Missing):
        estimate = replace(
            estimate,
            method=contrast.method,
            notes=contrast.notes,
            rows=contrast.rows,
            baseline=contrast.baseline,
            candidate=contrast.candidate,
        )
        shown = prepared.plain if judgement is IDENTICAL and not isinstance(prepared.plain, Missing) else contrast
        shift = _shift(shown)
        low, high = (end + shift for end in shown.interval(tail))
        if judgement is None or judgement is IDENTICAL:
            estimate = replace(estimate, low=low, high=high)
        if judgement is None:
            assert bounds is not None  # noqa: S101  # rules without an early judgement are members of the family
            judgement = _judge_contrast(prepared, contrast, low, high, bounds)
            power = assess_rule(prepared, passing_tail=tail, failing_tail=bounds.tested.tail)
            estimate = replace(
                estimate,
                simultaneous_low=bounds.tested.low + shift,
                simultaneous_high=bounds.tested.high + shift,
                rows_needed=power.rows_to_settle,
                power=describe_power(power, prepared.metric.label),
            )
    assert judgement is not None  # noqa: S101  # a missing contrast has an early judgement
    metric = prepared.metric
    return build_row(
        prepared.rule, judgement, estimate, metric=metric.name, label=metric.label, direction=metric.direction
    )


def _shift(contrast: Contrast) -> float:
    """Return what turns the tested candidate - f * baseline into candidate - baseline, f * baseline kept fixed."""
    return (contrast.factor - 1.0) * contrast.baseline


def _judge_contrast(
    prepared: PreparedRule, contrast: Contrast, low: float, high: float, bounds: FamilyBounds
) -> Judgement:
    higher, shift = prepared.sign > 0, _shift(contrast)
    gain = Gain(
        estimate=prepared.sign * (contrast.candidate - contrast.baseline),
        low=low if higher else -high,
        high=bounds.tested.high + shift if higher else -(bounds.tested.low + shift),
        high_difference=bounds.plain.high if higher else -bounds.plain.low,
        scale=max(abs(contrast.candidate), abs(contrast.baseline)),
    )
    return judge_gain(gain, allowed_loss=allowed_loss(prepared), role=prepared.rule.role)
