"""Effects against their margins: drifted, stable or inconclusive, as gate rows. No p-value decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from metricgate.models.outcome import Direction, Outcome, ReasonCode, Role
from metricgate.models.result import GateRow
from metricgate.stats.drift.effect import Effect

SOURCE = "drift"
MIN_ROWS = 200  # below, no word but inconclusive
POINTS = frozenset({"ks_distance", "total_variation", "new_values", "missing"})
SENTENCES = {
    "ks_distance": "{value} of rows moved",
    "total_variation": "{value} of rows changed their category",
    "wasserstein_sd": "rows moved by {value} on average",
    "new_values": "{value} of rows are in values that the reference lacks",
    "missing": "the share of missing values changed by {value}",
    "classifier_auc": "a classifier tells current from reference rows with an area under the ROC curve of {value}",
}


@dataclass(frozen=True, kw_only=True)
class DriftRule:
    """One effect of one feature, and how far it may move."""

    metric: str
    feature: str
    effect: Effect
    margin: float
    role: Role = Role.GUARDRAIL


def judge_drift(rules: Sequence[DriftRule], *, confidence: float) -> tuple[GateRow, ...]:
    """Return a row for each rule. The bounds that decide hold for all rules together (Bonferroni)."""
    tail = (1 - confidence) / 2
    return tuple(_judge(rule, tail, tail / len(rules)) for rule in rules)


def _judge(rule: DriftRule, pointwise: float, simultaneous: float) -> GateRow:
    effect = rule.effect
    low, high = effect.interval.bounds(simultaneous)
    outcome, code, reason = _decide(rule, low, high)
    needed = effect.count_needed_rows(rule.margin, simultaneous) if outcome is Outcome.INCONCLUSIVE else None
    if needed is not None:
        needed = max(ceil(needed), MIN_ROWS)
    own_low, own_high = effect.interval.bounds(pointwise)
    return GateRow(
        rule=f"{rule.feature}: {rule.metric} at most {rule.margin:g}",
        metric=rule.metric,
        feature=rule.feature,
        source=SOURCE,
        role=rule.role,
        kind="max_shift",
        direction=Direction.LOWER,
        bound=rule.margin,
        outcome=outcome,
        reason=reason,
        reason_code=code,
        beyond=effect.value > rule.margin,
        rows=effect.rows,
        difference=effect.value,
        low=own_low,
        high=own_high,
        simultaneous_low=low,
        simultaneous_high=high,
        rows_needed=needed,
        method=effect.interval.method,
    )


def _decide(rule: DriftRule, low: float, high: float) -> tuple[Outcome, ReasonCode, str]:
    effect, allowed = rule.effect, describe_margin(rule.metric, rule.margin)
    said = SENTENCES[rule.metric].format(value=format_amount(rule.metric, effect.value))
    if effect.rows < MIN_ROWS:
        return Outcome.INCONCLUSIVE, "too_few_rows", f"only {effect.rows} rows have a value; {MIN_ROWS} are the least"
    if effect.interval.inconclusive:
        return Outcome.INCONCLUSIVE, "cannot_tell", effect.interval.inconclusive
    if low > rule.margin:
        return Outcome.FAILED, "drifted", f"{said}, {format_amount(rule.metric, low)} at least; {allowed}"
    if high <= rule.margin:
        return Outcome.PASSED, "stable", f"{said}, {format_amount(rule.metric, high)} at most; {allowed}"
    between = f"{format_amount(rule.metric, low)} to {format_amount(rule.metric, high)}"
    return Outcome.INCONCLUSIVE, "cannot_tell", f"{said} ({between}); {allowed}, so it may be either"


def format_amount(metric: str, value: float) -> str:
    """Return an effect in its unit: ``11.9 points``, ``0.31 sd``."""
    if metric in POINTS:
        points = value * 100
        shown = f"{points:.0f}" if points >= 99.5 or abs(points - round(points)) < 0.05 else f"{points:.1f}"
        return f"{shown} point{'' if shown == '1' else 's'}"
    return f"{value:.3g} sd" if metric == "wasserstein_sd" else f"{value:.3f}"


def describe_margin(metric: str, margin: float) -> str:
    """Return what is allowed: ``5 points are allowed``, ``1 point is allowed``."""
    amount = format_amount(metric, margin)
    return f"{amount} {'are' if amount.endswith('points') else 'is'} allowed"


def judge_age(days: float, allowed: float) -> GateRow:
    """Return the row of fresh data that is older than allowed: no news is not good news."""
    return GateRow(
        rule=f"age of the fresh rows at most {allowed:g} days",
        metric="data_age",
        source=SOURCE,
        role=Role.REQUIRED,
        kind="max",
        direction=Direction.LOWER,
        bound=allowed,
        outcome=Outcome.FAILED,
        reason=f"no data since: the newest row is {days:.0f} days old, {allowed:g} are allowed",
        reason_code="bar_missed",
        beyond=True,
        candidate=days,
    )
