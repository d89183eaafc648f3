"""The tables of report.html: sortable, with each change drawn beside its numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import ForestRow, GateRow, MetricRow
from metricgate.report.document import unbroken
from metricgate.report.figures.forest import bounds_of, forest_row, scale_of, span_of
from metricgate.report.formats.html_element import Html, element, join
from metricgate.report.formats.interval_bar import Bar, BarScale, draw_bar, draw_legend, symmetric_scale
from metricgate.report.gate_order import TELLING, gate_decimals, sort_gates
from metricgate.report.number_format import NONE, decimals_for, format_interval, format_level, format_number
from metricgate.report.sections.gate_table import explain_outcome, title_change
from metricgate.report.sections.metric_tables import (
    SORTED_ABOVE,
    format_difference,
    order_metrics,
    summarise_metrics,
    summarise_slices,
    ungated_slices,
)
from metricgate.report.value import Report
from metricgate.report.vocabulary import (
    OUTCOME_ORDER,
    OUTCOME_WORDS,
    describe_rule,
    has_no_numbers,
    is_relative,
    name_metric,
    plain_metric,
    plain_slice,
    slice_cell,
)

Render = Callable[[str], Html]  # Markdown inside a line, as HTML
LEGEND = (Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE)


@dataclass(frozen=True)
class Cell:
    """A cell of a sortable table; ``key`` is what it is sorted by."""

    content: str
    key: float | str | None = None
    kind: str = ""


def draw_sortable(titles: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str) -> Html:
    """Return a table whose headings sort it, and whose rows become cards on a phone."""
    head = element("tr", *(_draw_heading(title) for title in titles))
    body = [element("tr", *(_draw_cell(cell, title) for cell, title in zip(row, titles, strict=True))) for row in rows]
    return element("table", element("thead", head), element("tbody", *body), class_=f"sortable {kind}")


def _draw_heading(title: str) -> Html:
    return element("th", element("button", title, type="button") if title else Html(""), scope="col")


def _draw_cell(cell: Cell, title: str) -> Html:
    key = None if cell.key is None else str(cell.key)
    return element("td", cell.content, class_=cell.kind or None, data_key=key, data_title=title)


def gate_table(report: Report, render: Render) -> Html:
    """Return the gates over all rows and the slices that need attention, with the legend of their drawing."""
    gates = sort_gates([gate for gate in report.gates if gate.slice is None or gate.outcome in TELLING])
    return _draw_gates(gates, report, render) if gates else Html("")


def _draw_gates(gates: Sequence[GateRow], report: Report, render: Render) -> Html:
    drawable = [forest_row(gate) for gate in gates if _is_drawable(gate)]
    scale = _gate_scale(drawable)
    titles = ["Outcome", "Metric and rule", *(["Worse ← → better"] if scale else [])]
    titles += [title_change(gates, report.confidence), "Baseline → candidate"]
    table = draw_sortable(titles, [_gate_row(gate, scale, render) for gate in gates], "gates")
    legend = _draw_gate_legend(gates, report.confidence) if scale else Html("")
    return join((table, legend))


def _gate_scale(rows: Sequence[ForestRow]) -> BarScale | None:
    """Return the axis of the gates, on which -1 is where each rule just holds; None without a row to draw."""
    if not rows:
        return None
    span = span_of(rows)
    return BarScale(left=span.left, right=span.right)


def _is_drawable(gate: GateRow) -> bool:
    return is_relative(gate) and gate.difference is not None


def _draw_gate_legend(gates: Sequence[GateRow], confidence: float) -> Html:
    shown = [outcome for outcome in LEGEND if any(gate.outcome is outcome for gate in gates)]
    wide = any(gate.simultaneous_low is not None or gate.simultaneous_high is not None for gate in gates)
    measured = any(_is_drawable(gate) and gate.low is not None for gate in gates)
    words = [OUTCOME_WORDS[outcome] for outcome in shown]
    return draw_legend(shown, words, wide=wide, level=format_level(confidence) if measured else "")


def _gate_row(gate: GateRow, scale: BarScale | None, render: Render) -> list[Cell]:
    decimals = gate_decimals(gate)
    where = f" {slice_cell(gate.slice)}" if gate.slice else ""
    rule = render(unbroken(describe_rule(gate, decimals)) + explain_outcome(gate))
    name = join((element("strong", render(name_metric(gate) + where)), Html("<br>"), element("small", rule)))
    drawing = [Cell(_draw_gate_bar(gate, scale), kind="drawing")] if scale else []
    return [
        _outcome_cell(gate.outcome),
        Cell(name, plain_metric(gate), "name"),
        *drawing,
        _change_cell(gate.difference, _gate_interval(gate, decimals), decimals),
        _values_cell(gate, decimals),
    ]


def _outcome_cell(outcome: Outcome) -> Cell:
    pill = element("span", OUTCOME_WORDS[outcome], class_=f"pill {outcome.value}")
    return Cell(pill, OUTCOME_ORDER.index(outcome), "outcome")


def _gate_interval(gate: GateRow, decimals: int) -> str:
    return format_interval(gate.low, gate.high, decimals, signed=True) if is_relative(gate) else ""


def _change_cell(difference: float | None, interval: str, decimals: int) -> Cell:
    change = element("strong", format_number(difference, decimals, signed=True))
    below = join((Html("<br>"), element("small", unbroken(interval)))) if interval else Html("")
    return Cell(join((change, below)), difference, "number")


def _values_cell(row: GateRow | MetricRow, decimals: int) -> Cell:
    if has_no_numbers(row):
        return Cell(NONE, kind="number")
    values = unbroken(f"{format_number(row.baseline, decimals)} → {format_number(row.candidate, decimals)}")
    interval = format_interval(row.candidate_low, row.candidate_high, decimals)
    below = join((Html("<br>"), element("small", unbroken(interval)))) if interval else Html("")
    return Cell(join((values, below)), row.candidate, "number")


def _draw_gate_bar(gate: GateRow, scale: BarScale | None) -> str:
    if scale is None or not _is_drawable(gate):
        return ""
    row = forest_row(gate)
    unit = scale_of(row)
    ends = (gate.low, gate.high)
    bar = Bar(
        value=row.difference / unit,
        ends=(row.low / unit, row.high / unit) if None not in ends else None,
        wide=_widest([end / unit for end in bounds_of(row)]) if None not in ends else None,
        margin=row.margin / unit,
        outcome=gate.outcome,
    )
    return draw_bar(bar, scale, f"{plain_metric(gate)}: {OUTCOME_WORDS[gate.outcome]}")


def _widest(ends: Sequence[float]) -> tuple[float, float]:
    return min(ends), max(ends)


def slice_table(report: Report, render: Render) -> Html:
    """Return all slices: those with a gate first, what needs attention before what passed, then the largest loss."""
    gates = sort_gates([gate for gate in report.gates if gate.slice])
    others = ungated_slices(report)
    if not gates and not others:
        return Html("")
    metrics = {(row.set, row.name, row.slice): row for row in report.metrics}
    scales = _scale_by_metric([*gates, *others])
    rows = [
        *(_slice_row(gate, metrics.get((gate.set, gate.metric, gate.slice)), scales, render) for gate in gates),
        *(_slice_row(row, row, scales, render) for row in others),
    ]
    titles = (
        "Outcome",
        "Slice",
        "Metric",
        "Worse ← → better",
        title_change([*gates, *others], report.confidence),
        "Baseline → candidate",
        "Rows (positive)",
    )
    order = (
        "Slices with a gate come first, and of each kind the largest loss for its interval; click a heading to sort."
    )
    summary = element("summary", f"Slices: {summarise_slices(gates, others)}")
    table = draw_sortable(titles, rows, "slices")
    body = join((element("p", order, class_="order"), element("div", table, class_="wide-table")))
    return element("details", summary, body, open=bool(gates))


def _scale_by_metric(rows: Sequence[GateRow | MetricRow]) -> dict[str, BarScale]:
    ends: dict[str, list[float]] = {}
    for row in rows:
        known = [value for value in (row.low, row.high, row.difference) if value is not None]
        ends.setdefault(name_metric(row), []).extend(known)
    return {name: symmetric_scale(values) for name, values in ends.items()}


def _slice_row(
    row: GateRow | MetricRow, metric: MetricRow | None, scales: dict[str, BarScale], render: Render
) -> list[Cell]:
    if isinstance(row, GateRow):
        outcome, decimals = _outcome_cell(row.outcome), gate_decimals(row)
        note: str = render(explain_outcome(row).removeprefix("<br>"))
    else:
        outcome, decimals = Cell("", len(OUTCOME_ORDER), "outcome"), _decimals_of(row)
        note = row.note
    said = join((Html("<br>"), element("small", note))) if note else Html("")
    where = join((element("strong", plain_slice(row.slice)) if row.slice else "", said))
    positives = f" ({metric.positives:,})" if metric and metric.positives is not None else ""
    return [
        outcome,
        Cell(where, plain_slice(row.slice) if row.slice else "", "name"),
        Cell(render(name_metric(row)), name_metric(row), "metric"),
        Cell(_draw_change_bar(row, scales[name_metric(row)]), kind="drawing"),
        _change_cell(row.difference, format_interval(row.low, row.high, decimals, signed=True), decimals),
        _values_cell(row, decimals),
        Cell(f"{row.rows:,}{positives}" if row.rows is not None else NONE, row.rows, "number"),
    ]


def _draw_change_bar(row: GateRow | MetricRow, scale: BarScale, share_of: float = 1.0) -> str:
    """Return the change of one row, in units of ``share_of``."""
    if row.difference is None:
        return ""
    unit = -share_of if row.direction is Direction.LOWER else share_of
    ends = None if row.low is None or row.high is None or row.low == row.high else (row.low / unit, row.high / unit)
    outcome = row.outcome if isinstance(row, GateRow) else None
    bar = Bar(value=row.difference / unit, ends=ends, outcome=outcome)
    return draw_bar(bar, scale, f"{plain_metric(row)}: {row.difference:+.4g}")


def metric_table(report: Report, render: Render) -> Html:
    """Return all metrics over all rows, each change drawn as a share of the baseline."""
    rows = order_metrics(report)
    if not rows:
        return Html("")
    scale = symmetric_scale(
        value / _size(row) for row in rows for value in (row.low, row.high, row.difference) if value is not None
    )
    titles = (
        "Metric",
        f"−{scale.right:.1%} … +{scale.right:.1%}",
        title_change(rows, report.confidence),
        "Baseline → candidate",
    )
    table = draw_sortable(titles, [_metric_row(row, scale, render) for row in rows], "metrics")
    first = "The largest changes come first. " if len(rows) > SORTED_ABOVE else ""
    order = (
        f"{first}The drawing shows each change as a share of the baseline, better on the right where the direction is "
        "known; click a heading to sort."
    )
    summary = element("summary", f"All metrics: {summarise_metrics(rows)}")
    body = join((element("p", order, class_="order"), element("div", table, class_="wide-table")))
    return element("details", summary, body, open=not report.gates)


def _decimals_of(row: MetricRow) -> int:
    return decimals_for(row.low, row.high, row.baseline, row.candidate)


def _size(row: MetricRow) -> float:
    return abs(row.baseline or 0.0) or abs(row.candidate or 0.0) or 1.0


def _metric_row(row: MetricRow, scale: BarScale, render: Render) -> list[Cell]:
    decimals = _decimals_of(row)
    note = join((Html("<br>"), element("small", row.note))) if row.note else Html("")
    return [
        Cell(join((render(name_metric(row)), note)), plain_metric(row), "name"),
        Cell(_draw_change_bar(row, scale, _size(row)), kind="drawing"),
        _change_cell(row.difference, format_difference(row)[1], decimals),
        _values_cell(row, decimals),
    ]
