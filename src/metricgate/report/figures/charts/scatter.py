"""Clouds of both models side by side: points where they are few, else the density of each cell."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.escape import plain_name
from metricgate.report.figures.charts.frame import make_panels, style_axes
from metricgate.report.figures.charts.theme import CHART_HEIGHT_PX, Theme


def draw_scatter(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one panel per side, on the same axes."""
    panels = make_panels(figure, chart, theme, panels=max(1, len(chart.sides)), height_px=CHART_HEIGHT_PX)
    for index, (axes, side) in enumerate(zip(panels, chart.sides, strict=False)):
        style_axes(axes, chart, theme)
        if chart.matrices:
            _draw_density(axes, chart, index, theme)
        else:
            curve = chart.curves[index]
            axes.scatter(curve.x, curve.y, s=7, color=theme.candidate, alpha=0.5, linewidths=0)
        axes.set_title(side, color=theme.text, fontsize=11)
        axes.set_xlabel(plain_name(chart.x_label), color=theme.muted)
    panels[0].set_ylabel(plain_name(chart.y_label), color=theme.muted)


def _draw_density(axes: Axes, chart: ChartData, index: int, theme: Theme) -> None:
    low, high = chart.x_range or (0.0, 1.0)
    counts = np.array(chart.matrices[index], dtype=float)
    most = max(max(map(max, matrix)) for matrix in chart.matrices)
    shade = LinearSegmentedColormap.from_list("density", [theme.faint, theme.candidate])
    axes.imshow(
        np.ma.masked_equal(counts, 0),
        origin="lower",
        extent=(low, high, low, high),
        cmap=shade,
        norm=LogNorm(1, max(2, most)),
        aspect="auto",
        interpolation="nearest",
    )
