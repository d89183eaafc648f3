"""From the data of a chart to a PNG."""

import io

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.charts.confusion import draw_confusion
from metricgate.report.charts.forest import draw_forest
from metricgate.report.charts.theme import DOTS_PER_INCH, FONT_SIZE, FONTS, THEMES, ThemeName

DRAWINGS = {"forest": draw_forest, "confusion": draw_confusion}


def draw_png(chart: ChartData, theme: ThemeName) -> bytes:
    """Return ``chart`` as a PNG, 480 CSS pixels wide at twice the density.

    The same chart and theme give the same bytes: no time stamp, no version, no state shared between charts.
    """
    buffer = io.BytesIO()
    with mpl.rc_context({"font.family": list(FONTS), "font.size": FONT_SIZE, "text.parse_math": False}):
        draw_figure(chart, theme).savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def draw_figure(chart: ChartData, theme: ThemeName) -> Figure:
    """Return ``chart`` as a matplotlib figure; text in it is never read as a formula."""
    colours = THEMES[theme]
    figure = Figure(facecolor=colours.background)
    FigureCanvasAgg(figure)
    DRAWINGS[chart.kind](figure, chart, colours)
    return figure
