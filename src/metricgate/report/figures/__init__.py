"""Figures: the data of each chart, and its drawing as PNG."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metricgate.models.result import ChartData
    from metricgate.report.figures.theme import ThemeName


def draw_chart(chart: "ChartData", theme: "ThemeName") -> bytes:
    """Return ``chart`` as a PNG: the same bytes for the same values. The first call imports matplotlib."""
    from metricgate.report.figures.png import draw_png  # noqa: PLC0415  # 0.6 s that only a chart should cost

    return draw_png(chart, theme)
