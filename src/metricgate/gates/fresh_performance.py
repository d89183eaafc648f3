"""Performance on fresh labelled rows against the release's own: other rows, so the difference is unpaired.

The bounds of the difference come from both sides' own intervals (MOVER, correlation 0). Where more than a few rows that
should have a label have none, a loss must stand even if the model was right on all of them, and a pass even if it was
wrong: labels that come early for one class would otherwise pass or fail a model that nothing happened to.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from metricgate.comparison.measurement import evaluate_own
from metricgate.comparison.subject import Missing
from metricgate.gates.gate_row import Estimate, build_row
from metricgate.gates.judgement import NOT_POSITIVE, Gain, Judgement, judge_bar, judge_gain
from metricgate.gates.rules import Rule
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow
from metricgate.predictions import Predictions
from metricgate.stats.metric import Metric
from metricgate.stats.registry import find_metric

MIN_LABELS = 30
MAX_MISSING = 0.05  # of the rows that should have a label
_SHARES = frozenset({"accuracy"})  # of a row without a label, the best and the worst are known: 1 and 0

Ends = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, eq=False, kw_only=True)
class FreshPerformance:
    """Both sides' labelled rows. ``missing``: the share of the current rows that should have a label and have none."""

    reference: Predictions | None
    current: Predictions
    missing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Own:
    """One side's value, its bounds, and the bounds that hold whatever the missing labels are."""

    value: float
    bounds: Ends
    worst: Ends | None


def judge_performance(rules: tuple[Rule, ...], found: FreshPerformance, *, tail: float) -> tuple[GateRow, ...]:
    """Return a row for each rule; "failed" holds for all of them at once (Bonferroni)."""
    return tuple(_judge(rule, found, tail, tail / len(rules)) for rule in rules)


def leave_open(rules: tuple[Rule, ...], reference: Predictions) -> tuple[GateRow, ...]:
    """Return an inconclusive row for each rule: no row that should have a label has one."""
    metrics = [find_metric(rule.metric, task=reference.task, classes=reference.classes) for rule in rules]
    judgement = _describe_few(0)
    return tuple(
        build_row(
            rule,
            judgement,
            Estimate(bound=rule.bar or 0.0, method="no labelled row", rows=0),
            metric=metric.name,
            label=metric.label,
            direction=metric.direction,
        )
        for rule, metric in zip(rules, metrics, strict=True)
    )


def _describe_few(rows: int) -> Judgement:
    reason = f"only {rows} rows have a label; {MIN_LABELS} are the least" if rows else "no row has a label yet"
    return Judgement(outcome=Outcome.INCONCLUSIVE, code="too_few_rows", reason=reason)


def _judge(rule: Rule, found: FreshPerformance, tail: float, joint: float) -> GateRow:
    metric = find_metric(rule.metric, task=found.current.task, classes=found.current.classes)
    reference = None if found.reference is None else _measure(found.reference, metric, 0.0)
    current = _measure(found.current, metric, found.missing)
    estimate = _estimate(rule, reference, current, found.current.rows, tail)
    judgement, estimate = _decide(rule, metric, (reference, current), estimate, (tail, joint))
    return build_row(rule, judgement, estimate, metric=metric.name, label=metric.label, direction=metric.direction)


def _measure(side: Predictions, metric: Metric, missing: float) -> _Own | Missing:
    group = None if side.group is None else np.unique(side.group.values, return_inverse=True)[1]
    own = evaluate_own(side.sample, metric, group, tail=0.025)
    if isinstance(own, Missing):
        return own

    def bounds(tail: float) -> tuple[float, float]:
        again = evaluate_own(side.sample, metric, group, tail=tail)
        known = not isinstance(again, Missing) and again.low is not None and again.high is not None
        return (again.low, again.high) if known else (own.value, own.value)  # type: ignore[union-attr,return-value]

    def worst(tail: float) -> tuple[float, float]:
        low, high = bounds(tail)
        return (1 - missing) * low, (1 - missing) * high + missing

    if missing <= MAX_MISSING:
        return _Own(value=own.value, bounds=bounds, worst=bounds)
    return _Own(value=own.value, bounds=bounds, worst=worst if metric.name in _SHARES else None)


def _estimate(
    rule: Rule, reference: _Own | Missing | None, current: _Own | Missing, rows: int, tail: float
) -> Estimate:
    before = reference if isinstance(reference, _Own) else None
    after = current if isinstance(current, _Own) else None
    margin = 0.0 if rule.margin is None else rule.margin.value * (_value(before) if rule.margin.relative else 1.0)
    low, high = after.bounds(tail) if after else (None, None)
    return Estimate(
        bound=abs(margin) if rule.bar is None else rule.bar,
        method="unpaired: both sides' own intervals (MOVER)" if rule.is_relative else "the value against the bar",
        rows=rows,
        baseline=before.value if before else None,
        candidate=after.value if after else None,
        candidate_low=low,
        candidate_high=high,
        low=None if rule.is_relative else low,
        high=None if rule.is_relative else high,
    )


def _value(side: _Own | None) -> float:
    return side.value if side else 0.0


def _decide(
    rule: Rule,
    metric: Metric,
    sides: tuple[_Own | Missing | None, _Own | Missing],
    estimate: Estimate,
    tails: tuple[float, float],
) -> tuple[Judgement, Estimate]:
    """Return the judgement; ``tails``: pointwise, and for all rules at once."""
    reference, current = sides
    unknown = _find_unknown(rule, reference, current, estimate.rows or 0)
    if unknown is not None:
        return unknown, estimate
    assert isinstance(current, _Own)  # noqa: S101  # nothing is unknown
    assert current.worst is not None  # noqa: S101
    if not rule.is_relative:
        return _judge_bar(rule, current, current.worst, tails[0]), estimate
    assert isinstance(reference, _Own)  # noqa: S101
    return _judge_difference(rule, metric, (reference, current, current.worst), estimate, tails)


def _find_unknown(rule: Rule, reference: _Own | Missing | None, current: _Own | Missing, rows: int) -> Judgement | None:
    """Return the judgement of a rule that lacks something; None where it can be judged."""
    if rows < MIN_LABELS:
        return _describe_few(rows)
    if isinstance(current, Missing):
        return Judgement(outcome=Outcome.ERROR, code=current.code, reason=current.reason)
    if current.worst is None:
        reason = "too many labels have not come, and how far they could move this metric is not known"
        return Judgement(outcome=Outcome.INCONCLUSIVE, code="labels_missing", reason=reason)
    if not rule.is_relative:
        return None
    if not isinstance(reference, _Own):
        reason = reference.reason if reference else "the release's own answers and labels are not known"
        return Judgement(outcome=Outcome.SKIPPED, code="no_baseline", reason=reason)
    is_share = rule.margin is not None and rule.margin.relative
    return NOT_POSITIVE if is_share and reference.value <= 0 else None


def _judge_bar(rule: Rule, current: _Own, worst: Ends, tail: float) -> Judgement:
    sign = 1 if rule.kind == "min" else -1
    assert rule.bar is not None  # noqa: S101  # absolute rules have a bar
    ends = worst(tail)
    bound = ends[0] if sign > 0 else ends[1]
    judged = judge_bar(current.value, bound if rule.confident else None, bar=rule.bar, sign=sign)
    if worst is current.bounds:
        return judged
    # With labels missing, the value itself is not known: only what holds for any of them decides.
    best = ends[1] if sign > 0 else ends[0]
    if judged.outcome is Outcome.FAILED and sign * (best - rule.bar) < 0:
        return judged
    if judged.outcome is Outcome.PASSED and sign * (bound - rule.bar) >= 0:
        return judged
    reason = "too many labels have not come: they could move the value to either side of the bar"
    return Judgement(outcome=Outcome.INCONCLUSIVE, code="labels_missing", reason=reason, beyond=judged.beyond)


def _judge_difference(
    rule: Rule, metric: Metric, sides: tuple[_Own, _Own, Ends], estimate: Estimate, tails: tuple[float, float]
) -> tuple[Judgement, Estimate]:
    (reference, current, worst), (tail, joint) = sides, tails
    low, high = _subtract(reference, current.value, current.bounds, tail)
    lowest, highest = _subtract(reference, current.value, current.bounds, joint)
    least, _ = _subtract(reference, current.value, worst, tail)
    worst_low, most = _subtract(reference, current.value, worst, joint)
    sign = 1 if metric.direction is Direction.HIGHER else -1
    if sign < 0:
        least, most = -_subtract(reference, current.value, worst, tail)[1], -worst_low
    gain = Gain(
        estimate=sign * (current.value - reference.value),
        low=least,
        high=most,
        high_difference=most,
        scale=max(abs(current.value), abs(reference.value)),
    )
    allowed = -estimate.bound if rule.kind == "min_gain" else estimate.bound
    judged = judge_gain(gain, allowed_loss=allowed, role=rule.role)
    if judged.outcome is Outcome.INCONCLUSIVE and worst is not current.bounds:
        judged = replace(judged, code="labels_missing", reason="too many labels have not come to tell")
    elif judged.outcome is Outcome.INCONCLUSIVE:
        judged = replace(judged, reason="the labelled rows are too few to tell")
    bounds = {"low": low, "high": high, "simultaneous_low": lowest, "simultaneous_high": highest}
    return judged, replace(estimate, **bounds)  # type: ignore[arg-type]


def _subtract(reference: _Own, value: float, ends: Ends, tail: float) -> tuple[float, float]:
    """Return the bounds of current minus reference."""
    own_low, own_high = ends(tail)
    other_low, other_high = reference.bounds(tail)
    difference = value - reference.value
    return (
        difference - sqrt((value - own_low) ** 2 + (other_high - reference.value) ** 2),
        difference + sqrt((own_high - value) ** 2 + (reference.value - other_low) ** 2),
    )
