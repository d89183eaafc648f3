"""All metrics over all rows, with their differences and intervals."""

from collections.abc import Sequence

from metricgate.models.result import MetricRow
from metricgate.report.escape import escape_sentence
from metricgate.report.formats.budget import Section
from metricgate.report.numbers import decimals_for, format_count, format_interval, format_level, format_number
from metricgate.report.tables import draw_table, fold, unbroken
from metricgate.report.value import Report
from metricgate.report.vocabulary import metric_cell

RANK = 6
SORTED_ABOVE = 30


def metric_section(report: Report) -> Section:
    """Return the folded table; where there are many metrics, what changed most comes first."""
    rows = [row for row in report.metrics if row.slice is None]
    if len(rows) > SORTED_ABOVE:
        rows.sort(key=_relative_change, reverse=True)
    summary = f"All metrics: {_summarise(rows)}"

    def draw(count: int) -> str:
        return fold(summary, draw_metrics(rows[:count], report.confidence)) if rows and count else ""

    return Section(name="metrics", rank=RANK, size=max(1, len(rows)), draw=draw)


def _summarise(rows: Sequence[MetricRow]) -> str:
    same = sum(row.difference == 0 for row in rows)
    if same == len(rows):
        return f"{format_count(same)}, unchanged"
    return f"{format_count(len(rows))}, {format_count(same)} of them unchanged" if same else format_count(len(rows))


def _relative_change(row: MetricRow) -> float:
    if row.difference is None:
        return 0.0
    return abs(row.difference) / (abs(row.baseline or 0.0) or abs(row.candidate or 0.0) or 1.0)


def draw_metrics(rows: Sequence[MetricRow], confidence: float) -> str:
    """Return a Markdown table of metrics."""
    header = ("Metric", f"Change ({format_level(confidence)} interval)", "Baseline → candidate")
    return draw_table([unbroken(title) for title in header], [_draw_metric(row) for row in rows], "lrr")


def _draw_metric(row: MetricRow) -> tuple[str, ...]:
    decimals = decimals_for(row.low, row.high, row.baseline, row.candidate)
    note = f"<br>{escape_sentence(row.note, 160)}" if row.note else ""
    values = f"{format_number(row.baseline, decimals)} → {format_number(row.candidate, decimals)}"
    return (f"{metric_cell(row)}{note}", describe_difference(row), unbroken(values))


def describe_difference(row: MetricRow) -> str:
    """Return the difference, and below it its interval where there is one of some width."""
    decimals = decimals_for(row.low, row.high, row.baseline, row.candidate)
    change = format_number(row.difference, decimals, signed=True)
    interval = format_interval(row.low, row.high, decimals, signed=True)
    if not interval or (row.low == row.high and row.difference):
        return unbroken(change)
    return unbroken(f"{change}<br>{interval}")
