"""The report as Markdown: the comment, the job summary, the check run, the commit status."""

from dataclasses import dataclass
from typing import Literal

from metricgate.models.outcome import Outcome, Verdict
from metricgate.report.budget import Limits, Section, compose
from metricgate.report.context import describe_context
from metricgate.report.details import detail_sections
from metricgate.report.escape import clean, code_block, escape_sentence, marker_id, shorten
from metricgate.report.gate_table import draw_gates, sort_gates
from metricgate.report.headline import headline, is_unchanged
from metricgate.report.labels import VERDICT_SIGNS
from metricgate.report.numbers import plural
from metricgate.report.pictures import main_picture
from metricgate.report.place import Place
from metricgate.report.tables import fold
from metricgate.report.value import Failure, Report

# GitHub refuses a comment above 65,536 characters or 262,144 bytes, a check's summary above 65,535 bytes, and drops a
# job summary above 1 MiB. The margins leave room for the line that says what was left out.
COMMENT_LIMITS = Limits(characters=65_000, octets=260_000)
CHECK_LIMITS = Limits(characters=65_535, octets=65_535)
SUMMARY_LIMITS = Limits(characters=1_000_000, octets=1_000_000)
STATUS_LENGTH = 140
FOLD_PASSED_ABOVE = 6
MANY_WARNINGS = 8
TELLING = frozenset({Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERROR})
ITEMS_IN_A_SUMMARY = 10_000


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """A message on one line of a file of the checkout."""

    path: str
    line: int
    level: Literal["notice", "warning", "failure"]
    title: str
    message: str


@dataclass(frozen=True, kw_only=True)
class CheckText:
    """What a check run shows."""

    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


NOWHERE = Place()


def comment_marker(report_id: str) -> str:
    """Return the hidden first line by which a comment is found again."""
    return f"<!-- metricgate:{marker_id(report_id)} -->"


def render_comment(report: Report, place: Place = NOWHERE) -> str:
    """Return the whole comment, its hidden marker first."""
    sections = (_fixed("marker", comment_marker(report.id)), *_sections(report, place))
    return compose(sections, COMMENT_LIMITS, explain=lambda left_out: _explain(left_out, place))


def render_summary(report: Report, place: Place = NOWHERE) -> str:
    """Return the job summary."""
    return compose(
        _sections(report, place),
        SUMMARY_LIMITS,
        explain=lambda left_out: _explain(left_out, place),
        most=ITEMS_IN_A_SUMMARY,
    )


def render_check(report: Report, place: Place = NOWHERE) -> CheckText:
    """Return title, summary and annotations of the check run."""
    summary = compose(_sections(report, place)[1:], CHECK_LIMITS, explain=lambda left_out: _explain(left_out, place))
    return CheckText(title=shorten(headline(report), 255), summary=summary)


def render_status(report: Report) -> str:
    """Return the description of a commit status: at most 140 characters of plain text."""
    return shorten(headline(report), STATUS_LENGTH)


def _explain(left_out: str, place: Place) -> str:
    where = f"[the whole report]({place.report_url})" if place.report_url else "`report.html` and `report.json`"
    return f"_Left out to stay within GitHub's limit: {left_out}. All of it is in {where}._"


def _sections(report: Report, place: Place) -> tuple[Section, ...]:
    quiet = report.verdict is Verdict.PASSED and is_unchanged(report) and not report.accepted
    top = [
        _fixed("headline", f"## {VERDICT_SIGNS[report.verdict]} {escape_sentence(headline(report))}"),
        _fixed("context", describe_context(report, place)),
        _fixed("warnings", _draw_warnings(report)),
        _fixed("failure", _draw_failure(report.failure) if report.failure else ""),
    ]
    gates = (
        []
        if quiet
        else [
            _gate_section(report),
            _fixed("next step", _draw_hint(report)),
            _fixed("picture", main_picture(report, place)),
        ]
    )
    return (*top, *gates, *detail_sections(report, place, quiet=quiet), _fixed("footer", _draw_footer(report)))


def _fixed(name: str, text: str) -> Section:
    return Section(name=name, rank=0, draw=lambda _: text)


def _draw_warnings(report: Report) -> str:
    if not report.warnings:
        return ""
    shown = [f"> - {escape_sentence(warning.text)}" for warning in report.warnings[:MANY_WARNINGS]]
    more = len(report.warnings) - MANY_WARNINGS
    tail = [f"> - and {more} more, in report.json"] if more > 0 else []
    return "\n".join(("> [!WARNING]", *shown, *tail))


def _draw_failure(failure: Failure) -> str:
    text = (
        f"**{escape_sentence(failure.title)}:** {escape_sentence(failure.what)}\n\n"
        f"**Expected:** {escape_sentence(failure.expected)}\n\n**What to do:** {escape_sentence(failure.fix)}"
    )
    return f"{text}\n\n{code_block(failure.details)}" if failure.details.strip() else text


def _draw_hint(report: Report) -> str:
    return f"**Next:** {escape_sentence(report.hints[0])}" if report.hints else ""


def _gate_section(report: Report) -> Section:
    """Return the gates over all rows and those of slices that have something to say; the rest is under "Slices"."""
    ordered = sort_gates(tuple(gate for gate in report.gates if gate.slice is None or gate.outcome in TELLING))
    passed = [gate for gate in ordered if gate.outcome is Outcome.PASSED]
    folded = passed if len(ordered) > FOLD_PASSED_ABOVE and len(passed) < len(ordered) else []
    first = ordered[: len(ordered) - len(folded)]

    def draw(count: int) -> str:
        shown, rest = first[:count], folded[: max(0, count - len(first))]
        tables = [draw_gates(shown, report.confidence)] if shown else []
        if rest:
            tables.append(fold(f"{plural(len(folded), 'gate')} passed", draw_gates(rest, report.confidence)))
        return "\n\n".join(tables)

    return Section(name="gates", rank=1, size=max(1, len(ordered)), draw=draw)


def _draw_footer(report: Report) -> str:
    origin = f" · gates from {escape_sentence(report.policy_origin)}" if report.policy_origin else ""
    return f"<sub>MetricGate {escape_sentence(clean(report.metricgate))}{origin}</sub>"
