"""All gates of a policy, judged in the policy's order."""

from collections.abc import Mapping, Sequence

from metricgate.comparison.evidence import Evidence
from metricgate.comparison.subject import Subject, is_defined
from metricgate.gates.absolute import judge_absolute_rule
from metricgate.gates.answer_budget import add_budget
from metricgate.gates.assessment import RulePower, assess_relative_rules
from metricgate.gates.number_rules import judge_number
from metricgate.gates.other_readings import ROW_CODES
from metricgate.gates.prepared_rules import split_families
from metricgate.gates.relative import judge_relative_rules
from metricgate.gates.rules import Rule, expand_anchor, expand_gates, watch_metrics
from metricgate.gates.watched_scores import watch_scores
from metricgate.models.outcome import Outcome, ReasonCode, Role
from metricgate.models.result import GateRow, Location
from metricgate.settings.policy import AnchorSpec, Policy
from metricgate.stats.registry import main_metrics


def judge_policy(
    policy: Policy, evidence: Evidence, *, anchor: Evidence | None = None, locations: Sequence[Location] = ()
) -> tuple[GateRow, ...]:
    """Judge every gate of the policy, then its anchor. ``locations``: where each gate is written, if known.

    Raises
    ------
    ConfigurationError
        If a gate names a metric, set or slice that does not exist, or contradicts a metric's direction.
    """
    tail = tail_of(policy)
    rules = expand_policy(policy, evidence)
    if not policy.gates:
        rules = _default_rules(evidence.subjects)
    rows = tuple(add_budget(row, evidence.subjects.get(row.set)) for row in _judge_rules(rules, evidence, tail=tail))
    if locations and policy.gates:
        rows = tuple(
            row.model_copy(update={"location": locations[rule.position]}) for rule, row in zip(rules, rows, strict=True)
        )
    if policy.anchor is None or anchor is None:
        return rows
    return (*rows, *_judge_anchor(policy.anchor, evidence, anchor, tail=tail))


def assess_policy(policy: Policy, evidence: Evidence) -> tuple[RulePower, ...]:
    """Return what each relative gate on predictions can catch, family by family."""
    rules = expand_policy(policy, evidence)
    relative = _relative_rules(rules or _default_rules(evidence.subjects), evidence)
    return tuple(
        power
        for family in split_families(relative)
        for power in assess_relative_rules([(rule, subject) for _, rule, subject in family], tail=tail_of(policy))
    )


def expand_policy(policy: Policy, evidence: Evidence) -> tuple[Rule, ...]:
    """Return the rules of the gates, over the prediction sets that this policy itself names."""
    sets = {name: evidence.subjects[name].slice_values for name in policy.prediction_sets if name in evidence.subjects}
    return expand_gates(policy.gates, sets)


def tail_of(policy: Policy) -> float:
    """Return the one-sided error of each end of an interval at the policy's confidence."""
    return (1.0 - policy.confidence) / 2.0


def _default_rules(subjects: Mapping[str, Subject]) -> tuple[Rule, ...]:
    return tuple(rule for name, subject in subjects.items() for rule in _watch(name, subject))


def _watch(name: str, subject: Subject) -> tuple[Rule, ...]:
    """Return the rules of one prediction set without a policy.

    What is watched follows from the baseline, so that a metric which the candidate makes impossible is an error.
    """
    reference = subject.candidate.sample if subject.paired is None else subject.paired.pair.baseline
    if reference.task == "score":
        return watch_scores(reference, name)
    metrics = [subject.find(metric) for metric in main_metrics(reference.task)]
    return watch_metrics(((metric.name, metric.direction) for metric in metrics if is_defined(reference, metric)), name)


def _judge_rules(rules: Sequence[Rule], evidence: Evidence, *, tail: float) -> tuple[GateRow, ...]:
    judged: dict[int, GateRow] = {}
    for family in split_families(_relative_rules(rules, evidence)):
        rows = judge_relative_rules([(rule, subject) for _, rule, subject in family], tail=tail)
        judged |= {number: row for (number, _, _), row in zip(family, rows, strict=True)}
    for number, rule in enumerate(rules):
        if number not in judged and rule.file is not None:
            judged[number] = judge_number(rule, evidence.baseline, evidence.candidate)
        elif number not in judged:
            judged[number] = judge_absolute_rule(rule, evidence.subjects[rule.set], tail=tail)
    return tuple(judged[number] for number in range(len(rules)))


def _relative_rules(rules: Sequence[Rule], evidence: Evidence) -> list[tuple[int, Rule, Subject]]:
    return [
        (number, rule, evidence.subjects[rule.set])
        for number, rule in enumerate(rules)
        if rule.is_relative and rule.file is None
    ]


def _judge_anchor(spec: AnchorSpec, evidence: Evidence, anchor: Evidence, *, tail: float) -> tuple[GateRow, ...]:
    """Judge against the frozen release, which blocks only a pull request that loses against main as well."""
    rules = expand_anchor(spec, evidence.subjects)
    rows = _judge_rules(rules, anchor, tail=tail)
    return tuple(
        _excuse_unless_lowered(row, _loss_against_main(rule, evidence)) for rule, row in zip(rules, rows, strict=True)
    )


def _loss_against_main(rule: Rule, evidence: Evidence) -> float | None:
    """Return how much the candidate loses against the baseline, positive when worse; None where it is unknown."""
    main_rule = Rule(
        metric=rule.metric, kind=rule.kind, role=Role.GUARDRAIL, set=rule.set, file=rule.file, margin=rule.margin
    )
    (row,) = _judge_rules([main_rule], evidence, tail=0.025)
    if row.difference is None:
        return None
    return -row.difference if rule.kind == "max_drop" else row.difference


def _excuse_unless_lowered(row: GateRow, loss: float | None) -> GateRow:
    if row.outcome not in {Outcome.FAILED, Outcome.INCONCLUSIVE} or loss is None or row.difference is None:
        return row
    if row.reason_code in ROW_CODES:
        return row  # this change took the rows away, or relabelled them: what it loses on them is not known
    total = -row.difference if row.kind == "max_drop" else row.difference
    if loss > 0:
        before = f"; {total - loss:.3g} of {total:.3g} was lost before this pull request"
        return row.model_copy(update={"reason": row.reason + before})
    reason = f"{total:.3g} was lost since the anchor, none of it by this pull request"
    code: ReasonCode = "lost_before"
    return row.model_copy(update={"outcome": Outcome.PASSED, "reason": reason, "reason_code": code})
