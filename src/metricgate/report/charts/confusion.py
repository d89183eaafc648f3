"""Confusion matrices of both models, side by side, with the numbers in the cells."""

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.charts.theme import PIXELS_PER_INCH, WIDTH_PX, Theme
from metricgate.report.escape import plain_name

HEIGHT_PX = 280
LABEL_LENGTH = 10


def draw_confusion(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one matrix per side: rows are the labels, columns the predictions, shades the share of the row."""
    figure.set_size_inches(WIDTH_PX / PIXELS_PER_INCH, HEIGHT_PX / PIXELS_PER_INCH)
    figure.set_layout_engine("constrained")
    figure.suptitle(chart.title, x=0.02, ha="left", color=theme.text, fontweight="bold", fontsize=12)
    grid = figure.subplots(1, len(chart.matrices), squeeze=False, sharey=True)[0]
    labels = [plain_name(label, LABEL_LENGTH) for label in chart.labels]
    for axes, matrix, side in zip(grid, chart.matrices, chart.sides, strict=True):
        _draw_matrix(axes, matrix, labels, theme)
        axes.set_title(side, color=theme.text, fontsize=11)
        axes.set_xlabel("predicted", color=theme.muted)
    grid[0].set_ylabel("label", color=theme.muted)


def _draw_matrix(axes: Axes, matrix: tuple[tuple[int, ...], ...], labels: list[str], theme: Theme) -> None:
    shares = [[count / max(1, sum(row)) for count in row] for row in matrix]
    shade = LinearSegmentedColormap.from_list("share", [theme.background, theme.candidate])
    axes.imshow(shares, cmap=shade, vmin=0, vmax=1)
    positions = range(len(labels))
    axes.set_xticks(positions, labels, color=theme.muted)
    axes.set_yticks(positions, labels, color=theme.muted)
    axes.tick_params(length=0)
    axes.spines[:].set_color(theme.grid)
    for row in positions:
        for column in positions:
            ink = theme.background if shares[row][column] > 0.55 else theme.text
            axes.text(column, row, f"{matrix[row][column]:,}", ha="center", va="center", color=ink)
