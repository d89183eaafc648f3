"""Gates on numbers from metrics files: compared as they are, since one number has no interval."""

from metricgate.comparison.numbers import NumberPair, is_advisory, pair_number
from metricgate.comparison.subject import Missing
from metricgate.gates.judgement import Judgement, judge_bar, judge_number_gain
from metricgate.gates.rules import ABSOLUTE_KINDS, Rule, describe_rule
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow
from metricgate.models.snapshot import Snapshot

UNREADABLE = frozenset({"unreadable", "not_a_number"})
NEVER_HAD = frozenset({"absent", "no_baseline"})
NOT_POSITIVE = Judgement(
    outcome=Outcome.ERROR,
    code="baseline_not_positive",
    reason="a percentage of the baseline needs a positive baseline; write the margin in the unit of the metric",
)
ADVISORY = Judgement(
    outcome=Outcome.SKIPPED,
    code="advisory",
    reason="time and memory decide only where both models were produced in this run; shown for information",
)


def judge_number(rule: Rule, baseline: Snapshot | None, candidate: Snapshot) -> GateRow:
    """Judge a rule on ``FILE:key``."""
    pair = pair_number(baseline, candidate, rule.file or "", rule.metric)
    bound = _bound(rule, pair)
    values = {
        side: None if isinstance(value, Missing) else value
        for side, value in (("baseline", pair.baseline), ("candidate", pair.candidate))
    }
    known = not isinstance(pair.baseline, Missing) and not isinstance(pair.candidate, Missing)
    judgement = _judge(rule, pair, bound)
    if judgement.outcome is not Outcome.ERROR and rule.is_relative and is_advisory(rule.metric, baseline, candidate):
        judgement = ADVISORY
    return GateRow(
        rule=describe_rule(rule, rule.metric),
        metric=rule.metric,
        source=rule.source,
        role=rule.role,
        kind=rule.kind,
        anchor=rule.anchor,
        direction=_direction(rule),
        bound=bound or 0.0,
        outcome=judgement.outcome,
        reason=judgement.reason,
        reason_code=judgement.code,
        difference=_difference(pair) if known else None,
        method="numbers compared",
        **values,
    )


def _judge(rule: Rule, pair: NumberPair, bound: float | None) -> Judgement:
    if isinstance(pair.candidate, Missing):
        return _judge_missing(pair.baseline, pair.candidate)
    if rule.kind in ABSOLUTE_KINDS:
        assert rule.bar is not None  # noqa: S101  # absolute rules have a bar
        return judge_bar(pair.candidate, None, bar=rule.bar, sign=1 if rule.kind == "min" else -1)
    if isinstance(pair.baseline, Missing):
        return _judge_missing(pair.baseline, pair.baseline)
    if bound is None:
        return NOT_POSITIVE
    sign = 1 if _direction(rule) is Direction.HIGHER else -1
    return judge_number_gain(
        sign * (pair.candidate - pair.baseline),
        allowed_loss=-bound if rule.kind == "min_gain" else bound,
        scale=max(abs(pair.candidate), abs(pair.baseline), bound),
    )


def _judge_missing(baseline: float | Missing, missing: Missing) -> Judgement:
    """Skip what the baseline never had; what the candidate takes away, or nobody can read of it, is an error.

    A baseline that nobody can read settles nothing, and lets the change that mends it be merged.
    """
    never_had = isinstance(baseline, Missing) and baseline.code in NEVER_HAD
    lost = missing.side == "candidate" and (missing.code != "absent" or not never_had)
    if never_had and not lost:
        return Judgement(outcome=Outcome.SKIPPED, code=missing.code, reason=baseline_reason(baseline, missing))
    outcome = Outcome.INCONCLUSIVE if missing.side == "baseline" else Outcome.ERROR
    return Judgement(outcome=outcome, code=f"{missing.side}_{missing.code}", reason=missing.reason)


def baseline_reason(baseline: float | Missing, missing: Missing) -> str:
    return missing.reason if missing is baseline else f"neither side has it: {missing.reason}; check its name"


def _direction(rule: Rule) -> Direction:
    """Give the direction that the key defines."""
    return Direction.LOWER if rule.kind in {"max_increase", "max"} else Direction.HIGHER


def _bound(rule: Rule, pair: NumberPair) -> float | None:
    """Give the margin in the unit of the number; None for a percentage of a baseline that is not positive."""
    if rule.margin is None:
        return rule.bar
    if not rule.margin.relative:
        return rule.margin.value
    if isinstance(pair.baseline, Missing):
        return 0.0
    return rule.margin.value * pair.baseline if pair.baseline > 0 else None


def _difference(pair: NumberPair) -> float:
    assert not isinstance(pair.baseline, Missing)  # noqa: S101  # the caller knows both
    assert not isinstance(pair.candidate, Missing)  # noqa: S101
    return pair.candidate - pair.baseline
