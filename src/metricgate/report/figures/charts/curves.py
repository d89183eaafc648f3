"""Lines of both models in one frame: the baseline broad and below, so that a coinciding candidate stays visible."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metricgate.models.result import ChartData, CurveData
from metricgate.report.escape import plain_name
from metricgate.report.figures.charts.frame import add_legend, make_panels, style_axes
from metricgate.report.figures.charts.theme import CHART_HEIGHT_PX, Theme

BASELINE_WIDTH = 5.0
CANDIDATE_WIDTH = 2.0
LABEL_LENGTH = 24


def draw_curves(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw every curve of the chart, the baseline's first."""
    (axes,) = make_panels(figure, chart, theme, panels=1, height_px=CHART_HEIGHT_PX)
    style_axes(axes, chart, theme)
    for curve in sorted(chart.curves, key=lambda curve: curve.side == "candidate"):
        _draw_curve(axes, curve, chart.kind, theme)
    axes.set_xlabel(plain_name(chart.x_label, LABEL_LENGTH * 2), color=theme.muted)
    axes.set_ylabel(plain_name(chart.y_label, LABEL_LENGTH * 2), color=theme.muted)
    add_legend(axes, theme)


def _draw_curve(axes: Axes, curve: CurveData, kind: str, theme: Theme) -> None:
    is_baseline = curve.side == "baseline"
    axes.plot(
        curve.x,
        curve.y,
        color=theme.baseline if is_baseline else theme.candidate,
        alpha=0.55 if is_baseline else 1.0,
        linewidth=BASELINE_WIDTH if is_baseline else CANDIDATE_WIDTH,
        drawstyle="steps-post" if kind == "residuals" else "default",
        marker="o" if kind == "calibration" else "",
        markersize=9 if is_baseline else 5,
        solid_capstyle="round",
        label=plain_name(curve.label, LABEL_LENGTH),
        clip_on=False,
    )
