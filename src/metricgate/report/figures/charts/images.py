"""Pictures that the pipeline itself made, of both revisions side by side."""

from matplotlib.figure import Figure

from metricgate.models.result import ChartData
from metricgate.report.figures.charts.frame import make_panels
from metricgate.report.figures.charts.theme import CHART_HEIGHT_PX, Theme
from metricgate.report.figures.image_data import decode_text


def draw_images(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one panel per side, each picture in its own proportions."""
    panels = make_panels(figure, chart, theme, panels=max(1, len(chart.images)), height_px=CHART_HEIGHT_PX)
    for axes, image, side in zip(panels, chart.images, chart.sides, strict=True):
        axes.imshow(decode_text(image), interpolation="antialiased")
        axes.set_axis_off()
        axes.set_title(side, color=theme.text, fontsize=11)
