"""Gates on numbers from metrics files: compared as they are, since one number has no interval."""

from metricgate.comparison.file_numbers import NumberPair, is_advisory, pair_number
from metricgate.comparison.subject import Missing
from metricgate.gates.gate_row import Estimate, build_row
from metricgate.gates.judgement import ADVISORY, BROKEN_CODES, NOT_POSITIVE, Judgement, judge_bar, judge_number_gain
from metricgate.gates.rules import ABSOLUTE_KINDS, Rule
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow
from metricgate.models.snapshot import Snapshot

NEVER_HAD = frozenset({"absent", "no_baseline"})


def judge_number(rule: Rule, baseline: Snapshot | None, candidate: Snapshot) -> GateRow:
    """Judge a rule on ``FILE:key``."""
    pair = pair_number(baseline, candidate, rule.file or "", rule.metric)
    bound = _bound(rule, pair)
    judgement = _judge(rule, pair, bound)
    if judgement.outcome is not Outcome.ERROR and rule.is_relative and is_advisory(rule.metric, baseline, candidate):
        judgement = ADVISORY
    estimate = Estimate(
        bound=bound or 0.0,
        method="numbers compared",
        baseline=None if isinstance(pair.baseline, Missing) else pair.baseline,
        candidate=None if isinstance(pair.candidate, Missing) else pair.candidate,
    )
    return build_row(rule, judgement, estimate, metric=rule.metric, label=rule.metric, direction=_direction(rule))


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
    """Skip what the baseline never had. What the candidate removed or broke is an error.

    A broken baseline is inconclusive, so that the change that repairs it can be merged.
    """
    never_had = isinstance(baseline, Missing) and baseline.code in NEVER_HAD
    lost = missing.side == "candidate" and (missing.code != "absent" or not never_had)
    if never_had and not lost:
        on_one_side = missing is baseline
        reason = missing.reason if on_one_side else f"neither side has it: {missing.reason}; check its name"
        return Judgement(outcome=Outcome.SKIPPED, code=missing.code, reason=reason)
    outcome = Outcome.INCONCLUSIVE if missing.side == "baseline" else Outcome.ERROR
    return Judgement(outcome=outcome, code=BROKEN_CODES[missing.side, missing.code], reason=missing.reason)


def _direction(rule: Rule) -> Direction:
    """Return the direction that the rule's key implies."""
    return Direction.LOWER if rule.kind in {"max_increase", "max"} else Direction.HIGHER


def _bound(rule: Rule, pair: NumberPair) -> float | None:
    """Return the margin in the unit of the number; None for a percentage of a baseline that is not positive."""
    if rule.margin is None:
        return rule.bar
    if not rule.margin.relative:
        return rule.margin.value
    if isinstance(pair.baseline, Missing):
        return 0.0
    return rule.margin.value * pair.baseline if pair.baseline > 0 else None
