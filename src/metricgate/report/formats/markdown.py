"""The report as Markdown: the comment, the job summary, the check run, the commit status."""

from dataclasses import dataclass

from metricgate.models.outcome import Verdict
from metricgate.report.escape import escape_sentence, html_address, marker_id, shorten
from metricgate.report.formats.annotations import Annotation, annotate
from metricgate.report.formats.budget import Limits, Section, compose
from metricgate.report.headline import headline, is_unchanged
from metricgate.report.place import Place
from metricgate.report.sections.details import detail_sections
from metricgate.report.sections.overview import fixed, overview_sections
from metricgate.report.value import Report

__all__ = [
    "Annotation",
    "CheckText",
    "comment_marker",
    "render_check",
    "render_comment",
    "render_status",
    "render_summary",
]

# GitHub refuses a comment above 65,536 characters or 262,144 bytes, a check's summary above 65,535 bytes, and drops a
# job summary above 1 MiB. A comment leaves room for the publisher's hidden line of earlier runs.
COMMENT_LIMITS = Limits(characters=61_000, octets=256_000)
CHECK_LIMITS = Limits(characters=65_535, octets=65_535)
SUMMARY_LIMITS = Limits(characters=1_000_000, octets=1_000_000)
ITEMS_IN_A_SUMMARY = 10_000
STATUS_LENGTH = 140
TITLE_LENGTH = 255
NOWHERE = Place()


@dataclass(frozen=True, kw_only=True)
class CheckText:
    """What a check run shows."""

    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


def comment_marker(report_id: str) -> str:
    """Return the hidden first line by which a comment is found again."""
    return f"<!-- metricgate:{marker_id(report_id)} -->"


def render_comment(report: Report, place: Place = NOWHERE) -> str:
    """Return the whole comment, its hidden marker first."""
    sections = (fixed("marker", comment_marker(report.id)), *_sections(report, place))
    return compose(sections, COMMENT_LIMITS, explain=lambda left_out: _explain(left_out, place))


def render_summary(report: Report, place: Place = NOWHERE) -> str:
    """Return the job summary."""
    sections = _sections(report, place)
    return compose(
        sections, SUMMARY_LIMITS, explain=lambda left_out: _explain(left_out, place), most=ITEMS_IN_A_SUMMARY
    )


def render_check(report: Report, place: Place = NOWHERE) -> CheckText:
    """Return title, summary and annotations of the check run; the headline is the title."""
    summary = compose(_sections(report, place)[1:], CHECK_LIMITS, explain=lambda left_out: _explain(left_out, place))
    return CheckText(title=shorten(headline(report), TITLE_LENGTH), summary=summary, annotations=annotate(report))


def render_status(report: Report) -> str:
    """Return the description of a commit status: at most 140 characters of plain text."""
    return shorten(headline(report), STATUS_LENGTH)


def _sections(report: Report, place: Place) -> tuple[Section, ...]:
    quiet = report.verdict is Verdict.PASSED and is_unchanged(report) and not report.accepted
    return (
        *overview_sections(report, place, quiet=quiet),
        *detail_sections(report, place, quiet=quiet),
        fixed("footer", _draw_footer(report)),
    )


def _explain(left_out: str, place: Place) -> str:
    where = "report.html and report.json"
    linked = f'<a href="{html_address(place.report_url)}">{where}</a>' if place.report_url else where
    return f"_Left out to stay within GitHub's limit: {left_out}. All of it is in {linked}._"


def _draw_footer(report: Report) -> str:
    origin = f" · gates from {escape_sentence(report.policy_origin)}" if report.policy_origin else ""
    return f"<sub>MetricGate {escape_sentence(report.metricgate)}{origin}</sub>"
