"""The report of a watching run as an issue: title, body, and the comment on news."""

from metricgate.gates.drift_gates import SOURCE
from metricgate.models.outcome import Outcome
from metricgate.report.document import fixed
from metricgate.report.escape import clean, escape_prose, escape_sentence, shorten
from metricgate.report.formats.issue import LIMITS, MAX_TITLE, IssueText
from metricgate.report.formats.markdown import compose_page
from metricgate.report.headline import headline
from metricgate.report.sections.page import page_sections
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext
from metricgate.report.vocabulary import VERDICT_SIGNS
from metricgate.report.watch_words import describe_effect, describe_fresh, list_findings

MAX_LINES = 20
FOOT = (
    "<sub>MetricGate keeps this issue up to date: a comment for each new alarm, closed after two clean runs. If you close "
    "it, MetricGate stays silent until then. A comment `metricgate: snooze 14d`, or `metricgate: acknowledge NAME until "
    "2026-12-31`, from someone who may write to the repository, keeps it quiet and runs green for that long.</sub>"
)


def render_watch_issue(report: Report, context: ViewContext, *, name: str) -> IssueText:
    """Return the texts of the issue; ``state`` is left to who knows what was said before."""
    sections = (*page_sections(report, context)[:-1], fixed("footer", FOOT))
    return IssueText(
        title=shorten(clean(f"{name}: {headline(report)}"), MAX_TITLE),
        body=compose_page(sections, LIMITS, context),
        comment=_draw_comment(report, context),
        state="",
    )


def _draw_comment(report: Report, context: ViewContext) -> str:
    losses = [
        f"- {escape_sentence(describe_fresh(gate))}"
        for gate in report.gates
        if gate.source != SOURCE and gate.outcome is Outcome.FAILED
    ]
    drifts = [
        f"- **{escape_prose(one.feature.name)}**: {escape_sentence(describe_effect(one.telling))}"
        for one in list_findings(report)
        if one.outcome is Outcome.FAILED and one.telling
    ]
    heading = f"**{VERDICT_SIGNS[report.verdict]} {escape_sentence(headline(report))}**"
    link = f"[The run]({context.report_url})" if context.report_url else ""
    return "\n\n".join(part for part in (heading, "\n".join((*losses, *drifts)[:MAX_LINES]), link) if part)
