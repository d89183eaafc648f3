"""What gates can catch on a test set."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metricgate.comparison.subject import Missing, Subject
from metricgate.gates.judgement import IDENTICAL
from metricgate.gates.prepared_rules import PreparedRule, allowed_loss, bound_together, prepare_rule
from metricgate.gates.rules import Rule
from metricgate.stats.distributions import normal_quantile
from metricgate.stats.power import GatePower, Reach, assess_power, assume_se, reach_by_normal


@dataclass(frozen=True, kw_only=True)
class RulePower:
    """What one rule can catch. ``assumed``: both models are the same, so their difference is an assumption."""

    rule: Rule
    power: GatePower
    assumed: bool


def assess_relative_rules(rules: Iterable[tuple[Rule, Subject]], *, tail: float) -> tuple[RulePower, ...]:
    """Return what each rule of one family can catch, without those that cannot be judged on these rows."""
    prepared = [prepare_rule(rule, subject) for rule, subject in rules]
    able = [
        one for one in prepared if one.early_judgement in (None, IDENTICAL) and not isinstance(one.contrast, Missing)
    ]
    bounds = bound_together(able, tail=tail)
    return tuple(
        RulePower(
            rule=one.rule,
            power=assess_rule(one, passing_tail=tail, failing_tail=bounds[id(one)].tested.tail),
            assumed=_single_se(one) is not None,
        )
        for one in able
    )


def assess_rule(prepared: PreparedRule, *, passing_tail: float, failing_tail: float) -> GatePower:
    """Return what a rule with a contrast can catch, at the errors with which it passes and fails."""
    contrast = prepared.contrast
    assert not isinstance(contrast, Missing)  # noqa: S101
    single = _single_se(prepared)
    se = contrast.se if single is None else assume_se(single)
    if single is None:
        (low, high), (least, most) = contrast.interval(passing_tail), contrast.interval(failing_tail)
        worst, mildest = (low, most) if prepared.sign > 0 else (high, least)
        passing = abs(contrast.estimate - worst)
        reach = Reach(
            passing=passing,
            failing=abs(contrast.estimate - mildest),
            normal=min(normal_quantile(passing_tail) * se, passing),
        )
    else:
        reach = reach_by_normal(se, passing_tail=passing_tail, failing_tail=failing_tail)
    return assess_power(se, contrast.rows, abs(allowed_loss(prepared)), reach)


def _single_se(prepared: PreparedRule) -> float | None:
    """Return the standard error of one model's own metric where both models are the same; None where they differ.

    A percentage makes the tested quantity of equal models vary a little, which says nothing about other models.
    """
    plain, pair = prepared.plain, prepared.subject.pair(prepared.rule.slice)
    if isinstance(plain, Missing) or pair is None or plain.se > 0:
        return None
    influence = prepared.metric.evaluate(pair.candidate).influence
    return None if influence is None else float(np.sqrt(influence @ influence)) / plain.rows


def describe_power(power: GatePower, label: str) -> str:
    """Return in one sentence what a gate can catch, and how many rows would settle it."""
    twice = 2 * power.margin
    sentence = (
        f"with {power.rows:,} rows this gate catches a loss of {twice:.3g} in {label} in {power.catches_twice:.0%}"
    )
    if power.rows_to_settle is None:
        return f"{sentence} of pull requests"
    return (
        f"{sentence} of pull requests; if the models are truly equal, about {power.rows_to_settle:,} rows settle it "
        "in 4 of 5 cases"
    )
