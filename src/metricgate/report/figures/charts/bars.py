"""Horizontal bars of named values, the baseline's broad behind the candidate's narrow ones."""

from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.escape import plain_name
from metricgate.report.figures.charts.frame import add_legend, make_panels, style_axes
from metricgate.report.figures.charts.theme import Theme

ROW_PX = 24
FRAME_PX = 110
LABEL_LENGTH = 22


def draw_bars(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row per label, the first on top."""
    height = FRAME_PX + ROW_PX * len(chart.labels)
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
    axes.set_yticks(range(len(chart.labels)), [plain_name(label, LABEL_LENGTH) for label in chart.labels])
    axes.invert_yaxis()
    axes.set_xlabel(plain_name(chart.x_label), color=theme.muted)
    add_legend(axes, theme)
