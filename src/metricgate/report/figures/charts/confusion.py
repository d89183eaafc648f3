"""Confusion matrices of both models, side by side, with the numbers in the cells."""

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.escape import plain_name
from metricgate.report.figures.charts.frame import make_panels
from metricgate.report.figures.charts.theme import CHART_HEIGHT_PX, Theme

LABEL_LENGTH = 9
SMALL = 7.0  # points, for the numbers of many classes
DARK_SHARE = 0.55  # of a row; from here on a cell's number takes the colour of the background


def draw_confusion(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one matrix per side: rows are the labels, columns the predictions, shades the share of the row."""
    panels = make_panels(figure, chart, theme, panels=len(chart.matrices), height_px=CHART_HEIGHT_PX)
    labels = [plain_name(label, LABEL_LENGTH) for label in chart.labels]
    for axes, matrix, side in zip(panels, chart.matrices, chart.sides, strict=True):
        _draw_matrix(axes, matrix, labels, theme)
        axes.set_title(side, color=theme.text, fontsize=11)
        axes.set_xlabel("predicted", color=theme.muted)
    panels[0].set_ylabel("label", color=theme.muted)


def _draw_matrix(axes: Axes, matrix: tuple[tuple[int, ...], ...], labels: list[str], theme: Theme) -> None:
    shares = [[count / max(1, sum(row)) for count in row] for row in matrix]
    shade = LinearSegmentedColormap.from_list("share", [theme.background, theme.candidate])
    axes.imshow(shares, cmap=shade, vmin=0, vmax=1, aspect="auto")
    positions = range(len(labels))
    axes.set_xticks(positions, labels, color=theme.muted, rotation=0 if len(labels) <= 3 else 60)
    axes.set_yticks(positions, labels, color=theme.muted)
    axes.tick_params(length=0)
    axes.spines[:].set_color(theme.grid)
    size = None if len(labels) <= 4 else SMALL
    for row in positions:
        for column in positions:
            ink = theme.background if shares[row][column] > DARK_SHARE else theme.text
            axes.text(column, row, f"{matrix[row][column]:,}", ha="center", va="center", color=ink, fontsize=size)
