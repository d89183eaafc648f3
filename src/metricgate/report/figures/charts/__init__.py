"""Charts as PNG: each one a function of plain values, the same bytes for the same values."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metricgate.models.result import ChartData
    from metricgate.report.figures.charts.theme import ThemeName


def draw_chart(chart: "ChartData", theme: "ThemeName") -> bytes:
    """Return ``chart`` as a PNG; matplotlib is imported by the first call."""
    from metricgate.report.figures.charts.drawing import draw_png  # noqa: PLC0415  # 0.6 s that only a chart should cost

    return draw_png(chart, theme)
