"""The axis that every gate of the forest plot shares: 0 is no change, -1 is the margin, worse is left."""

from collections.abc import Sequence
from typing import NamedTuple

from metricgate.models.outcome import Direction
from metricgate.models.result import ForestRow
from metricgate.report.numbers import decimals_for, format_bound, format_number

LEAST = (-1.6, 1.0)  # so that the margin and a gain of its size are always seen
MOST = (-6.0, 6.0)  # what lies further out is an arrow
SPACE = 0.06  # of the span, on either side


class Span(NamedTuple):
    """Where the axis begins and ends, in margins."""

    left: float
    right: float

    def clip(self, value: float) -> float:
        return min(self.right, max(self.left, value))


def span_of(rows: Sequence[ForestRow]) -> Span:
    """Return an axis that holds every interval, unless one reaches beyond six margins."""
    ends = [end / scale_of(row) for row in rows for end in (*bounds_of(row), row.difference)]
    left = max(MOST[0], min(LEAST[0], *ends))
    right = min(MOST[1], max(LEAST[1], *ends))
    space = SPACE * (right - left)
    return Span(left - space, right + space)


def scale_of(row: ForestRow) -> float:
    """Return what one unit of the axis is in the unit of the metric, signed so that worse is left."""
    size = abs(row.margin) or max(abs(row.low), abs(row.high), abs(row.difference)) / 2 or 1.0
    return size if row.better is Direction.HIGHER else -size


def bounds_of(row: ForestRow) -> list[float]:
    """Return the ends of both intervals, in the unit of the metric."""
    ends = (row.low, row.high, row.simultaneous_low, row.simultaneous_high)
    return [end for end in ends if end is not None]


def describe_row(row: ForestRow) -> str:
    """Return the difference and what is allowed or asked: ``−0.021   limit −0.010``."""
    decimals = decimals_for(row.low, row.high)
    asked = "asked" if row.margin / scale_of(row) > 0 else "limit"
    change = format_number(row.difference, decimals, signed=True)
    return f"{change}   {asked} {format_bound(row.margin, decimals, signed=True)}"
