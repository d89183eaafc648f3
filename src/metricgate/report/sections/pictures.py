"""Pictures in a report: the HTML that shows a chart in both themes if it has an address."""

from metricgate.models.result import ChartData
from metricgate.report.document import DocumentPart, fold
from metricgate.report.escape import escape_sentence, html_address, html_code, html_text
from metricgate.report.figures.forest import draw_text_forest
from metricgate.report.figures.theme import WIDTH_PX
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext

RANK = 7
MAX_NAMED = 6
MAIN = frozenset({"forest", "shifts"})  # shown above the folds
PAIRED_WIDTH = 400  # two of them stand side by side in a comment on a desktop
OWN_TITLES = frozenset(
    {"ROC", "Precision and recall", "Calibration", "Confusion matrices", "Residuals", "Predictions against labels"}
)
TITLE_LENGTH = 40
NOTE_LENGTH = 200
MAX_NOTES = 20


def main_picture(report: Report, context: ViewContext) -> str:
    """Return the forest plot: as a picture if it has an address, else in characters."""
    forest = next((chart for chart in report.charts if chart.kind in MAIN), None)
    if forest is None:
        return ""
    shown = show_picture(forest, context) or (draw_text_forest(forest) if forest.kind == "forest" else "")
    note = (
        f"_{escape_sentence(context.picture_note)}_"
        if context.picture_note and forest.name not in context.pictures
        else ""
    )
    return "\n\n".join(part for part in (shown, note) if part)


def chart_section(report: Report, context: ViewContext) -> DocumentPart:
    """Return the folded charts that have addresses, without the forest plot, and notes on what is not drawn."""
    charts = [chart for chart in report.charts if chart.kind not in MAIN and chart.name in context.pictures]
    named = ", ".join(_name_chart(chart) for chart in charts[:MAX_NAMED])
    summary = f"Charts: {named}{f' and {len(charts) - MAX_NAMED} more' if len(charts) > MAX_NAMED else ''}"
    notes = "\n".join(f"- {escape_sentence(note, NOTE_LENGTH)}" for note in report.chart_notes[:MAX_NOTES])

    def draw(count: int) -> str:
        if not count or not (charts or notes):
            return ""
        pictures = "\n".join(show_picture(chart, context, PAIRED_WIDTH) for chart in charts[:count])
        return fold(summary if charts else "Charts", pictures, notes)

    return DocumentPart(name="charts", rank=RANK, size=max(1, len(charts)), draw=draw)


def _name_chart(chart: ChartData) -> str:
    """Return the title as HTML; one from a repository as code, in which GitHub links nothing."""
    return chart.title if chart.title in OWN_TITLES else html_code(chart.title, TITLE_LENGTH)


def show_picture(chart: ChartData, context: ViewContext, width: int = WIDTH_PX) -> str:
    """Return the HTML of one chart in both themes; empty if it has no address."""
    if chart.name not in context.pictures:
        return ""
    light, dark = (html_address(address) for address in context.pictures[chart.name])
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" width="{width}" alt="{html_text(chart.alt)}"></picture>'
    )
