"""The check run: its title, its summary, and annotations on lines of metricgate.yaml and params.yaml."""

from dataclasses import dataclass
from typing import Literal

from metricgate.models.outcome import Outcome
from metricgate.models.result import ANNOTATED, Change, GateRow, Warning_
from metricgate.report.document import SizeLimits
from metricgate.report.escape import clean, plain_name, shorten
from metricgate.report.formats.markdown import compose_page
from metricgate.report.gate_order import sort_gates
from metricgate.report.headline import describe_gate, headline
from metricgate.report.sections.page import page_sections
from metricgate.report.value import Report
from metricgate.report.view_context import NO_CONTEXT, ViewContext
from metricgate.report.vocabulary import OUTCOME_WORDS, plain_metric

LIMITS = SizeLimits(characters=65_400, octets=65_400)  # GitHub refuses 65,536; the publisher adds a hidden line
MAX_TITLE = 255
MAX_ANNOTATIONS = 50  # GitHub's limit for one request

AnnotationLevel = Literal["notice", "warning", "failure"]
LEVELS: dict[Outcome, AnnotationLevel] = {
    Outcome.FAILED: "failure",
    Outcome.ERROR: "failure",
    Outcome.INCONCLUSIVE: "warning",
}


@dataclass(frozen=True, kw_only=True)
class CheckAnnotation:
    """A message on one line of a file of the checkout."""

    path: str
    line: int
    level: AnnotationLevel
    title: str
    message: str


@dataclass(frozen=True, kw_only=True)
class CheckText:
    """What a check run shows."""

    title: str
    summary: str
    annotations: tuple[CheckAnnotation, ...] = ()


def render_check(report: Report, context: ViewContext = NO_CONTEXT) -> CheckText:
    """Return title, summary and annotations of the check run; the headline is the title."""
    summary = compose_page(page_sections(report, context)[1:], LIMITS, context)
    return CheckText(title=shorten(headline(report), MAX_TITLE), summary=summary, annotations=annotate(report))


def annotate(report: Report) -> tuple[CheckAnnotation, ...]:
    """Return an annotation for each change that could decide its own verdict, and for each gate that did not pass.

    If there are such gates, also for each changed parameter.
    """
    warnings = [note for warning in report.warnings for note in _annotate_warning(warning)]
    gates = [note for gate in sort_gates(report.gates) for note in _annotate_gate(gate)]
    changes = [note for change in report.changes for note in _annotate_change(change)] if gates else []
    return (*warnings, *gates, *changes)[:MAX_ANNOTATIONS]


def _annotate_warning(warning: Warning_) -> list[CheckAnnotation]:
    if warning.code not in ANNOTATED or warning.location is None:
        return []
    return [
        CheckAnnotation(
            path=warning.location.path,
            line=warning.location.line,
            level="warning",
            title="This change can decide its own verdict",
            message=clean(warning.text),
        )
    ]


def _annotate_gate(gate: GateRow) -> list[CheckAnnotation]:
    if gate.outcome not in LEVELS or gate.location is None:
        return []
    return [
        CheckAnnotation(
            path=gate.location.path,
            line=gate.location.line,
            level=LEVELS[gate.outcome],
            title=f"{plain_metric(gate)}: {OUTCOME_WORDS[gate.outcome]}",
            message=clean(describe_gate(gate)),
        )
    ]


def _annotate_change(change: Change) -> list[CheckAnnotation]:
    if change.kind != "parameter" or change.location is None:
        return []
    name, before, after = (plain_name(text or "nothing") for text in (change.name, change.before, change.after))
    return [
        CheckAnnotation(
            path=change.location.path,
            line=change.location.line,
            level="notice",
            title=f"{name} changed",
            message=f"{name} went from {before} to {after}.",
        )
    ]
