"""The folded sections: all metrics, slices, what changed, how this was measured, earlier runs."""

from collections.abc import Sequence

from metricgate.models.result import Change, MetricRow
from metricgate.report.budget import Section
from metricgate.report.context import describe_source, link_revision
from metricgate.report.escape import code_block, code_span, escape_sentence
from metricgate.report.gate_table import draw_gates, sort_gates
from metricgate.report.labels import VERDICT_SIGNS, metric_cell
from metricgate.report.numbers import NONE, decimals_for, format_interval, format_number, plural
from metricgate.report.place import Place
from metricgate.report.tables import draw_table, fold
from metricgate.report.value import Report

KINDS = ("source", "parameter", "data", "stage", "package")


def detail_sections(report: Report, place: Place, *, quiet: bool) -> tuple[Section, ...]:
    """Return the folded sections in their order on the page; the higher the rank, the sooner one shrinks."""
    gates = [_gates(report)] if quiet and report.gates else []
    return (*gates, _changes(report), _metrics(report), _method(report, place), _history(place))


def _gates(report: Report) -> Section:
    ordered = sort_gates(report.gates)
    return Section(
        name="gates",
        rank=1,
        size=len(ordered),
        draw=lambda count: (
            fold(plural(len(ordered), "gate"), draw_gates(ordered[:count], report.confidence)) if count else ""
        ),
    )


def _changes(report: Report) -> Section:
    ordered = sorted(report.changes, key=lambda change: KINDS.index(change.kind))
    counts = [(kind, sum(change.kind == kind for change in ordered)) for kind in KINDS]
    words = ", ".join(plural(count, _noun(kind)) for kind, count in counts if count)

    def draw(count: int) -> str:
        rows = [_draw_change(change) for change in ordered[:count]]
        return (
            fold(f"What changed: {words}", draw_table(("What", "Name", "Baseline", "Candidate"), rows, "llll"))
            if rows
            else ""
        )

    return Section(name="changes", rank=4, size=max(1, len(ordered)), draw=draw)


def _noun(kind: str) -> str:
    return {"source": "source file", "data": "data file"}.get(kind, kind)


def _draw_change(change: Change) -> tuple[str, ...]:
    details = f"<br>{escape_sentence(change.details, 120)}" if change.details else ""
    return (change.kind, f"{code_span(change.name)}{details}", _value(change.before), _value(change.after))


def _value(text: str | None) -> str:
    return NONE if text is None else code_span(text)


def _metrics(report: Report) -> Section:
    rows = [row for row in report.metrics if row.slice is None]

    def draw(count: int) -> str:
        return (
            fold(f"All metrics: {len(rows):,}", draw_metrics(rows[:count], report.confidence)) if rows and count else ""
        )

    return Section(name="metrics", rank=6, size=max(1, len(rows)), draw=draw)


def draw_metrics(rows: Sequence[MetricRow], confidence: float) -> str:
    """Return a Markdown table of metrics."""
    header = ("Metric", f"Change ({confidence * 100:g} % interval)", "Baseline", "Candidate")
    return draw_table(header, [_draw_metric(row) for row in rows], "lrrr")


def _draw_metric(row: MetricRow) -> tuple[str, ...]:
    decimals = decimals_for(row.low, row.high, row.baseline, row.candidate)
    change = format_number(row.difference, decimals, signed=True)
    if row.low is not None:
        change += f" ({format_interval(row.low, row.high, decimals, signed=True)})".replace(" ", "&nbsp;")
    note = f"<br>{escape_sentence(row.note, 160)}" if row.note else ""
    return (
        f"{metric_cell(row)}{note}",
        change,
        format_number(row.baseline, decimals),
        format_number(row.candidate, decimals),
    )


def _method(report: Report, place: Place) -> Section:
    lines = [
        f"- {name}: {link_revision(info, place)}, {describe_source(info)}"
        for name, info in (("Baseline", report.baseline), ("Candidate", report.candidate))
        if info
    ]
    if report.power:
        lines.append(f"- {escape_sentence(report.power)}")
    local = f"Run it on your machine:\n\n{code_block(report.reproduce)}" if report.reproduce else ""
    drawn = fold("How this was measured, what it can catch, and how to run it on your machine", "\n".join(lines), local)
    return Section(name="how this was measured", rank=2, draw=lambda count: drawn if count and (lines or local) else "")


def _history(place: Place) -> Section:
    rows = [
        (f"`{run.revision[:7]}`", f"{VERDICT_SIGNS[run.verdict]} {escape_sentence(run.headline)}")
        for run in reversed(place.history)
    ]

    def draw(count: int) -> str:
        if not rows or not count:
            return ""
        return fold(
            f"Earlier runs in this pull request: {len(rows)}", draw_table(("Commit", "Verdict"), rows[:count], "ll")
        )

    return Section(name="earlier runs", rank=5, size=max(1, len(rows)), draw=draw)
