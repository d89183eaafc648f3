"""Whether a policy can be judged at all: names that no metric has, directions that contradict, numbers that are nowhere."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from metricgate.comparison.evidence import Evidence
from metricgate.gates.decidable_rules import require_decision
from metricgate.gates.judge import expand_policy
from metricgate.gates.prepared_rules import check_metric
from metricgate.gates.rules import expand_anchor
from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow, Warning_
from metricgate.settings.policy import Policy

NOWHERE = frozenset({"absent", "missing_columns"})


def check_policy(policy: Policy, evidence: Evidence) -> None:
    """Check every gate and the anchor against the candidate's predictions.

    Raises
    ------
    ConfigurationError
        If one names a metric, set or slice that does not exist, contradicts a metric's direction, or decides nothing.
    """
    anchored = expand_anchor(policy.anchor, evidence.subjects) if policy.anchor else ()
    for rule in (*expand_policy(policy, evidence), *anchored):
        if rule.file is None and rule.set in evidence.subjects:
            metric = evidence.subjects[rule.set].find(rule.metric)
            if rule.is_relative:
                check_metric(rule, metric)
            else:
                require_decision(rule, metric)


def is_never_found(gate: GateRow) -> bool:
    """Return whether a gate judges nothing, in this run and in any other, because neither revision has what it reads."""
    is_skipped = gate.outcome is Outcome.SKIPPED and gate.reason_code in NOWHERE
    return is_skipped and gate.slice is None and gate.candidate is None


def warn_never_found(gates: Iterable[GateRow], evidence: Evidence) -> Iterator[Warning_]:
    """Yield a warning for each gate that judges nothing, with the nearest name that exists."""
    numbers = [f"{metric.file}:{metric.key}" for metric in evidence.candidate.metrics]
    for name in dict.fromkeys(_name(gate) for gate in gates if is_never_found(gate)):
        near = get_close_matches(name, numbers, n=1)
        hint = f" Perhaps you meant {near[0]}?" if near else " Correct the gate, or remove it."
        yield Warning_(code="never_found", text=f"The gate on {name} judges nothing: neither revision has it.{hint}")


def _name(gate: GateRow) -> str:
    return gate.metric if gate.source == "predictions" else f"{gate.source}:{gate.metric}"
