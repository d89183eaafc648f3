"""Drawing a chart as a PNG."""

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from metricgate.models.result import ChartData
from metricgate.report.figures.drift_drawing import draw_history, draw_shifts
from metricgate.report.figures.forest_drawing import draw_forest
from metricgate.report.figures.panels import draw_bars, draw_confusion, draw_curves, draw_images, draw_scatter
from metricgate.report.figures.theme import DOTS_PER_INCH, FONT_SIZE, FONTS, THEMES, ThemeName

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

Z_RLE = 3  # zlib's run-length strategy: pictures of lines and text get no larger

DRAWINGS = {
    "forest": draw_forest,
    "confusion": draw_confusion,
    "curves": draw_curves,
    "calibration": draw_curves,
    "residuals": draw_curves,
    "scatter": draw_scatter,
    "bars": draw_bars,
    "images": draw_images,
    "shifts": draw_shifts,
    "distributions": draw_curves,
    "history": draw_history,
}


def draw_png(chart: ChartData, theme: ThemeName) -> bytes:
    """Return ``chart`` as a PNG, 480 CSS pixels wide at twice the density.

    The same chart and theme give the same bytes: no time stamp, no version, no state shared between charts.
    """
    settings: dict[RcKeyType, Any] = {
        "font.family": choose_fonts(repr(chart)),
        "font.size": FONT_SIZE,
        "text.parse_math": False,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A name in a script without a font becomes boxes; the tables beside the picture show it.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        figure = draw_figure(chart, theme)
        figure.set_dpi(DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
    return _encode(canvas)


def _encode(canvas: FigureCanvasAgg) -> bytes:
    """Return the canvas as a PNG without transparency; run-length compression takes half of matplotlib's time."""
    buffer = io.BytesIO()
    drawn = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), drawn, "raw", "RGBA", 0, 1)
    pixels.convert("RGB").save(buffer, "PNG", compress_type=Z_RLE, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return buffer.getvalue()


def choose_fonts(text: str) -> list[str]:
    """Return the fonts that ``text`` needs: matplotlib slowly asks every font about every character."""
    fonts = find_fonts()
    return fonts[:1] if all(ord(character) in _known_to(fonts[0]) for character in set(text)) else fonts


@cache
def _known_to(font: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(font)).get_charmap())


@cache
def find_fonts() -> list[str]:
    """Return the installed fonts of the theme; matplotlib tries them in this order for each character."""
    installed = set(font_manager.get_font_names())
    return [name for name in FONTS if name in installed]


def draw_figure(chart: ChartData, theme: ThemeName) -> Figure:
    """Return ``chart`` as a matplotlib figure; text in it is never read as a formula."""
    colours = THEMES[theme]
    figure = Figure(facecolor=colours.background)
    FigureCanvasAgg(figure)
    DRAWINGS[chart.kind](figure, chart, colours)
    return figure
