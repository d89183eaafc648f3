"""Relative rules opened: each with its contrast and the bounds that it shares with its family."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from metricgate.comparison.subject import Missing, Subject
from metricgate.errors import ConfigurationError
from metricgate.gates.judgement import IDENTICAL, Judgement
from metricgate.gates.numbers import NOT_POSITIVE, UNREADABLE
from metricgate.gates.rules import Rule
from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.stats.contrast import Contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric
from metricgate.stats.simultaneous import ContrastRows, SimultaneousBound, family_bounds

Numbered = tuple[int, Rule, Subject]
RIGHT_KEY = {Direction.HIGHER: "max_drop", Direction.LOWER: "max_increase"}
KEY_DIRECTION = {"max_drop": Direction.HIGHER, "max_increase": Direction.LOWER}


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A relative rule with its contrast, or with the judgement that needs none."""

    rule: Rule
    subject: Subject
    metric: Metric
    contrast: Contrast | Missing  # the tested quantity: candidate - f * baseline
    plain: Contrast | Missing  # candidate - baseline; the same object where the margin is no percentage
    settled: Judgement | None  # decided before any bound is computed

    @property
    def sign(self) -> int:
        return 1 if self.metric.direction is Direction.HIGHER else -1


def split_families(rules: Iterable[Numbered]) -> tuple[list[Numbered], list[Numbered]]:
    """Split into the families that share simultaneous bounds, so that slices do not blunt the all-rows gates."""
    numbered = list(rules)
    whole = [item for item in numbered if item[1].slice is None]
    slices = [item for item in numbered if item[1].slice is not None]
    return whole, slices


def check_metric(rule: Rule, metric: Metric) -> None:
    """Refuse a metric that cannot be gated, and a key that contradicts the metric's direction."""
    if not metric.gateable:
        raise ConfigurationError(
            f"{metric.name} cannot be gated: {metric.refusal}",
            expected="a metric whose interval can be trusted.",
            fix="Gate brier_score or log_loss instead; the value is reported all the same.",
        )
    if metric.directed and KEY_DIRECTION.get(rule.kind, metric.direction) is not metric.direction:
        right = RIGHT_KEY[metric.direction]
        raise ConfigurationError(
            f"The gate on {metric.name} says {rule.kind}, and {metric.direction} values of it are better.",
            expected=f"{right} for a metric where {metric.direction} is better.",
            fix=f"Write `{right}: {rule.margin}` in the gate on {metric.name}.",
        )


def direction_of(rule: Rule, metric: Metric) -> Direction:
    """Give which way is better: the metric knows, and for a formula the key of the gate says."""
    return metric.direction if metric.directed else KEY_DIRECTION.get(rule.kind, Direction.HIGHER)


def _factor(rule: Rule, metric: Metric) -> float:
    """Give f of the tested quantity candidate - f * baseline: both are estimates where the margin is a percentage."""
    assert rule.margin is not None  # noqa: S101  # relative rules have a margin
    if not rule.margin.relative:
        return 1.0
    loss = rule.margin.value if rule.kind != "min_gain" else -rule.margin.value
    return 1.0 - loss if metric.direction is Direction.HIGHER else 1.0 + loss


def open_case(rule: Rule, subject: Subject) -> Case:
    metric = subject.find(rule.metric)
    check_metric(rule, metric)
    metric = replace(metric, direction=direction_of(rule, metric))
    factor = _factor(rule, metric)
    contrast = subject.contrast(metric, rule.slice, factor=factor)
    plain = contrast if factor == 1.0 else subject.contrast(metric, rule.slice)
    settled = _settle(rule, subject, metric, contrast)
    return Case(rule=rule, subject=subject, metric=metric, contrast=contrast, plain=plain, settled=settled)


def _settle(rule: Rule, subject: Subject, metric: Metric, contrast: Contrast | Missing) -> Judgement | None:
    if isinstance(contrast, Missing):
        return _settle_missing(rule, contrast)
    if rule.margin and rule.margin.relative and contrast.baseline <= 0:
        return NOT_POSITIVE
    demands_gain = rule.kind == "min_gain"
    pairing = subject.pairing
    if pairing is not None and pairing.identical and not demands_gain:
        return IDENTICAL
    pair = subject.pair(rule.slice)
    assert pair is not None  # noqa: S101  # a contrast was had
    few_rows = find_obstacle(pair.candidate, metric)
    if few_rows:
        skip = rule.slice is not None or rule.role is Role.GUARDRAIL
        outcome = Outcome.SKIPPED if skip else Outcome.INCONCLUSIVE
        return Judgement(outcome=outcome, code="too_few_rows", reason=few_rows)
    if contrast.inconclusive:
        outcome = Outcome.SKIPPED if rule.role is Role.GUARDRAIL else Outcome.INCONCLUSIVE
        return Judgement(outcome=outcome, code="too_few_groups", reason=contrast.inconclusive)
    return None


def _settle_missing(rule: Rule, missing: Missing) -> Judgement:
    """Skip what the baseline never had; what the candidate takes away is an error.

    A baseline that nobody can read settles nothing, and lets the change that mends it be merged.
    """
    if missing.side == "baseline" and missing.code in UNREADABLE:
        return Judgement(outcome=Outcome.INCONCLUSIVE, code=f"baseline_{missing.code}", reason=missing.reason)
    never_had = missing.side == "baseline" or (missing.side == "both" and missing.code == "missing_columns")
    if never_had or (missing.side == "both" and rule.slice is not None):
        return Judgement(outcome=Outcome.SKIPPED, code=missing.code, reason=missing.reason)
    return Judgement(outcome=Outcome.ERROR, code=missing.code, reason=missing.reason)


def allowed_loss(case: Case) -> float:
    """Give the allowed loss in the unit of the metric; negative where a gain is demanded."""
    margin = case.rule.margin
    assert margin is not None  # noqa: S101
    baseline = 0.0 if isinstance(case.contrast, Missing) else case.contrast.baseline
    size = margin.value * baseline if margin.relative else margin.value
    return -size if case.rule.kind == "min_gain" else size


@dataclass(frozen=True, kw_only=True)
class FamilyBounds:
    """The simultaneous bounds of one case: of what its margin is tested on, and of the plain difference."""

    tested: SimultaneousBound
    plain: SimultaneousBound


def bound_together(cases: Sequence[Case], *, tail: float) -> dict[int, FamilyBounds]:
    """Bound all cases of a family at once; a percentage enters with both quantities that "failed" looks at."""
    if not cases:
        return {}
    entries = [(case, case.contrast, _tested_margin(case)) for case in cases]
    entries += [(case, case.plain, inf) for case in cases if case.plain is not case.contrast]
    contrasts = [contrast for _, contrast, _ in entries if not isinstance(contrast, Missing)]
    bounds = family_bounds(
        contrasts,
        [_place(case) for case, _, _ in entries],
        margins=[margin for _, _, margin in entries],
        tail=tail,
    )
    tested = dict(zip((id(case) for case in cases), bounds, strict=False))
    plain = {id(case): bound for (case, _, _), bound in zip(entries[len(cases) :], bounds[len(cases) :], strict=True)}
    return {key: FamilyBounds(tested=bound, plain=plain.get(key, bound)) for key, bound in tested.items()}


def _place(case: Case) -> ContrastRows:
    """Say where the rows of a case lie; rows of different prediction sets are not the same rows."""
    pair = case.subject.pair(None)
    group = None if pair is None else pair.group
    return ContrastRows(
        set=case.rule.set, total=case.subject.rows, own=case.subject.rows_of(case.rule.slice), group=group
    )


def _tested_margin(case: Case) -> float:
    """Give the loss of the tested quantity that is allowed: none where the percentage is already in the factor."""
    return 0.0 if case.rule.margin and case.rule.margin.relative else allowed_loss(case)
