"""The slices: worst first, the skipped ones with their reason, and how many there are."""

from collections.abc import Sequence

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import GateRow, MetricRow
from metricgate.report.escape import escape_sentence
from metricgate.report.formats.budget import Section
from metricgate.report.headline import gate_decimals
from metricgate.report.numbers import NONE, format_count, format_level
from metricgate.report.sections.gate_table import describe_change, sort_gates
from metricgate.report.sections.metric_table import describe_difference
from metricgate.report.tables import draw_table, fold, unbroken
from metricgate.report.value import Report
from metricgate.report.vocabulary import OUTCOME_SIGNS, name_metric, slice_cell

RANK = 3
UNJUDGED = frozenset({Outcome.SKIPPED, Outcome.ERROR})


def slice_section(report: Report) -> Section:
    """Return the folded section of all slices, gated or not."""
    gates = sort_gates(tuple(gate for gate in report.gates if gate.slice))
    judged = [gate for gate in gates if gate.outcome not in UNJUDGED]
    unjudged = [gate for gate in gates if gate.outcome in UNJUDGED]
    others = ungated_slices(report)
    metrics = {(row.set, row.name, row.slice): row for row in report.metrics}
    rows = [
        *(_draw_gate(gate, metrics.get((gate.set, gate.metric, gate.slice))) for gate in judged),
        *map(_draw_metric, others),
        *map(_draw_unjudged, unjudged),
    ]
    summary = f"Slices: {summarise_slices(gates, others)}"
    interval = f"Change<br>({format_level(report.confidence)} interval)"
    titles = [unbroken(title) for title in ("", "Slice and metric", interval, "Rows (positive)")]

    def draw(count: int) -> str:
        return fold(summary, draw_table(titles, rows[:count], "llrr")) if rows and count else ""

    return Section(name="rows of slices", rank=RANK, size=max(1, len(rows)), draw=draw)


def ungated_slices(report: Report) -> list[MetricRow]:
    """Return the metrics on slices that no gate judges, the largest loss first, in half widths of its interval."""
    gated = {(gate.set, gate.metric, gate.slice) for gate in report.gates if gate.slice}
    rows = (row for row in report.metrics if row.slice and (row.set, row.name, row.slice) not in gated)
    return sorted(rows, key=_gain_in_widths)


def _gain_in_widths(row: MetricRow) -> float:
    """Return how much better the candidate is, in half widths of the interval; 0 where there is none."""
    if row.difference is None or row.low is None or row.high is None or row.high <= row.low:
        return 0.0
    gain = row.difference if row.direction is Direction.HIGHER else -row.difference
    return gain / ((row.high - row.low) / 2)


def summarise_slices(gates: Sequence[GateRow], others: Sequence[MetricRow]) -> str:
    """Return how many slices were shown worse, of how many: ``none of 24 shown worse, 3 skipped``."""
    worse = {gate.slice for gate in gates if gate.outcome is Outcome.FAILED}
    judged = {gate.slice for gate in gates if gate.outcome not in UNJUDGED}
    unjudged = {gate.slice for gate in gates} - judged
    shown = {row.slice for row in others} - judged - unjudged
    count = format_count(len(worse)) if worse else "none"
    parts = [f"{count} of {format_count(len(judged))} shown worse"] if judged else []
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


def _draw_metric(row: MetricRow) -> tuple[str, ...]:
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
