"""From the data of a chart to a PNG."""

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.charts.bars import draw_bars
from metricgate.report.charts.confusion import draw_confusion
from metricgate.report.charts.curves import draw_curves
from metricgate.report.charts.forest import draw_forest
from metricgate.report.charts.images import draw_images
from metricgate.report.charts.scatter import draw_scatter
from metricgate.report.charts.theme import DOTS_PER_INCH, FONT_SIZE, FONTS, THEMES, ThemeName

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

DRAWINGS = {
    "forest": draw_forest,
    "confusion": draw_confusion,
    "curves": draw_curves,
    "calibration": draw_curves,
    "residuals": draw_curves,
    "scatter": draw_scatter,
    "bars": draw_bars,
    "images": draw_images,
}


def draw_png(chart: ChartData, theme: ThemeName) -> bytes:
    """Return ``chart`` as a PNG, 480 CSS pixels wide at twice the density.

    The same chart and theme give the same bytes: no time stamp, no version, no state shared between charts.
    """
    buffer = io.BytesIO()
    settings: dict[RcKeyType, Any] = {"font.family": find_fonts(), "font.size": FONT_SIZE, "text.parse_math": False}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A name in a script without a font is drawn as boxes; the tables beside the picture have it in full.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        draw_figure(chart, theme).savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


@cache
def find_fonts() -> list[str]:
    """Return the fonts of the theme that are installed; matplotlib looks for each character in one after the other."""
    installed = set(font_manager.get_font_names())
    return [name for name in FONTS if name in installed]


def draw_figure(chart: ChartData, theme: ThemeName) -> Figure:
    """Return ``chart`` as a matplotlib figure; text in it is never read as a formula."""
    colours = THEMES[theme]
    figure = Figure(facecolor=colours.background)
    FigureCanvasAgg(figure)
    DRAWINGS[chart.kind](figure, chart, colours)
    return figure
