"""The charts with axes: curves, confusion matrices, clouds, bars and the pipeline's own pictures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure

from metricgate.models.result import ChartData, CurveData
from metricgate.report.escape import plain_name
from metricgate.report.figures.dvc_plot_files import decode_text
from metricgate.report.figures.theme import CHART_HEIGHT_PX, PIXELS_PER_INCH, TITLE_LENGTH, TITLE_SIZE, WIDTH_PX, Theme

BASELINE_WIDTH = 5.0
CANDIDATE_WIDTH = 2.0
CURVE_LABEL_LENGTH = 24
CLASS_LABEL_LENGTH = 9
SMALL_SIZE = 7.0  # points, for the numbers of many classes
DARK_SHARE = 0.55  # of a row; from here on a cell's number takes the colour of the background
BAR_PX = 24
FRAME_PX = 110
BAR_LABEL_LENGTH = 22


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
    """Add the names of the curves in one line above the axes, if there are any."""
    if not axes.get_legend_handles_labels()[1]:
        return
    axes.legend(frameon=False, labelcolor=theme.text, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0)


def draw_curves(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw every curve of the chart, the baseline's first."""
    (axes,) = make_panels(figure, chart, theme, panels=1, height_px=CHART_HEIGHT_PX)
    style_axes(axes, chart, theme)
    for curve in sorted(chart.curves, key=lambda curve: curve.side == "candidate"):
        _draw_curve(axes, curve, chart.kind, theme)
    axes.set_xlabel(plain_name(chart.x_label, CURVE_LABEL_LENGTH * 2), color=theme.muted)
    axes.set_ylabel(plain_name(chart.y_label, CURVE_LABEL_LENGTH * 2), color=theme.muted)
    add_legend(axes, theme)


def _draw_curve(axes: Axes, curve: CurveData, kind: str, theme: Theme) -> None:
    is_baseline = curve.side == "baseline"
    axes.plot(
        curve.x,
        curve.y,
        color=theme.baseline if is_baseline else theme.candidate,
        alpha=0.55 if is_baseline else 1.0,
        linewidth=BASELINE_WIDTH if is_baseline else CANDIDATE_WIDTH,
        drawstyle="steps-post" if kind in {"residuals", "distributions"} else "default",
        marker="o" if kind == "calibration" else "",
        markersize=9 if is_baseline else 5,
        solid_capstyle="round",
        label=plain_name(curve.label, CURVE_LABEL_LENGTH),
        clip_on=False,
    )


def draw_confusion(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one matrix per side: rows are the labels, columns the predictions, and shades the share of the row."""
    panels = make_panels(figure, chart, theme, panels=len(chart.matrices), height_px=CHART_HEIGHT_PX)
    labels = [plain_name(label, CLASS_LABEL_LENGTH) for label in chart.labels]
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
    size = None if len(labels) <= 4 else SMALL_SIZE
    for row in positions:
        for column in positions:
            ink = theme.background if shares[row][column] > DARK_SHARE else theme.text
            axes.text(column, row, f"{matrix[row][column]:,}", ha="center", va="center", color=ink, fontsize=size)


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


def draw_bars(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row per label, the first on top."""
    height = FRAME_PX + BAR_PX * len(chart.labels)
    (axes,) = make_panels(figure, chart, theme, panels=1, height_px=height)
    style_axes(axes, chart, theme)
    for curve in sorted(chart.curves, key=lambda curve: curve.side == "candidate"):
        broad = curve.side == "baseline"
        colour = theme.baseline if broad else theme.candidate
        axes.barh(
            curve.y,
            curve.x,
            height=0.8 if broad else 0.4,
            color=colour,
            alpha=0.55 if broad else 1.0,
            label=curve.label,
        )
    axes.set_yticks(range(len(chart.labels)), [plain_name(label, BAR_LABEL_LENGTH) for label in chart.labels])
    axes.invert_yaxis()
    axes.set_xlabel(plain_name(chart.x_label), color=theme.muted)
    add_legend(axes, theme)


def draw_images(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one panel per side, each picture in its own proportions."""
    panels = make_panels(figure, chart, theme, panels=max(1, len(chart.images)), height_px=CHART_HEIGHT_PX)
    for axes, image, side in zip(panels, chart.images, chart.sides, strict=True):
        axes.imshow(decode_text(image), interpolation="antialiased")
        axes.set_axis_off()
        axes.set_title(side, color=theme.text, fontsize=11)
