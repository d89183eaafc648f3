"""The report as an issue about a branch: title, body, the comment on a change, and what counts as a change."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from metricgate.models.outcome import Outcome
from metricgate.report.document import SizeLimits, fixed
from metricgate.report.escape import clean, code_span, escape_sentence, shorten
from metricgate.report.formats.markdown import compose_page
from metricgate.report.formats.message import describe_others
from metricgate.report.gate_order import gates_with
from metricgate.report.headline import headline
from metricgate.report.sections.page import page_sections
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext
from metricgate.report.vocabulary import VERDICT_SIGNS

# GitHub refuses a body of more than 65,536 characters; the publisher adds hidden lines.
LIMITS = SizeLimits(characters=50_000, octets=200_000)
MAX_TITLE = 250
MAX_GATES = 10


@dataclass(frozen=True, kw_only=True)
class IssueText:
    """What an issue shows of a report; another ``state`` is a change that people should hear of."""

    title: str
    body: str
    comment: str
    state: str


def render_issue(
    report: Report,
    context: ViewContext,
    *,
    name: str,
    branch: str,
    mention: Sequence[str] = (),
    unregained: Sequence[str] = (),
) -> IssueText:
    """Return the texts of the issue about ``branch``.

    ``mention`` names trusted logins. ``unregained`` are sentences about losses that a run which passed has not made up
    for: the issue then stays open, and the comment says why.
    """
    owners = fixed("owners", " ".join(f"@{login}" for login in mention))
    sections = (*page_sections(report, context)[:-1], owners, fixed("footer", _explain(branch)))
    return IssueText(
        title=shorten(clean(f"{name} on {branch}: {headline(report)}"), MAX_TITLE),
        body=compose_page(sections, LIMITS, context),
        comment=_draw_comment(report, context, unregained),
        state=_name_state(report, unregained),
    )


def _explain(branch: str) -> str:
    return (
        f"<sub>MetricGate keeps this issue up to date: a comment for each change, closed when a run on "
        f"{code_span(branch)} passes. If you close it, MetricGate stays silent until then.</sub>"
    )


def _draw_comment(report: Report, context: ViewContext, unregained: Sequence[str]) -> str:
    gates = [*gates_with(report.gates, Outcome.ERROR), *gates_with(report.gates, Outcome.FAILED)]
    sentences = (*unregained, *describe_others(gates, headline(report), MAX_GATES))
    lines = [f"- {escape_sentence(sentence)}" for sentence in sentences]
    why = (
        "The issue stays open: this run was compared with the model that had lost, and the loss is not made up for."
        if unregained
        else ""
    )
    link = f"[The run]({context.report_url})" if context.report_url else ""
    heading = f"**{VERDICT_SIGNS[report.verdict]} {escape_sentence(headline(report))}**"
    return "\n\n".join(part for part in (heading, why, "\n".join(lines), link) if part)


def _name_state(report: Report, unregained: Sequence[str]) -> str:
    telling = [
        (gate.rule, gate.set, gate.slice.value if gate.slice else "", gate.outcome.value)
        for gate in report.gates
        if gate.outcome in (Outcome.FAILED, Outcome.ERROR)
    ]
    facts = repr((sorted(telling), report.failure.title if report.failure else "", bool(unregained)))
    return f"{report.verdict.value}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"
