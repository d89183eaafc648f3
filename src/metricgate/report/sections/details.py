"""The folded sections of a report, in their order on the page."""

from metricgate.report.formats.budget import Section
from metricgate.report.numbers import plural
from metricgate.report.place import Place
from metricgate.report.sections.changes import change_section
from metricgate.report.sections.gate_table import draw_gates, sort_gates
from metricgate.report.sections.history import history_section
from metricgate.report.sections.method import method_section
from metricgate.report.sections.metric_table import metric_section
from metricgate.report.sections.pictures import chart_section
from metricgate.report.sections.slices import slice_section
from metricgate.report.tables import fold
from metricgate.report.value import Report


def detail_sections(report: Report, place: Place, *, quiet: bool) -> tuple[Section, ...]:
    """Return the folded sections; ``quiet`` folds the gates as well, and leaves out the pictures."""
    return (
        *((_folded_gates(report),) if quiet and report.gates else (chart_section(report, place),)),
        slice_section(report),
        change_section(report),
        metric_section(report),
        method_section(report, place),
        history_section(place),
    )


def _folded_gates(report: Report) -> Section:
    ordered = sort_gates(report.gates)
    summary = plural(len(ordered), "gate")

    def draw(count: int) -> str:
        return fold(summary, draw_gates(ordered[:count], report.confidence)) if count else ""

    return Section(name="gates", rank=1, size=len(ordered), draw=draw)
