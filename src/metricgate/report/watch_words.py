"""Watching in words: which features drifted, by how much, and what could not be decided."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from metricgate.gates.drift_gates import SOURCE, describe_margin, format_amount
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.models.watch import WatchedFeature
from metricgate.report.escape import clean, plain_name
from metricgate.report.gate_order import gate_decimals, gates_with
from metricgate.report.number_format import format_about, format_bound, format_number, plural
from metricgate.report.value import Report
from metricgate.report.vocabulary import is_relative, plain_metric

NAMED = 2
WORDS = {Outcome.FAILED: "drifted", Outcome.PASSED: "stable", Outcome.INCONCLUSIVE: "inconclusive"}
EFFECTS = {
    "ks_distance": "{} of rows moved",
    "total_variation": "{} of rows changed category",
    "wasserstein_sd": "{} moved on average",
    "new_values": "{} of rows in new values",
    "missing": "{} more or fewer missing",
    "classifier_auc": "ROC AUC {} of a classifier",
    "detector": "{} by the detector",
}


@dataclass(frozen=True, kw_only=True)
class FeatureFinding:
    """A watched feature with its gates, the furthest beyond its margin first."""

    feature: WatchedFeature
    gates: tuple[GateRow, ...]

    @property
    def outcome(self) -> Outcome:
        """Drifted if one effect is, stable if all are."""
        outcomes = {gate.outcome for gate in self.gates}
        order = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED)
        return next((outcome for outcome in order if outcome in outcomes), Outcome.SKIPPED)

    @property
    def telling(self) -> GateRow | None:
        """The gate that the feature's outcome rests on."""
        return next((gate for gate in self.gates if gate.outcome is self.outcome), None)


def list_findings(report: Report) -> list[FeatureFinding]:
    """Return the watched features, drifted ones first, then the undecided ones; of each kind the furthest first."""
    by_feature: dict[str, list[GateRow]] = {}
    for gate in report.gates:
        if gate.source == SOURCE:
            by_feature.setdefault(gate.feature, []).append(gate)
    findings = [
        FeatureFinding(feature=one, gates=tuple(sorted(by_feature.get(one.name, ()), key=_size, reverse=True)))
        for one in (report.watch.features if report.watch else ())
    ]
    order = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED, Outcome.SKIPPED)
    return sorted(findings, key=lambda one: (order.index(one.outcome), -_size(one.telling) if one.telling else 0.0))


def _size(gate: GateRow) -> float:
    """Return a shift in margins: the part that is shown, where one is, else the estimate."""
    shown = gate.simultaneous_low if gate.outcome is Outcome.FAILED else gate.difference
    return (shown or 0.0) / (gate.bound or 1.0)


def describe_effect(gate: GateRow) -> str:
    """Return an effect and what is allowed: ``11.9 points of rows moved, 5 are allowed``."""
    said = EFFECTS[gate.metric].format(format_amount(gate.metric, gate.difference or 0.0))
    return f"{said}, {describe_margin(gate.metric, gate.bound)}"


def is_watch(report: Report) -> bool:
    """Return whether fresh rows were watched, and something is to be said about them."""
    return report.watch is not None or any(gate.metric == "data_age" for gate in report.gates)


def describe_watch(report: Report) -> str:
    """Return what watching found in one sentence of plain text: features, then predictions, then performance."""
    if aged := next((gate for gate in report.gates if gate.metric == "data_age"), None):
        return f"{_name_verdict(report, ()) if report.accepted else 'Stale'}: {aged.reason}"
    findings = [one for one in list_findings(report) if one.gates]
    performance = [gate for gate in report.gates if gate.source != SOURCE]
    if not findings and not performance:
        return "Nothing was compared: no column can be watched"
    features = [one for one in findings if one.feature.role == "feature"]
    is_alarm = any(gate.outcome is Outcome.FAILED for gate in report.gates)
    parts = [
        _describe_features(features),
        "" if any(one.outcome is Outcome.FAILED for one in features) else _describe_joint(findings),
        _describe_predictions([one for one in findings if one.feature.role == "prediction"], is_brief=is_alarm),
        _describe_detector([one for one in findings if one.feature.role == "detector"]),
        *_describe_performance(performance),
    ]
    return f"{_name_verdict(report, findings)}: {'; '.join(part for part in parts if part)}"


def _name_verdict(report: Report, findings: Sequence[FeatureFinding]) -> str:
    if report.accepted:
        return f"Acknowledged by {report.accepted.by}"
    drifted = any(one.outcome is Outcome.FAILED for one in findings)
    lost = any(gate.outcome is Outcome.FAILED for gate in report.gates if gate.source != SOURCE)
    if report.verdict is Verdict.FAILED:
        return "Worse" if lost else "Drifted"
    if drifted or lost:
        return "Warning"
    return "Undecided" if report.verdict is Verdict.INCONCLUSIVE else "Stable"


def _describe_features(findings: Sequence[FeatureFinding]) -> str:
    if not findings:
        return ""
    drifted = [one for one in findings if one.outcome is Outcome.FAILED]
    stable = [one for one in findings if one.outcome is Outcome.PASSED]
    if drifted:
        return f"{_count(drifted, findings)} moved by more than is allowed: {_name(drifted)}"
    if len(stable) == len(findings):
        return f"none of {plural(len(findings), 'feature')} moved by more than is allowed"
    needed = _describe_needed(findings)
    if not stable:
        return f"too few rows to tell drift from chance in {plural(len(findings), 'feature')}{needed}"
    return f"no drift shown in {plural(len(findings), 'feature')}, {len(findings) - len(stable)} undecided{needed}"


def _describe_joint(findings: Sequence[FeatureFinding]) -> str:
    """Return that only all features together show a shift."""
    drifted = [one for one in findings if one.feature.role == "joint" and one.outcome is Outcome.FAILED]
    return "".join(
        f"taken together they did, as a classifier finds: {clean('; '.join(one.feature.notes))}" for one in drifted
    )


def _describe_predictions(findings: Sequence[FeatureFinding], *, is_brief: bool) -> str:
    if not findings:
        return ""
    drifted = [one for one in findings if one.outcome is Outcome.FAILED]
    if drifted:
        return f"the predictions moved: {_name(drifted)}"
    stable = all(one.outcome is Outcome.PASSED for one in findings)
    return (
        "the predictions did not"
        if stable
        else f"the predictions are undecided{'' if is_brief else _describe_needed(findings)}"
    )


def _describe_detector(findings: Sequence[FeatureFinding]) -> str:
    failed = [one for one in findings if one.outcome is Outcome.FAILED and one.telling]
    return "; ".join(f"{plain_name(one.feature.name)}: {one.telling.reason}" for one in failed if one.telling)


def _describe_performance(gates: Sequence[GateRow]) -> list[str]:
    """Return the worst metrics in words; of those that hold, only that they do."""
    telling = [*gates_with(gates, Outcome.FAILED), *gates_with(gates, Outcome.INCONCLUSIVE)][:NAMED]
    said = [describe_fresh(gate) for gate in telling]
    kept = [gate for gate in gates if gate.outcome is Outcome.PASSED]
    return said or ([f"{plural(len(kept), 'gate')} of performance passed"] if kept else [])


def describe_fresh(gate: GateRow) -> str:
    """Return how performance on fresh rows compares: ``accuracy lost 0.02, 0.01 is allowed``."""
    decimals = gate_decimals(gate)
    if gate.outcome is Outcome.INCONCLUSIVE or gate.candidate is None:
        return f"{plain_metric(gate)} is undecided: {gate.reason}"
    if not is_relative(gate) or gate.difference is None:
        word = "at least" if gate.kind == "min" else "at most"
        value = format_number(gate.candidate, decimals)
        return f"{plain_metric(gate)} is {value}, {word} {format_bound(gate.bound, decimals)} is required"
    verb = "lost" if gate.difference < 0 else "rose by"
    amount, allowed = format_number(abs(gate.difference), decimals), format_bound(gate.bound, decimals)
    return f"{plain_metric(gate)} {verb} {amount}, {allowed} is allowed"


KEYS = {
    "ks_distance": "moved",
    "total_variation": "moved",
    "wasserstein_sd": "distance",
    "new_values": "new",
    "missing": "missing",
}


def accept_line(gates: Sequence[GateRow]) -> str:
    """Return the line of the policy, below ``monitor:``, that would accept what the gates of one feature show."""
    if gates and gates[0].metric == "detector":
        return f"detector: {{class: {gates[0].feature}, max: {_round_up(gates[0].difference or 0.0):g}}}"
    wanted = {KEYS[gate.metric]: _find_accepting(gate) for gate in gates if gate.metric in KEYS}
    if not wanted:
        return "".join(f"margins: {{classifier: {min(_find_accepting(gate), 0.99):g}}}" for gate in gates[:1])
    margins = ", ".join(f"{key}: {value:g}" for key, value in wanted.items())
    return f"features: {{{_quote(gates[0].feature)}: {{{margins}}}}}"


def _find_accepting(gate: GateRow) -> float:
    """Return a margin that the policy allows; a share is at most 1."""
    margin = _round_up(gate.simultaneous_high or 0.0)
    return margin if gate.metric == "wasserstein_sd" else min(margin, 1.0)


def _round_up(value: float) -> float:
    """Return the next two-digit number above a bound."""
    digits = 1 - floor(log10(value)) if value > 0 else 2
    return float(ceil(value * 10.0**digits) / 10.0**digits)


def _quote(name: str) -> str:
    """Return a name as YAML reads it in a mapping of one line."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else json.dumps(name)


def _count(some: Sequence[FeatureFinding], findings: Sequence[FeatureFinding]) -> str:
    return f"{len(some):,} of {plural(len(findings), 'feature')}"


def _name(drifted: Sequence[FeatureFinding]) -> str:
    named = [f"{plain_name(one.feature.name)} ({_brief(one.telling)})" for one in drifted[:NAMED] if one.telling]
    more = len(drifted) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _brief(gate: GateRow) -> str:
    """Return an effect for a list of several: ``11.9 points of rows moved, 5 allowed``."""
    allowed = re.sub(" points?$| sd$", "", format_amount(gate.metric, gate.bound))
    return f"{EFFECTS[gate.metric].format(format_amount(gate.metric, gate.difference or 0.0))}, {allowed} allowed"


def _describe_needed(findings: Iterable[FeatureFinding]) -> str:
    """Return how many rows would settle half of the undecided effects."""
    needed = sorted(gate.rows_needed for one in findings for gate in one.gates if gate.rows_needed)
    return f"; about {format_about(needed[len(needed) // 2])} rows would settle most" if needed else ""
