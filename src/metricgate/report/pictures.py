"""Pictures in a report: the HTML that shows one in both themes, where it has an address."""

from metricgate.models.result import ChartData
from metricgate.report.budget import Section
from metricgate.report.charts.theme import WIDTH_PX
from metricgate.report.escape import escape_sentence, html_address, html_text
from metricgate.report.place import Place
from metricgate.report.tables import fold
from metricgate.report.text_chart import draw_text_forest
from metricgate.report.value import Report

RANK = 7


def main_picture(report: Report, place: Place) -> str:
    """Return the forest plot: as a picture where it has an address, else in characters."""
    forest = next((chart for chart in report.charts if chart.kind == "forest"), None)
    if forest is None:
        return ""
    shown = show_picture(forest, place) or draw_text_forest(forest)
    note = (
        f"_{escape_sentence(place.picture_note)}_" if place.picture_note and forest.name not in place.pictures else ""
    )
    return "\n\n".join(part for part in (shown, note) if part)


def chart_section(report: Report, place: Place) -> Section:
    """Return the folded charts beside the forest plot, as far as they have addresses."""
    charts = [chart for chart in report.charts if chart.kind != "forest" and chart.name in place.pictures]
    summary = f"Charts: {', '.join(html_text(chart.title, 40) for chart in charts[:6])}"

    def draw(count: int) -> str:
        return fold(summary, *(show_picture(chart, place) for chart in charts[:count])) if charts and count else ""

    return Section(name="charts", rank=RANK, size=max(1, len(charts)), draw=draw)


def show_picture(chart: ChartData, place: Place) -> str:
    """Return the HTML of one chart in both themes; empty where its pictures are nowhere."""
    if chart.name not in place.pictures:
        return ""
    light, dark = (html_address(address) for address in place.pictures[chart.name])
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" width="{WIDTH_PX}" alt="{html_text(chart.alt)}"></picture>'
    )
