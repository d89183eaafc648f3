"""The forest plot: every relative gate's difference with its intervals, against what is allowed."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.charts.scale import REACH, describe_row, scale_of
from metricgate.report.charts.theme import PIXELS_PER_INCH, TITLE_LENGTH, TITLE_SIZE, WIDTH_PX, Theme
from metricgate.report.escape import plain_name
from metricgate.report.numbers import plural

ROW_PX = 62
TOP_PX = 34
BOTTOM_PX = 30
EDGE = 0.02  # of the width, left and right
MARKS = {Outcome.PASSED: "o", Outcome.FAILED: "s"}
LABEL_LENGTH = 26  # characters beside the numbers
TEXT_AT = -0.24
BAND = (-0.02, 0.42)  # where a row's interval lies, below its text


def draw_forest(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row per gate: its name and difference above, the interval below, on an axis where -1 is the margin."""
    rows = chart.forest
    height = TOP_PX + ROW_PX * len(rows) + BOTTOM_PX
    figure.set_size_inches(WIDTH_PX / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
    figure.text(
        EDGE,
        1 - TOP_PX / 2 / height,
        plain_name(chart.title, TITLE_LENGTH),
        color=theme.text,
        fontweight="bold",
        fontsize=TITLE_SIZE,
        va="center",
    )
    axes = figure.add_axes((EDGE, BOTTOM_PX / height, 1 - 2 * EDGE, ROW_PX * len(rows) / height))
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_axis_off()
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, theme)
    _draw_scale(axes, len(rows) - 0.5, chart.left_out, theme)


def _draw_scale(axes: Axes, bottom: float, left_out: int, theme: Theme) -> None:
    right = f"{plural(left_out, 'more gate')} in the table" if left_out else "better →"
    for place, words, align in ((-REACH, "← worse", "left"), (0.0, "no change", "center"), (REACH, right, "right")):
        axes.text(place, bottom, words, color=theme.muted, ha=align, va="top")


def _draw_row(axes: Axes, position: int, row: ForestRow, theme: Theme) -> None:
    scale = scale_of(row)
    margin = row.margin / scale
    top, bottom = position + BAND[0], position + BAND[1]
    axes.add_patch(Rectangle((-REACH, top), margin + REACH, bottom - top, color=theme.failed, alpha=0.14, linewidth=0))
    axes.plot((0, 0), (top, bottom), color=theme.muted, linewidth=1)
    axes.plot((margin, margin), (top, bottom), color=theme.failed, linewidth=1.8)
    axes.text(
        -REACH,
        position + TEXT_AT,
        plain_name(row.label, LABEL_LENGTH),
        color=theme.text,
        ha="left",
        va="center",
        fontweight="bold",
    )
    axes.text(REACH, position + TEXT_AT, describe_row(row), color=theme.text, ha="right", va="center")
    _draw_estimate(axes, (top + bottom) / 2, row, theme)


def _draw_estimate(axes: Axes, line: float, row: ForestRow, theme: Theme) -> None:
    colour = theme.outcome(row.outcome)
    scale = scale_of(row)
    bounds = (row.simultaneous_low, row.simultaneous_high, row.low, row.high)
    wide = [value / scale for value in bounds if value is not None]
    _draw_span(axes, (min(wide), max(wide)), line, colour, 1.8)
    low, high = sorted((row.low / scale, row.high / scale))
    _draw_span(axes, (low, high), line, colour, 7)
    place = min(REACH, max(-REACH, row.difference / scale))
    axes.plot(
        [place],
        [line],
        MARKS.get(row.outcome, "D"),
        color=theme.background,
        mec=colour,
        mew=2.5,
        markersize=9,
        clip_on=False,
    )


def _draw_span(axes: Axes, span: tuple[float, float], line: float, colour: str, width: float) -> None:
    low, high = span
    inside = (min(REACH, max(low, -REACH)), max(-REACH, min(high, REACH)))
    axes.plot(inside, (line, line), color=colour, linewidth=width, solid_capstyle="butt")
    for beyond, end, mark in ((low < -REACH, -REACH, "<"), (high > REACH, REACH, ">")):
        if beyond:
            axes.plot([end], [line], mark, color=colour, markersize=8, clip_on=False)
