"""Relative rules ready to be judged: each with its contrast, and the bounds that its family shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from metricgate.comparison.subject import Missing, Subject
from metricgate.errors import ConfigurationError
from metricgate.gates.decidable_rules import require_decision
from metricgate.gates.judgement import BROKEN_CODES, IDENTICAL, NOT_POSITIVE, Judgement
from metricgate.gates.rules import Rule
from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.models.samples import COST_COLUMNS
from metricgate.stats.contrast import Contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric
from metricgate.stats.simultaneous import ContrastRows, SimultaneousBound, family_bounds

Numbered = tuple[int, Rule, Subject]
RIGHT_KEY = {Direction.HIGHER: "max_drop", Direction.LOWER: "max_increase"}
KEY_DIRECTION = {"max_drop": Direction.HIGHER, "max_increase": Direction.LOWER}


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedRule:
    """A relative rule with its contrast, or with a judgement that needs none."""

    rule: Rule
    subject: Subject
    metric: Metric
    contrast: Contrast | Missing  # the tested quantity: candidate - f * baseline
    plain: Contrast | Missing  # candidate - baseline; the same object where the margin is not a percentage
    early_judgement: Judgement | None  # made before any bound is computed

    @property
    def sign(self) -> int:
        return 1 if self.metric.direction is Direction.HIGHER else -1


def split_families(rules: Iterable[Numbered]) -> tuple[list[Numbered], list[Numbered]]:
    """Return the two families that share simultaneous bounds, so that slices do not blunt the gates on all rows."""
    numbered = list(rules)
    whole = [item for item in numbered if item[1].slice is None]
    slices = [item for item in numbered if item[1].slice is not None]
    return whole, slices


def check_metric(rule: Rule, metric: Metric) -> None:
    """Raise ConfigurationError for a metric that cannot be gated, and a key or a margin that does not fit it."""
    if not metric.gateable:
        raise ConfigurationError(
            f"{metric.name} cannot be gated: {metric.refusal}",
            expected="a metric with a reliable interval.",
            fix="Gate brier_score or log_loss instead; the value is still reported.",
            topic="the-metric-cannot-be-gated",
        )
    if metric.directed and KEY_DIRECTION.get(rule.kind, metric.direction) is not metric.direction:
        right = RIGHT_KEY[metric.direction]
        raise ConfigurationError(
            f"The gate on {metric.name} says {rule.kind}, but {metric.direction} values of it are better.",
            expected=f"{right} for a metric where {metric.direction} is better.",
            fix=f"Write `{right}: {rule.margin}` in the gate on {metric.name}.",
            topic="the-wrong-direction",
        )
    require_decision(rule, metric)


def direction_of(rule: Rule, metric: Metric) -> Direction:
    """Return which way is better: a metric knows; for a formula, the key of the gate decides."""
    return metric.direction if metric.directed else KEY_DIRECTION.get(rule.kind, Direction.HIGHER)


def _factor(rule: Rule, metric: Metric) -> float:
    """Return f of the tested quantity candidate - f * baseline: both are estimates where the margin is a percentage."""
    assert rule.margin is not None  # noqa: S101  # relative rules have a margin
    if not rule.margin.relative:
        return 1.0
    loss = rule.margin.value if rule.kind != "min_gain" else -rule.margin.value
    return 1.0 - loss if metric.direction is Direction.HIGHER else 1.0 + loss


def prepare_rule(rule: Rule, subject: Subject) -> PreparedRule:
    """Return the rule with its contrast.

    Raises
    ------
    ConfigurationError
        If the metric cannot be gated, or the rule contradicts its direction.
    """
    metric = subject.find(rule.metric)
    check_metric(rule, metric)
    metric = replace(metric, direction=direction_of(rule, metric))
    factor = _factor(rule, metric)
    contrast = subject.contrast(metric, rule.slice, factor=factor)
    plain = contrast if factor == 1.0 else subject.contrast(metric, rule.slice)
    early = _judge_candidate_slice(rule, subject) or _judge_early(rule, subject, metric, contrast)
    return PreparedRule(
        rule=rule, subject=subject, metric=metric, contrast=contrast, plain=plain, early_judgement=early
    )


def _judge_candidate_slice(rule: Rule, subject: Subject) -> Judgement | None:
    paired = subject.paired
    if rule.slice is None or paired is None or rule.slice.column not in paired.candidate_slices:
        return None
    reason = f"only the candidate declares the slice column {rule.slice.column}; it counts once the baseline has it"
    return Judgement(outcome=Outcome.SKIPPED, code="slice_not_in_baseline", reason=reason)


def _judge_early(rule: Rule, subject: Subject, metric: Metric, contrast: Contrast | Missing) -> Judgement | None:
    if isinstance(contrast, Missing):
        return _judge_missing_contrast(rule, contrast)
    if rule.margin and rule.margin.relative and contrast.baseline <= 0:
        return NOT_POSITIVE
    demands_gain = rule.kind == "min_gain"
    if contrast.identical and _has_all_rows(subject) and not demands_gain:
        return IDENTICAL
    pair = subject.pair(rule.slice)
    assert pair is not None  # noqa: S101  # there is a contrast
    few_rows = find_obstacle(pair.candidate, metric)
    if few_rows:
        skip = rule.slice is not None or rule.role is Role.GUARDRAIL
        outcome = Outcome.SKIPPED if skip else Outcome.INCONCLUSIVE
        return Judgement(outcome=outcome, code="too_few_rows", reason=few_rows)
    if other_test := _find_other_test(subject, metric):
        outcome = Outcome.SKIPPED if rule.role is Role.GUARDRAIL else Outcome.INCONCLUSIVE
        return Judgement(outcome=outcome, code="other_test", reason=other_test, beyond=True)
    return _judge_unsettled(rule, contrast)


def _judge_unsettled(rule: Rule, contrast: Contrast) -> Judgement | None:
    if contrast.inconclusive:
        outcome = Outcome.SKIPPED if rule.role is Role.GUARDRAIL else Outcome.INCONCLUSIVE
        return Judgement(outcome=outcome, code="too_few_groups", reason=contrast.inconclusive)
    return None


def _find_other_test(subject: Subject, metric: Metric) -> str:
    """Return why the two sides' scores are not comparable; what an answer took does not depend on who graded it."""
    if subject.pairing is None or not subject.pairing.other_test or COST_COLUMNS.issuperset(metric.columns):
        return ""
    return f"the scores are not comparable, because it is not the same test: {subject.pairing.other_test}"


def _has_all_rows(subject: Subject) -> bool:
    pairing = subject.pairing
    return pairing is None or not (pairing.only_baseline or pairing.only_candidate or pairing.label_differs)


def _judge_missing_contrast(rule: Rule, missing: Missing) -> Judgement:
    """Skip what the baseline never had. What the candidate removed is an error.

    A broken baseline is inconclusive, so that the change that repairs it can be merged.
    """
    broken = BROKEN_CODES.get((missing.side, missing.code)) if missing.side == "baseline" else None
    if broken is not None:
        return Judgement(outcome=Outcome.INCONCLUSIVE, code=broken, reason=missing.reason)
    never_had = missing.side == "baseline" or (missing.side == "both" and missing.code == "missing_columns")
    if never_had or (missing.side == "both" and rule.slice is not None):
        return Judgement(outcome=Outcome.SKIPPED, code=missing.code, reason=missing.reason)
    return Judgement(outcome=Outcome.ERROR, code=missing.code, reason=missing.reason)


def allowed_loss(prepared: PreparedRule) -> float:
    """Return the allowed loss in the unit of the metric; negative where a gain is demanded."""
    margin = prepared.rule.margin
    assert margin is not None  # noqa: S101
    baseline = 0.0 if isinstance(prepared.contrast, Missing) else prepared.contrast.baseline
    size = margin.value * baseline if margin.relative else margin.value
    return -size if prepared.rule.kind == "min_gain" else size


@dataclass(frozen=True, kw_only=True)
class FamilyBounds:
    """The simultaneous bounds of one rule: of what its margin is tested on, and of the plain difference."""

    tested: SimultaneousBound
    plain: SimultaneousBound


def bound_together(family: Sequence[PreparedRule], *, tail: float) -> dict[int, FamilyBounds]:
    """Return the bounds of a family's rules by ``id``; a percentage enters with both quantities that "failed" uses."""
    if not family:
        return {}
    entries = [(one, one.contrast, _tested_margin(one)) for one in family]
    entries += [(one, one.plain, inf) for one in family if one.plain is not one.contrast]
    contrasts = [contrast for _, contrast, _ in entries if not isinstance(contrast, Missing)]
    bounds = family_bounds(
        contrasts,
        [_place(one) for one, _, _ in entries],
        margins=[margin for _, _, margin in entries],
        tail=tail,
    )
    tested = dict(zip((id(one) for one in family), bounds, strict=False))
    plain = {id(one): bound for (one, _, _), bound in zip(entries[len(family) :], bounds[len(family) :], strict=True)}
    return {key: FamilyBounds(tested=bound, plain=plain.get(key, bound)) for key, bound in tested.items()}


def _place(prepared: PreparedRule) -> ContrastRows:
    """Return where the rows of a rule lie; rows of different prediction sets are different rows."""
    subject, rule = prepared.subject, prepared.rule
    pair = subject.pair(None)
    group = None if pair is None else pair.group
    return ContrastRows(set=rule.set, total=subject.rows, own=subject.rows_of(rule.slice), group=group)


def _tested_margin(prepared: PreparedRule) -> float:
    """Return the allowed loss of the tested quantity: none where the percentage is already in the factor."""
    return 0.0 if prepared.rule.margin and prepared.rule.margin.relative else allowed_loss(prepared)
