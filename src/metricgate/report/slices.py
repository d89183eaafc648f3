"""The slices: worst first, the skipped ones with their reason, and how many there are."""

from collections.abc import Sequence

from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow, MetricRow
from metricgate.report.budget import Section
from metricgate.report.escape import code_span, escape_sentence
from metricgate.report.gate_table import describe_change, sort_gates
from metricgate.report.headline import gate_decimals
from metricgate.report.labels import OUTCOME_SIGNS, name_metric
from metricgate.report.numbers import NONE, decimals_for, format_count, format_interval, format_level, format_number
from metricgate.report.tables import draw_table, fold, unbroken
from metricgate.report.value import Report

RANK = 3
UNJUDGED = frozenset({Outcome.SKIPPED, Outcome.ERROR})


def slice_section(report: Report) -> Section:
    """Return the folded section of all slices, gated or not."""
    gates = sort_gates(tuple(gate for gate in report.gates if gate.slice))
    judged = [gate for gate in gates if gate.outcome not in UNJUDGED]
    unjudged = [gate for gate in gates if gate.outcome in UNJUDGED]
    gated = {(gate.set, gate.metric, gate.slice) for gate in gates}
    others = [row for row in report.metrics if row.slice and (row.set, row.name, row.slice) not in gated]
    metrics = {(row.set, row.name, row.slice): row for row in report.metrics}
    rows = [
        *(_draw_gate(gate, metrics.get((gate.set, gate.metric, gate.slice))) for gate in judged),
        *map(_draw_metric, others),
        *(_draw_unjudged(gate) for gate in unjudged),
    ]
    summary = f"Slices: {summarise_slices(gates, others)}"
    header = ("", "Slice", "Metric", f"Change ({format_level(report.confidence)} interval)", "Rows (positive)")
    titles = [unbroken(title) for title in header]

    def draw(count: int) -> str:
        return fold(summary, draw_table(titles, rows[:count], "lllrr")) if rows and count else ""

    return Section(name="rows of slices", rank=RANK, size=max(1, len(rows)), draw=draw)


def summarise_slices(gates: Sequence[GateRow], others: Sequence[MetricRow]) -> str:
    """Return how many slices were shown worse, of how many: ``none of 24 shown worse, 3 skipped``."""
    worse = {gate.slice for gate in gates if gate.outcome is Outcome.FAILED}
    judged = {gate.slice for gate in gates if gate.outcome not in UNJUDGED}
    unjudged = {gate.slice for gate in gates} - judged
    shown = {row.slice for row in others} - judged - unjudged
    parts = (
        [f"{format_count(len(worse)) if worse else 'none'} of {format_count(len(judged))} shown worse"]
        if judged
        else []
    )
    if unjudged:
        parts.append(f"{format_count(len(unjudged))} skipped")
    if shown:
        parts.append(f"{format_count(len(shown))} without a gate")
    return ", ".join(parts)


def _draw_gate(gate: GateRow, metric: MetricRow | None) -> tuple[str, ...]:
    return (
        OUTCOME_SIGNS[gate.outcome],
        _name_slice(gate),
        name_metric(gate),
        describe_change(gate, gate_decimals(gate)),
        _count_rows(gate.rows, metric.positives if metric else None),
    )


def _draw_metric(row: MetricRow) -> tuple[str, ...]:
    decimals = decimals_for(row.low, row.high, row.baseline, row.candidate)
    change = format_number(row.difference, decimals, signed=True)
    interval = f"<br>{format_interval(row.low, row.high, decimals, signed=True)}" if row.low is not None else ""
    return ("", _name_slice(row), name_metric(row), unbroken(change + interval), _count_rows(row.rows, row.positives))


def _draw_unjudged(gate: GateRow) -> tuple[str, ...]:
    reason = escape_sentence(gate.reason, 160)
    return (
        OUTCOME_SIGNS[gate.outcome],
        _name_slice(gate),
        f"{name_metric(gate)}<br>{reason}",
        NONE,
        _count_rows(gate.rows, None),
    )


def _name_slice(row: GateRow | MetricRow) -> str:
    return code_span(f"{row.slice.column} = {row.slice.value}") if row.slice else ""


def _count_rows(rows: int | None, positives: int | None) -> str:
    if rows is None:
        return NONE
    return unbroken(format_count(rows) + (f" ({format_count(positives)})" if positives is not None else ""))
