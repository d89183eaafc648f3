"""Messages on the lines of metricgate.yaml and params.yaml that matter, for the check run."""

from dataclasses import dataclass
from typing import Literal

from metricgate.models.outcome import Outcome
from metricgate.models.result import Change, GateRow
from metricgate.report.escape import clean, plain_name
from metricgate.report.headline import describe_gate
from metricgate.report.sections.gate_table import sort_gates
from metricgate.report.value import Report
from metricgate.report.vocabulary import OUTCOME_WORDS, plain_metric

Level = Literal["notice", "warning", "failure"]
LEVELS: dict[Outcome, Level] = {
    Outcome.FAILED: "failure",
    Outcome.ERROR: "failure",
    Outcome.INCONCLUSIVE: "warning",
}
MOST = 50  # GitHub takes as many in one request


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """A message on one line of a file of the checkout."""

    path: str
    line: int
    level: Level
    title: str
    message: str


def annotate(report: Report) -> tuple[Annotation, ...]:
    """Return what to say at which line: gates that did not pass, and, beside those, the parameters that changed."""
    gates = [note for gate in sort_gates(report.gates) for note in _annotate_gate(gate)]
    changes = [note for change in report.changes for note in _annotate_change(change)] if gates else []
    return (*gates, *changes)[:MOST]


def _annotate_gate(gate: GateRow) -> list[Annotation]:
    if gate.outcome not in LEVELS or gate.location is None:
        return []
    return [
        Annotation(
            path=gate.location.path,
            line=gate.location.line,
            level=LEVELS[gate.outcome],
            title=f"{plain_metric(gate)}: {OUTCOME_WORDS[gate.outcome]}",
            message=clean(describe_gate(gate)),
        )
    ]


def _annotate_change(change: Change) -> list[Annotation]:
    if change.kind != "parameter" or change.location is None:
        return []
    name, before, after = (plain_name(text or "nothing") for text in (change.name, change.before, change.after))
    return [
        Annotation(
            path=change.location.path,
            line=change.location.line,
            level="notice",
            title=f"{name} changed",
            message=f"{name} went from {before} to {after}.",
        )
    ]
