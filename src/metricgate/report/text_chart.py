"""The forest plot in characters, for places where no picture can be shown."""

from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.charts.scale import REACH, describe_row, scale_of
from metricgate.report.escape import code_block, plain_name

WIDTH = 41  # what a phone shows of a code block without scrolling; odd, so that zero has a place of its own
MARKS = {Outcome.PASSED: "●", Outcome.FAILED: "■"}


def draw_text_forest(chart: ChartData) -> str:
    """Return the rows as a code block: thick the pointwise interval, thin the decision bound, shaded what is not allowed."""
    lines = [line for row in chart.forest for line in (_draw_label(row), _draw_bar(row))]
    scale = f"{'← worse':<17}{'0':^7}{'better →':>17}"
    return code_block("\n".join((*lines, scale)))


def _draw_label(row: ForestRow) -> str:
    right = describe_row(row)
    room = WIDTH - len(right) - 1
    return f"{plain_name(row.label, room):<{room}} {right}"


def _draw_bar(row: ForestRow) -> str:
    scale = scale_of(row)
    wide = [
        value / scale for value in (row.simultaneous_low, row.simultaneous_high, row.low, row.high) if value is not None
    ]
    bar = [" "] * WIDTH
    _fill(bar, -REACH, row.margin / scale, "░")
    _fill(bar, min(wide), max(wide), "─")
    low, high = sorted((row.low / scale, row.high / scale))
    _fill(bar, low, high, "━")
    bar[_column(0.0)] = "│" if bar[_column(0.0)] in " ░" else bar[_column(0.0)]
    bar[_column(row.margin / scale)] = "┃"
    bar[_column(row.difference / scale)] = MARKS.get(row.outcome, "◆")
    return "".join(bar).rstrip()


def _fill(bar: list[str], low: float, high: float, character: str) -> None:
    for column in range(_column(low), _column(high) + 1):
        bar[column] = character


def _column(value: float) -> int:
    inside = min(REACH, max(-REACH, value))
    return round((inside + REACH) / (2 * REACH) * (WIDTH - 1))
