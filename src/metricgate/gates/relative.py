"""Relative gates on metrics computed from predictions: the paired difference against what is allowed."""

from collections.abc import Iterable

from metricgate.comparison.subject import Missing, Subject
from metricgate.gates.assessment import assess_case, describe_power
from metricgate.gates.cases import Case, FamilyBounds, allowed_loss, bound_together, open_case
from metricgate.gates.judgement import IDENTICAL, Gain, Judgement, judge_gain
from metricgate.gates.rules import Rule, describe_rule
from metricgate.models.result import GateRow


def judge_relative_rules(rules: Iterable[tuple[Rule, Subject]], *, tail: float) -> tuple[GateRow, ...]:
    """Judge one family of rules together: "failed" uses bounds that hold for all of them at once."""
    cases = [open_case(rule, subject) for rule, subject in rules]
    bounds = bound_together([case for case in cases if case.settled is None], tail=tail)
    return tuple(_row(case, bounds.get(id(case)), tail=tail) for case in cases)


def _shift(case: Case) -> float:
    """Give what turns the tested quantity into a difference: candidate - f b  ->  candidate - b, f b - b kept fixed."""
    assert not isinstance(case.contrast, Missing)  # noqa: S101
    return (case.contrast.factor - 1.0) * case.contrast.baseline


def _judge(case: Case, low: float, high: float, bounds: FamilyBounds, shift: float) -> Judgement:
    contrast = case.contrast
    assert not isinstance(contrast, Missing)  # noqa: S101
    higher = case.sign > 0
    tested = bounds.tested.high + shift if higher else -(bounds.tested.low + shift)
    gain = Gain(
        estimate=case.sign * (contrast.candidate - contrast.baseline),
        low=low if higher else -high,
        high=tested,
        high_difference=bounds.plain.high if higher else -bounds.plain.low,
        scale=max(abs(contrast.candidate), abs(contrast.baseline)),
    )
    return judge_gain(gain, allowed_loss=allowed_loss(case), role=case.rule.role)


def _row(case: Case, bounds: FamilyBounds | None, *, tail: float) -> GateRow:
    """Lay out the outcome; intervals are of the difference, against which the bound stands."""
    contrast, rule = case.contrast, case.rule
    values: dict[str, float | int | str | None] = {}
    judgement = case.settled
    if not isinstance(contrast, Missing):
        shift = _shift(case)
        low, high = contrast.interval(tail)
        pointwise = (low + shift, high + shift)
        values = {
            "rows": contrast.rows,
            "baseline": contrast.baseline,
            "candidate": contrast.candidate,
            "difference": contrast.candidate - contrast.baseline,
            "method": contrast.method,
        }
        if judgement is None or judgement is IDENTICAL:
            values |= {"low": pointwise[0], "high": pointwise[1]}
        if judgement is None:
            assert bounds is not None  # noqa: S101  # unsettled cases are members of the family
            judgement = _judge(case, *pointwise, bounds, shift)
            values |= {
                "simultaneous_low": bounds.tested.low + shift,
                "simultaneous_high": bounds.tested.high + shift,
            }
            power = assess_case(case, passing_tail=tail, failing_tail=bounds.tested.tail)
            values |= {"rows_needed": power.rows_to_settle, "power": describe_power(power, case.metric.label)}
    assert judgement is not None  # noqa: S101  # settled, or judged just now
    return GateRow.model_validate(
        {
            "rule": describe_rule(rule, case.metric.label),
            "metric": case.metric.name,
            "set": rule.set,
            "slice": rule.slice,
            "role": rule.role,
            "kind": rule.kind,
            "anchor": rule.anchor,
            "direction": case.metric.direction,
            "bound": abs(allowed_loss(case)),
            "outcome": judgement.outcome,
            "reason": judgement.reason,
            "reason_code": judgement.code,
            **values,
        }
    )
