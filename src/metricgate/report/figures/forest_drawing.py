"""The forest plot as a picture: each relative gate's difference and intervals against what is allowed."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.escape import plain_name
from metricgate.report.figures.forest import Span, bounds_of, describe_row, scale_of, span_of
from metricgate.report.figures.theme import PIXELS_PER_INCH, TITLE_LENGTH, TITLE_SIZE, WIDTH_PX, Theme
from metricgate.report.number_format import plural

ROW_PX = 62
TOP_PX = 34
BOTTOM_PX = 30
EDGE = 0.02  # of the width, left and right
ROOM = 0.33  # of the width: the space that the words below the zero line need to its right
THIN, THICK = 1.8, 7.0  # points: the decision bound, the pointwise interval
MARKS = {Outcome.PASSED: "o", Outcome.FAILED: "s"}
LABEL_LENGTH = 26  # characters beside the numbers
TEXT_AT = -0.24
BAND = (-0.02, 0.42)  # where a row's interval lies, below its text


def draw_forest(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row per gate: its name and difference above, the interval below, on an axis where -1 is the margin."""
    rows = chart.forest
    height = TOP_PX + ROW_PX * len(rows) + BOTTOM_PX
    figure.set_size_inches(WIDTH_PX / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
    title = plain_name(chart.title, TITLE_LENGTH)
    middle = 1 - TOP_PX / 2 / height
    figure.text(EDGE, middle, title, color=theme.text, fontweight="bold", fontsize=TITLE_SIZE, va="center")
    axes = figure.add_axes((EDGE, BOTTOM_PX / height, 1 - 2 * EDGE, ROW_PX * len(rows) / height))
    span = span_of(rows)
    axes.set_xlim(span)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_axis_off()
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, span, theme)
    _draw_scale(axes, len(rows) - 0.5, chart.left_out, span, theme)


def _draw_scale(axes: Axes, bottom: float, left_out: int, span: Span, theme: Theme) -> None:
    right = f"{plural(left_out, 'more gate')} in the table" if left_out else "better →"
    zero = "no change" if span.right > ROOM * (span.right - span.left) and not left_out else "0"
    for position, words, align in ((span.left, "← worse", "left"), (0.0, zero, "center"), (span.right, right, "right")):
        axes.text(position, bottom, words, color=theme.muted, ha=align, va="top")


def _draw_row(axes: Axes, position: int, row: ForestRow, span: Span, theme: Theme) -> None:
    margin = row.margin / scale_of(row)
    top, bottom = position + BAND[0], position + BAND[1]
    forbidden = Rectangle(
        (span.left, top), margin - span.left, bottom - top, color=theme.failed, alpha=0.14, linewidth=0
    )
    axes.add_patch(forbidden)
    axes.plot((0, 0), (top, bottom), color=theme.muted, linewidth=1)
    axes.plot((margin, margin), (top, bottom), color=theme.failed, linewidth=1.8)
    name = plain_name(row.label, LABEL_LENGTH)
    axes.text(span.left, position + TEXT_AT, name, color=theme.text, ha="left", va="center", fontweight="bold")
    axes.text(span.right, position + TEXT_AT, describe_row(row), color=theme.text, ha="right", va="center")
    _draw_estimate(axes, (top + bottom) / 2, row, span, theme)


def _draw_estimate(axes: Axes, line: float, row: ForestRow, span: Span, theme: Theme) -> None:
    colour = theme.outcome(row.outcome)
    scale = scale_of(row)
    for ends, width in ((bounds_of(row), THIN), ([row.low, row.high], THICK)):
        low, high = min(end / scale for end in ends), max(end / scale for end in ends)
        axes.plot((span.clip(low), span.clip(high)), (line, line), color=colour, linewidth=width, solid_capstyle="butt")
        for beyond, end, mark in ((low < span.left, span.left, "<"), (high > span.right, span.right, ">")):
            if beyond:
                axes.plot([end], [line], mark, color=colour, markersize=8, clip_on=False)
    place, mark = span.clip(row.difference / scale), MARKS.get(row.outcome, "D")
    axes.plot([place], [line], mark, color=theme.background, mec=colour, mew=2.5, markersize=9, clip_on=False)
