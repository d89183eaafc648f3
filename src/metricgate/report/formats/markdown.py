"""The report as Markdown: the comment and the job summary. Also the one line of a commit status."""

from collections.abc import Sequence

from metricgate.report.document import STEPS, DocumentPart, SizeLimits, compose, fixed
from metricgate.report.escape import html_address, marker_id, shorten
from metricgate.report.headline import headline
from metricgate.report.sections.page import page_sections
from metricgate.report.value import Report
from metricgate.report.view_context import NO_CONTEXT, ViewContext

# GitHub refuses a comment above 65,536 characters or 262,144 bytes, and drops a job summary above 1 MiB.
# A comment leaves room for the publisher's hidden line of earlier runs.
COMMENT_LIMITS = SizeLimits(characters=61_000, octets=256_000)
SUMMARY_LIMITS = SizeLimits(characters=1_000_000, octets=1_000_000)
MAX_SUMMARY_ITEMS = 10_000
MAX_STATUS = 140


def comment_marker(report_id: str) -> str:
    """Return the hidden first line that identifies the comment."""
    return f"<!-- metricgate:{marker_id(report_id)} -->"


def render_comment(report: Report, context: ViewContext = NO_CONTEXT) -> str:
    """Return the whole comment, with its hidden marker first."""
    marker = fixed("marker", comment_marker(report.id))
    return compose_page((marker, *page_sections(report, context)), COMMENT_LIMITS, context)


def render_summary(report: Report, context: ViewContext = NO_CONTEXT) -> str:
    """Return the job summary."""
    return compose_page(page_sections(report, context), SUMMARY_LIMITS, context, max_items=MAX_SUMMARY_ITEMS)


def render_status(report: Report) -> str:
    """Return the description of a commit status: at most 140 characters of plain text."""
    return shorten(headline(report), MAX_STATUS)


def compose_page(
    sections: Sequence[DocumentPart], limits: SizeLimits, context: ViewContext, *, max_items: int = STEPS[0]
) -> str:
    """Return the sections as one document within ``limits``, and say where to find what was left out."""
    files = "report.html and report.json"
    where = f'<a href="{html_address(context.report_url)}">{files}</a>' if context.report_url else files

    def explain(left_out: str) -> str:
        return f"_Left out to stay within GitHub's limit: {left_out}. All of it is in {where}._"

    return compose(sections, limits, explain=explain, max_items=max_items)
