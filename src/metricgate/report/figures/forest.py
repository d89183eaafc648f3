"""The forest plot: its data, its axis, and the plot in characters for places that show no picture."""

from collections.abc import Sequence
from typing import NamedTuple

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import ChartData, ForestRow, GateRow
from metricgate.report.escape import code_block, plain_name, shorten
from metricgate.report.gate_order import TELLING, required_value, sort_gates
from metricgate.report.number_format import decimals_for, format_bound, format_number
from metricgate.report.vocabulary import OUTCOME_WORDS, is_relative, plain_metric, short_metric

MAX_ROWS = 10
MIN_AXIS = (-1.6, 1.0)  # always shows the margin and a gain of the same size
MAX_AXIS = (-6.0, 6.0)  # anything further out becomes an arrow
SPACE = 0.06  # of the span, on either side
TEXT_WIDTH = 41  # what a phone shows of a code block without scrolling
TEXT_MARKS = {Outcome.PASSED: "●", Outcome.FAILED: "■"}


def build_forest(gates: Sequence[GateRow]) -> ChartData | None:
    """Return the forest plot of the relative gates, worst first; None without any. A number of a file is a point."""
    telling = tuple(gate for gate in gates if gate.slice is None or gate.outcome in TELLING)
    drawable = [gate for gate in sort_gates(telling) if is_relative(gate) and gate.difference is not None]
    if not drawable:
        return None
    shown = drawable[:MAX_ROWS]
    outcomes = ", ".join(f"{plain_metric(gate)} {OUTCOME_WORDS[gate.outcome]}" for gate in shown)
    return ChartData(
        name="differences",
        kind="forest",
        title="Change against what is allowed",
        alt=f"Differences with their intervals against what is allowed: {shorten(outcomes, 300)}",
        forest=tuple(forest_row(gate) for gate in shown),
        left_out=len(drawable) - len(shown),
    )


def forest_row(gate: GateRow) -> ForestRow:
    """Return a relative gate as a row of the plot; without an interval, both of its ends are the difference."""
    difference = gate.difference or 0.0
    return ForestRow(
        label=short_metric(gate),
        outcome=gate.outcome,
        better=gate.direction,
        difference=difference,
        low=difference if gate.low is None else gate.low,
        high=difference if gate.high is None else gate.high,
        simultaneous_low=gate.simultaneous_low,
        simultaneous_high=gate.simultaneous_high,
        margin=required_value(gate),
    )


class Span(NamedTuple):
    """Where the axis begins and ends, in margins."""

    left: float
    right: float

    def clip(self, value: float) -> float:
        return min(self.right, max(self.left, value))


def span_of(rows: Sequence[ForestRow]) -> Span:
    """Return an axis that holds every interval, up to six margins on either side."""
    ends = [end / scale_of(row) for row in rows for end in (*bounds_of(row), row.difference)]
    left = max(MAX_AXIS[0], min(MIN_AXIS[0], *ends))
    right = min(MAX_AXIS[1], max(MIN_AXIS[1], *ends))
    space = SPACE * (right - left)
    return Span(left - space, right + space)


def scale_of(row: ForestRow) -> float:
    """Return the size of one axis unit in the unit of the metric, signed so that worse is on the left."""
    size = abs(row.margin) or max(abs(row.low), abs(row.high), abs(row.difference)) / 2 or 1.0
    return size if row.better is Direction.HIGHER else -size


def bounds_of(row: ForestRow) -> list[float]:
    """Return the ends of both intervals, in the unit of the metric."""
    ends = (row.low, row.high, row.simultaneous_low, row.simultaneous_high)
    return [end for end in ends if end is not None]


def describe_row(row: ForestRow) -> str:
    """Return the difference and what is allowed or required: ``−0.021   limit −0.010``."""
    decimals = decimals_for(row.low, row.high)
    word = "needs" if row.margin / scale_of(row) > 0 else "limit"
    change = format_number(row.difference, decimals, signed=True)
    return f"{change}   {word} {format_bound(row.margin, decimals, signed=True)}"


def draw_text_forest(chart: ChartData) -> str:
    """Return the rows as a code block: thick pointwise interval, thin decision bound, shaded forbidden range."""
    span = span_of(chart.forest)
    lines = [line for row in chart.forest for line in (_draw_label(row), _draw_bar(row, span))]
    return code_block("\n".join((*lines, _draw_scale(_column(0.0, span)))), lines=2 * len(chart.forest) + 1)


def _draw_scale(zero: int) -> str:
    """Return the line below the bars; a word that the zero leaves no room for is left out."""
    worse = "← worse" if zero > len("← worse") else ""
    better = "better →" if TEXT_WIDTH - zero - 1 > len("better →") else ""
    return f"{worse:<{zero}}0{better:>{TEXT_WIDTH - zero - 1}}".rstrip()


def _draw_label(row: ForestRow) -> str:
    right = describe_row(row)
    room = TEXT_WIDTH - len(right) - 1
    return f"{plain_name(row.label, room):<{room}} {right}"


def _draw_bar(row: ForestRow, span: Span) -> str:
    scale = scale_of(row)
    bar = [" "] * TEXT_WIDTH
    _fill(bar, [span.left, row.margin / scale], span, "░")
    _fill(bar, [end / scale for end in bounds_of(row)], span, "─")
    _fill(bar, [row.low / scale, row.high / scale], span, "━")
    zero = _column(0.0, span)
    bar[zero] = "│" if bar[zero] in " ░" else bar[zero]
    bar[_column(row.margin / scale, span)] = "┃"
    bar[_column(row.difference / scale, span)] = TEXT_MARKS.get(row.outcome, "◆")
    return "".join(bar).rstrip()


def _fill(bar: list[str], ends: list[float], span: Span, character: str) -> None:
    for column in range(_column(min(ends), span), _column(max(ends), span) + 1):
        bar[column] = character


def _column(value: float, span: Span) -> int:
    return round((span.clip(value) - span.left) / (span.right - span.left) * (TEXT_WIDTH - 1))
