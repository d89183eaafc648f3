"""Drawing the pictures of a watching run: shifts from zero to beyond the margin, and the features over the runs."""

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.escape import plain_name
from metricgate.report.figures.drift_charts import FULL
from metricgate.report.figures.panels import make_panels
from metricgate.report.figures.theme import Theme
from metricgate.report.number_format import plural

ROW_PX = 46
FRAME_PX = 74
LABEL_LENGTH = 34
MOST_MARGINS = 6.0  # further out, an arrow
THIN, THICK = 1.8, 7.0  # points: the bound for all effects at once, the pointwise interval
MARKS = {Outcome.PASSED: "o", Outcome.FAILED: "s"}
CELL_PX = 30


def draw_shifts(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row for each feature: its name above, its interval below, on an axis where 1 is the margin."""
    rows = chart.forest
    (axes,) = make_panels(figure, chart, theme, panels=1, height_px=FRAME_PX + ROW_PX * len(rows))
    right = min(MOST_MARGINS, max(1.6, *(_end(row) for row in rows))) * 1.04
    axes.set_xlim(0, right)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_axis_off()
    for position, row in enumerate(rows):
        _draw_shift(axes, position, row, right, theme)
    bottom = len(rows) - 0.35
    axes.text(0, bottom, "0", color=theme.muted, ha="left", va="top", fontsize=9)
    axes.text(1, bottom, "allowed", color=theme.failed, ha="center", va="top", fontsize=9)
    if chart.left_out:
        more = f"{plural(chart.left_out, 'more feature')} in the table"
        axes.text(right, bottom, more, color=theme.muted, ha="right", va="top", fontsize=9)


def _end(row: ForestRow) -> float:
    return max(row.high, row.simultaneous_high or 0.0, row.difference) / row.margin


def _draw_shift(axes: Axes, position: int, row: ForestRow, right: float, theme: Theme) -> None:
    line, colour = position + 0.18, theme.outcome(row.outcome)
    forbidden = Rectangle((1, line - 0.18), right - 1, 0.36, color=theme.failed, alpha=0.14, linewidth=0)
    axes.add_patch(forbidden)
    axes.plot((1, 1), (line - 0.18, line + 0.18), color=theme.failed, linewidth=1.8)
    label = plain_name(row.label, LABEL_LENGTH)
    axes.text(0, position - 0.22, label, color=theme.text, ha="left", va="center", fontweight="bold", fontsize=10)
    said = f"{row.difference / row.margin:.1f} times what is allowed"
    axes.text(right, position - 0.22, said, color=theme.text, ha="right", va="center", fontsize=10)
    wide = (row.simultaneous_low or 0.0, row.simultaneous_high or row.high)
    for (low, high), width in ((wide, THIN), ((row.low, row.high), THICK)):
        ends = [min(right, max(0.0, end / row.margin)) for end in (low, high)]
        axes.plot(ends, (line, line), color=colour, linewidth=width, solid_capstyle="butt")
    place = row.difference / row.margin
    mark = MARKS.get(row.outcome, "D") if place <= right else ">"
    axes.plot([min(place, right)], [line], mark, color=theme.background, mec=colour, mew=2.2, ms=8, clip_on=False)


def draw_history(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw a cell for each feature and run: the darker, the closer to or beyond what is allowed."""
    (matrix,) = chart.matrices
    (axes,) = make_panels(figure, chart, theme, panels=1, height_px=FRAME_PX + CELL_PX * len(matrix) + 20)
    shade = LinearSegmentedColormap.from_list("shift", [theme.background, theme.grid, theme.failed])
    axes.imshow(matrix, cmap=shade, vmin=0, vmax=FULL, aspect="auto")
    axes.set_yticks(range(len(matrix)), [plain_name(label, 22) for label in chart.labels], color=theme.text)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_color(theme.grid)
    axes.set_xlabel(plain_name(chart.x_label, 60), color=theme.muted)
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            ink = theme.background if value > FULL * 0.7 else theme.text
            weight = "bold" if value > FULL / 2 else "normal"
            axes.text(column, row, f"{value}", ha="center", va="center", color=ink, fontsize=7.5, fontweight=weight)
