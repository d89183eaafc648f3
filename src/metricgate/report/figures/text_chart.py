"""The forest plot in characters, for places where no picture can be shown."""

from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.escape import code_block, plain_name
from metricgate.report.figures.charts.scale import Span, bounds_of, describe_row, scale_of, span_of

WIDTH = 41  # what a phone shows of a code block without scrolling
MARKS = {Outcome.PASSED: "●", Outcome.FAILED: "■"}


def draw_text_forest(chart: ChartData) -> str:
    """Return the rows as a code block: thick the pointwise interval, thin the decision bound, shaded what is not allowed."""
    span = span_of(chart.forest)
    lines = [line for row in chart.forest for line in (_draw_label(row), _draw_bar(row, span))]
    zero = _column(0.0, span)
    scale = f"{'← worse':<{zero}}0{'better →':>{WIDTH - zero - 1}}"
    return code_block("\n".join((*lines, scale)), lines=2 * len(chart.forest) + 1)


def _draw_label(row: ForestRow) -> str:
    right = describe_row(row)
    room = WIDTH - len(right) - 1
    return f"{plain_name(row.label, room):<{room}} {right}"


def _draw_bar(row: ForestRow, span: Span) -> str:
    scale = scale_of(row)
    bar = [" "] * WIDTH
    _fill(bar, [span.left, row.margin / scale], span, "░")
    _fill(bar, [end / scale for end in bounds_of(row)], span, "─")
    _fill(bar, [row.low / scale, row.high / scale], span, "━")
    zero = _column(0.0, span)
    bar[zero] = "│" if bar[zero] in " ░" else bar[zero]
    bar[_column(row.margin / scale, span)] = "┃"
    bar[_column(row.difference / scale, span)] = MARKS.get(row.outcome, "◆")
    return "".join(bar).rstrip()


def _fill(bar: list[str], ends: list[float], span: Span, character: str) -> None:
    for column in range(_column(min(ends), span), _column(max(ends), span) + 1):
        bar[column] = character


def _column(value: float, span: Span) -> int:
    return round((span.clip(value) - span.left) / (span.right - span.left) * (WIDTH - 1))
