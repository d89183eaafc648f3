"""The one place where a rule, its judgement and what was measured become a row of report.json."""

from dataclasses import dataclass

from metricgate.gates.judgement import Judgement
from metricgate.gates.rules import Rule, describe_rule
from metricgate.models.outcome import Direction
from metricgate.models.result import GateRow


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What was measured for one rule; the fields are those of ``GateRow``, None where there is no such number."""

    bound: float
    method: str = ""
    rows: int | None = None
    baseline: float | None = None
    candidate: float | None = None
    low: float | None = None
    high: float | None = None
    simultaneous_low: float | None = None
    simultaneous_high: float | None = None
    candidate_low: float | None = None
    candidate_high: float | None = None
    rows_needed: int | None = None
    notes: tuple[str, ...] = ()
    power: str = ""


def build_row(
    rule: Rule, judgement: Judgement, estimate: Estimate, *, metric: str, label: str, direction: Direction
) -> GateRow:
    """Return the row of ``rule``. ``metric`` is the canonical name, ``label`` the name for people."""
    baseline, candidate = estimate.baseline, estimate.candidate
    return GateRow(
        rule=describe_rule(rule, label, direction),
        metric=metric,
        set=rule.set,
        source=rule.source,
        slice=rule.slice,
        role=rule.role,
        kind=rule.kind,
        anchor=rule.anchor,
        direction=direction,
        bound=estimate.bound,
        share=rule.margin.value if rule.margin and rule.margin.relative else None,
        outcome=judgement.outcome,
        reason=judgement.reason,
        reason_code=judgement.code,
        beyond=judgement.beyond,
        rows=estimate.rows,
        baseline=baseline,
        candidate=candidate,
        difference=None if baseline is None or candidate is None else candidate - baseline,
        low=estimate.low,
        high=estimate.high,
        simultaneous_low=estimate.simultaneous_low,
        simultaneous_high=estimate.simultaneous_high,
        candidate_low=estimate.candidate_low,
        candidate_high=estimate.candidate_high,
        rows_needed=estimate.rows_needed,
        method=estimate.method,
        notes=estimate.notes,
        power=estimate.power,
    )
