"""The axis that every gate of the forest plot shares: 0 is no change, -1 is the margin, worse is left."""

from metricgate.models.outcome import Direction
from metricgate.models.result import ForestRow
from metricgate.report.numbers import decimals_for, format_bound, format_number

REACH = 3.0  # the axis ends at three margins to either side


def scale_of(row: ForestRow) -> float:
    """Return what one unit of the axis is in the unit of the metric, signed so that worse is left."""
    size = abs(row.margin) or max(abs(row.low), abs(row.high), abs(row.difference)) / 2 or 1.0
    return size if row.better is Direction.HIGHER else -size


def describe_row(row: ForestRow) -> str:
    """Return the difference and what is allowed or asked: ``−0.021   limit −0.010``."""
    decimals = decimals_for(row.low, row.high)
    asked = "asked" if row.margin / scale_of(row) > 0 else "limit"
    change = format_number(row.difference, decimals, signed=True)
    return f"{change}   {asked} {format_bound(row.margin, decimals, signed=True)}"
