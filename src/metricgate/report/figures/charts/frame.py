"""What the charts with axes share: size, title, grid, colours."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.escape import plain_name
from metricgate.report.figures.charts.theme import PIXELS_PER_INCH, TITLE_LENGTH, TITLE_SIZE, WIDTH_PX, Theme


def make_panels(figure: Figure, chart: ChartData, theme: Theme, *, panels: int, height_px: int) -> list[Axes]:
    """Return empty axes side by side below the chart's title."""
    figure.set_size_inches(WIDTH_PX / PIXELS_PER_INCH, height_px / PIXELS_PER_INCH)
    figure.set_layout_engine("constrained")
    title = plain_name(chart.title, TITLE_LENGTH)
    figure.suptitle(title, x=0.02, ha="left", color=theme.text, fontweight="bold", fontsize=TITLE_SIZE)
    return list(figure.subplots(1, panels, squeeze=False, sharex=True, sharey=True)[0])


def style_axes(axes: Axes, chart: ChartData, theme: Theme) -> None:
    """Apply the theme, and the chart's ranges and diagonal."""
    axes.set_facecolor(theme.background)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.grid)
    axes.tick_params(colors=theme.muted, length=0)
    axes.grid(color=theme.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    if chart.x_range:
        axes.set_xlim(chart.x_range)
    if chart.y_range:
        axes.set_ylim(chart.y_range)
    if chart.diagonal and chart.x_range:
        axes.plot(chart.x_range, chart.x_range, color=theme.muted, linewidth=1, linestyle=(0, (4, 3)))


def add_legend(axes: Axes, theme: Theme) -> None:
    """Name the curves in one line above the axes, if there are any."""
    if not axes.get_legend_handles_labels()[1]:
        return
    axes.legend(frameon=False, labelcolor=theme.text, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0)
