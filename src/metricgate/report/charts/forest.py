"""The forest plot: every relative gate's difference with its intervals, against what is allowed."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.charts.theme import PIXELS_PER_INCH, WIDTH_PX, Theme
from metricgate.report.numbers import decimals_for, format_number

ROW_PX = 58
TOP_PX = 34
BOTTOM_PX = 44
REACH = 3.0  # the axis ends at three margins to either side; what lies beyond is an arrow
MARKS = {Outcome.PASSED: "o", Outcome.FAILED: "s"}


def draw_forest(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row per gate: its name and difference above, the interval below, on an axis where -1 is the margin."""
    rows = chart.forest
    height = TOP_PX + ROW_PX * len(rows) + BOTTOM_PX
    figure.set_size_inches(WIDTH_PX / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
    axes = figure.add_axes((0.03, BOTTOM_PX / height, 0.94, ROW_PX * len(rows) / height))
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_facecolor(theme.background)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.grid)
    axes.set_yticks([])
    axes.axvline(0, color=theme.muted, linewidth=1)
    axes.axvspan(-REACH, -1, color=theme.failed, alpha=0.12, linewidth=0)
    axes.axvline(-1, color=theme.failed, linewidth=1.5, linestyle=(0, (4, 2)))
    axes.set_xticks([-1, 0], ["most that is allowed", "no change"], color=theme.muted)
    axes.tick_params(length=0, pad=6)
    axes.set_title(chart.title, loc="left", color=theme.text, fontweight="bold", fontsize=12)
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, theme)


def scale_of(row: ForestRow) -> float:
    """Return what one unit of the axis is in the unit of the metric, signed so that worse is left."""
    size = abs(row.margin) or max(abs(row.low), abs(row.high), abs(row.difference)) / 2 or 1.0
    return size if row.better is Direction.HIGHER else -size


def _draw_row(axes: Axes, position: int, row: ForestRow, theme: Theme) -> None:
    colour = theme.outcome(row.outcome)
    scale = scale_of(row)
    line = position + 0.2
    thin = sorted(
        value / scale for value in (row.simultaneous_low, row.simultaneous_high, row.low, row.high) if value is not None
    )
    _draw_span(axes, (thin[0], thin[-1]), line, colour, 1.6)
    low, high = sorted((row.low / scale, row.high / scale))
    _draw_span(axes, (low, high), line, colour, 6)
    place = min(REACH, max(-REACH, row.difference / scale))
    axes.plot(
        [place],
        [line],
        MARKS.get(row.outcome, "D"),
        color=theme.background,
        markeredgecolor=colour,
        markersize=9,
        markeredgewidth=2.5,
    )
    decimals = decimals_for(row.low, row.high)
    left = row.label
    right = f"{format_number(row.difference, decimals, signed=True)}  (allowed {format_number(row.margin, decimals, signed=True)})"
    axes.text(-REACH, position - 0.22, left, color=theme.text, ha="left", va="center", fontweight="bold")
    axes.text(REACH, position - 0.22, right, color=theme.text, ha="right", va="center")


def _draw_span(axes: Axes, span: tuple[float, float], line: float, colour: str, width: float) -> None:
    low, high = span
    ends = (max(low, -REACH), min(high, REACH))
    axes.plot(ends, (line, line), color=colour, linewidth=width, solid_capstyle="butt")
    for beyond, end, mark in ((low < -REACH, -REACH, "<"), (high > REACH, REACH, ">")):
        if beyond:
            axes.plot([end], [line], mark, color=colour, markersize=7, clip_on=False)
