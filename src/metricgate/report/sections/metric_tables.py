"""The metrics as tables: all of them over all rows, and the slices, worst first."""

from collections.abc import Sequence

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow, MetricRow
from metricgate.report.document import DocumentPart, draw_table, fold, unbroken
from metricgate.report.escape import escape_sentence
from metricgate.report.gate_order import gate_decimals, sort_gates
from metricgate.report.number_format import (
    NONE,
    decimals_for,
    format_count,
    format_interval,
    format_number,
)
from metricgate.report.sections.gate_table import describe_change, title_change
from metricgate.report.value import Report
from metricgate.report.vocabulary import OUTCOME_SIGNS, metric_cell, name_metric, slice_cell

METRICS_RANK = 6
SLICES_RANK = 3
SORTED_ABOVE = 30
UNJUDGED = frozenset({Outcome.SKIPPED, Outcome.ERROR})


def metric_section(report: Report) -> DocumentPart:
    """Return the folded table of all metrics."""
    rows = order_metrics(report)
    summary = f"All metrics: {summarise_metrics(rows)}"

    def draw(count: int) -> str:
        return fold(summary, draw_metrics(rows[:count], report.confidence)) if rows and count else ""

    return DocumentPart(name="metrics", rank=METRICS_RANK, size=max(1, len(rows)), draw=draw)


def order_metrics(report: Report) -> list[MetricRow]:
    """Return the metrics over all rows; if there are many, those with the largest changes first."""
    rows = [row for row in report.metrics if row.slice is None]
    return sorted(rows, key=_relative_change, reverse=True) if len(rows) > SORTED_ABOVE else rows


def summarise_metrics(rows: Sequence[MetricRow]) -> str:
    """Return how many metrics there are, and how many of them did not change."""
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
    header = ("Metric", title_change(rows, confidence), "Baseline → candidate")
    return draw_table([unbroken(title) for title in header], [_draw_metric(row) for row in rows], "lrr")


def _draw_metric(row: MetricRow) -> tuple[str, ...]:
    decimals = decimals_for(row.low, row.high, row.baseline, row.candidate)
    note = f"<br>{escape_sentence(row.note, 160)}" if row.note else ""
    values = f"{format_number(row.baseline, decimals)} → {format_number(row.candidate, decimals)}"
    return (f"{metric_cell(row)}{note}", describe_difference(row), unbroken(values))


def describe_difference(row: MetricRow) -> str:
    """Return the difference, and below it its interval if that has a width."""
    return unbroken("<br>".join(part for part in format_difference(row) if part))


def format_difference(row: MetricRow) -> tuple[str, str]:
    """Return the difference and its interval, which is empty if it has no width around a change."""
    decimals = decimals_for(row.low, row.high, row.baseline, row.candidate)
    change = format_number(row.difference, decimals, signed=True)
    interval = format_interval(row.low, row.high, decimals, signed=True)
    return change, "" if row.low == row.high and row.difference else interval


def slice_section(report: Report) -> DocumentPart:
    """Return the folded section of all slices, gated or not."""
    gates = sort_gates(tuple(gate for gate in report.gates if gate.slice))
    judged = [gate for gate in gates if gate.outcome not in UNJUDGED]
    unjudged = [gate for gate in gates if gate.outcome in UNJUDGED]
    others = ungated_slices(report)
    metrics = {(row.set, row.name, row.slice): row for row in report.metrics}
    rows = [
        *(_draw_gate(gate, metrics.get((gate.set, gate.metric, gate.slice))) for gate in judged),
        *map(_draw_ungated, others),
        *map(_draw_unjudged, unjudged),
    ]
    summary = f"Slices: {summarise_slices(gates, others)}"
    interval = title_change([*gates, *others], report.confidence, "<br>")
    titles = [unbroken(title) for title in ("", "Slice and metric", interval, "Rows (positive)")]

    def draw(count: int) -> str:
        return fold(summary, draw_table(titles, rows[:count], "llrr")) if rows and count else ""

    return DocumentPart(name="rows of slices", rank=SLICES_RANK, size=max(1, len(rows)), draw=draw)


def ungated_slices(report: Report) -> list[MetricRow]:
    """Return the metrics on slices that no gate judges, the largest loss in half widths of its interval first."""
    gated = {(gate.set, gate.metric, gate.slice) for gate in report.gates if gate.slice}
    rows = (row for row in report.metrics if row.slice and (row.set, row.name, row.slice) not in gated)
    return sorted(rows, key=_gain_in_widths)


def _gain_in_widths(row: MetricRow) -> float:
    """Return how much better the candidate is, in half widths of the interval; 0 if there is none."""
    if row.difference is None or row.low is None or row.high is None or row.high <= row.low:
        return 0.0
    gain = row.difference if row.direction is Direction.HIGHER else -row.difference
    return gain / ((row.high - row.low) / 2)


def summarise_slices(gates: Sequence[GateRow], others: Sequence[MetricRow]) -> str:
    """Return on how many slices a gate failed, of how many: ``no gate failed on 24, 3 skipped``."""
    worse = {gate.slice for gate in gates if gate.outcome is Outcome.FAILED}
    judged = {gate.slice for gate in gates if gate.outcome not in UNJUDGED}
    unjudged = {gate.slice for gate in gates} - judged
    shown = {row.slice for row in others} - judged - unjudged
    of = format_count(len(judged))
    found = f"a gate failed on {format_count(len(worse))} of {of}" if worse else f"no gate failed on {of}"
    parts = [found] if judged else []
    if unjudged:
        parts.append(f"{format_count(len(unjudged))} skipped")
    if shown:
        parts.append(f"{format_count(len(shown))} without a gate")
    return ", ".join(parts)


def _draw_gate(gate: GateRow, metric: MetricRow | None) -> tuple[str, ...]:
    return (
        OUTCOME_SIGNS[gate.outcome],
        _name(gate),
        describe_change(gate, gate_decimals(gate)),
        _count_rows(gate.rows, metric.positives if metric else None),
    )


def _draw_ungated(row: MetricRow) -> tuple[str, ...]:
    note = f"<br>{escape_sentence(row.note, 160)}" if row.note else ""
    return ("", f"{_name(row)}{note}", describe_difference(row), _count_rows(row.rows, row.positives))


def _draw_unjudged(gate: GateRow) -> tuple[str, ...]:
    reason = escape_sentence(gate.reason, 160)
    return (OUTCOME_SIGNS[gate.outcome], f"{_name(gate)}<br>{reason}", NONE, _count_rows(gate.rows, None))


def _name(row: GateRow | MetricRow) -> str:
    return f"{slice_cell(row.slice)}<br>{name_metric(row)}" if row.slice else name_metric(row)


def _count_rows(rows: int | None, positives: int | None) -> str:
    if rows is None:
        return NONE
    return unbroken(format_count(rows) + (f" ({format_count(positives)})" if positives is not None else ""))
