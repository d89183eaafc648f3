"""Watching in words: which features drifted, by how much, and what could not be decided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metricgate.gates.drift_gates import SOURCE, describe_margin, format_amount
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.models.watch import WatchedFeature
from metricgate.report.escape import plain_name
from metricgate.report.number_format import format_about, plural
from metricgate.report.value import Report

NAMED = 2
WORDS = {Outcome.FAILED: "drifted", Outcome.PASSED: "stable", Outcome.INCONCLUSIVE: "inconclusive"}
EFFECTS = {
    "ks_distance": "{} of rows moved",
    "total_variation": "{} of rows changed category",
    "wasserstein_sd": "{} moved on average",
    "new_values": "{} of rows in new values",
    "missing": "{} more or fewer missing",
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
    return (shown or 0.0) / gate.bound


def describe_effect(gate: GateRow) -> str:
    """Return an effect and what is allowed: ``11.9 points of rows moved, 5 are allowed``."""
    said = EFFECTS[gate.metric].format(format_amount(gate.metric, gate.difference or 0.0))
    return f"{said}, {describe_margin(gate.metric, gate.bound)}"


def describe_watch(report: Report) -> str:
    """Return what watching found in one sentence of plain text."""
    findings = [one for one in list_findings(report) if one.gates]
    drifted = [one for one in findings if one.outcome is Outcome.FAILED]
    if drifted:
        return f"Drifted: {_count(drifted, findings)}: {_name(drifted)}"
    if not findings:
        return "Nothing was compared: no column can be watched"
    stable = [one for one in findings if one.outcome is Outcome.PASSED]
    if len(stable) == len(findings):
        return f"Stable: none of {plural(len(findings), 'feature')} moved by more than is allowed"
    needed = _describe_needed(findings)
    if report.verdict is Verdict.INCONCLUSIVE:
        return f"Undecided: too few rows to tell drift from chance in {_count_open(findings, stable)}{needed}"
    return f"No drift was shown: {_count(stable, findings)} stable, {len(findings) - len(stable)} undecided{needed}"


def _count(some: Sequence[FeatureFinding], findings: Sequence[FeatureFinding]) -> str:
    return f"{len(some):,} of {plural(len(findings), 'feature')}"


def _count_open(findings: Sequence[FeatureFinding], stable: Sequence[FeatureFinding]) -> str:
    return plural(len(findings) - len(stable), "feature")


def _name(drifted: Sequence[FeatureFinding]) -> str:
    named = [
        f"{plain_name(one.feature.name)} ({describe_effect(one.telling)})" for one in drifted[:NAMED] if one.telling
    ]
    more = len(drifted) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _describe_needed(findings: Iterable[FeatureFinding]) -> str:
    """Return how many rows would settle half of the undecided effects."""
    needed = sorted(gate.rows_needed for one in findings for gate in one.gates if gate.rows_needed)
    return f"; about {format_about(needed[len(needed) // 2])} rows would settle most" if needed else ""
