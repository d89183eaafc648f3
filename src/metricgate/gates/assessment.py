"""What gates can catch on a test set."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metricgate.comparison.subject import Missing, Subject
from metricgate.gates.cases import Case, allowed_loss, bound_together, open_case
from metricgate.gates.judgement import IDENTICAL
from metricgate.gates.rules import Rule, describe_rule
from metricgate.stats.power import GatePower, Reach, assess_power, assume_se, reach_by_normal


@dataclass(frozen=True, kw_only=True)
class RulePower:
    """What one rule can catch; ``assumed``: both models were the same, so that their difference is assumed."""

    rule: Rule
    text: str
    power: GatePower
    assumed: bool


def assess_relative_rules(rules: Iterable[tuple[Rule, Subject]], *, tail: float) -> tuple[RulePower, ...]:
    """Say what each rule of one family can catch; rules that cannot be judged on these rows are left out."""
    cases = [open_case(rule, subject) for rule, subject in rules]
    able = [case for case in cases if case.settled in (None, IDENTICAL) and not isinstance(case.contrast, Missing)]
    bounds = bound_together(able, tail=tail)
    return tuple(
        RulePower(
            rule=case.rule,
            text=describe_rule(case.rule, case.metric.label),
            power=assess_case(case, passing_tail=tail, failing_tail=bounds[id(case)].tested.tail),
            assumed=_single_se(case) is not None,
        )
        for case in able
    )


def assess_case(case: Case, *, passing_tail: float, failing_tail: float) -> GatePower:
    contrast = case.contrast
    assert not isinstance(contrast, Missing)  # noqa: S101
    single = _single_se(case)
    se = contrast.se if single is None else assume_se(single)
    if single is None:
        (low, high), (least, most) = contrast.interval(passing_tail), contrast.interval(failing_tail)
        worst, mildest = (low, most) if case.sign > 0 else (high, least)
        reach = Reach(passing=abs(contrast.estimate - worst), failing=abs(contrast.estimate - mildest))
    else:
        reach = reach_by_normal(se, passing_tail=passing_tail, failing_tail=failing_tail)
    return assess_power(se, contrast.rows, abs(allowed_loss(case)), reach)


def _single_se(case: Case) -> float | None:
    """Give the standard error of one model's own metric where both models are the same; None where they differ.

    A percentage of the margin makes the tested quantity of equal models vary a little, which tells nothing about others.
    """
    plain, pair = case.plain, case.subject.pair(case.rule.slice)
    if isinstance(plain, Missing) or pair is None or plain.se > 0:
        return None
    influence = case.metric.evaluate(pair.candidate).influence
    return None if influence is None else float(np.sqrt(influence @ influence)) / plain.rows


def describe_power(power: GatePower, label: str) -> str:
    """Say in one sentence what a gate can catch, and how many rows would settle it."""
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
