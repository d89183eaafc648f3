"""Absolute gates on metrics computed from predictions: the candidate's value against a bar, on the baseline's rows."""

from dataclasses import replace

from metricgate.comparison.measurement import evaluate_or_none, evaluate_own
from metricgate.comparison.subject import Missing, Subject
from metricgate.gates.decidable_rules import require_decision
from metricgate.gates.gate_row import Estimate, build_row
from metricgate.gates.judgement import Judgement, judge_bar
from metricgate.gates.other_readings import combine
from metricgate.gates.rules import Rule
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric


def judge_absolute_rule(rule: Rule, subject: Subject, *, tail: float) -> GateRow:
    """Judge ``min`` or ``max``. The baseline's value is shown, and does not decide; its rows and labels are judged."""
    metric = subject.find(rule.metric)
    require_decision(rule, metric)
    row = _judge(rule, subject, metric, tail=tail)
    directed = replace(metric, direction=Direction.HIGHER if rule.kind == "min" else Direction.LOWER)
    for reading in subject.readings:
        other = subject.read_as(reading, directed, rule.slice)
        row = combine(row, None if other is None else _judge(rule, other, metric, tail=tail), reading, subject.pairing)
    return row


def _judge(rule: Rule, subject: Subject, metric: Metric, *, tail: float) -> GateRow:
    sample = subject.judged_sample(rule.slice)
    own = evaluate_own(sample, metric, subject.judged_group(rule.slice), tail=tail)
    pair = subject.pair(rule.slice)
    few_rows = find_obstacle(sample, metric) if rule.slice is not None else ""
    assert rule.bar is not None  # noqa: S101  # absolute rules have a bar
    if few_rows:
        judgement = Judgement(outcome=Outcome.SKIPPED, code="too_few_rows", reason=few_rows)
    elif isinstance(own, Missing):
        judgement = Judgement(outcome=Outcome.ERROR, code=own.code, reason=own.reason)
    else:
        bound = (own.low if rule.kind == "min" else own.high) if rule.confident else None
        judgement = judge_bar(own.value, bound, bar=rule.bar, sign=1 if rule.kind == "min" else -1)
    known = None if isinstance(own, Missing) else own
    estimate = Estimate(
        bound=rule.bar,
        method="the value against the bar",
        rows=sample.rows,
        baseline=None if pair is None else evaluate_or_none(pair.baseline, metric),
        candidate=known.value if known else None,
        low=known.low if known else None,
        high=known.high if known else None,
        candidate_low=known.low if known else None,
        candidate_high=known.high if known else None,
    )
    return build_row(rule, judgement, estimate, metric=metric.name, label=metric.label, direction=metric.direction)
