"""The gates as one short table: outcome, metric and rule, the difference, both values."""

from collections.abc import Iterable

from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.models.result import GateRow, MetricRow
from metricgate.report.document import DocumentPart, draw_table, fold, unbroken
from metricgate.report.escape import escape_prose
from metricgate.report.gate_order import TELLING, gate_decimals, required_value, sort_gates
from metricgate.report.number_format import NONE, format_about, format_interval, format_level, format_number, plural
from metricgate.report.value import Report
from metricgate.report.vocabulary import (
    OUTCOME_SIGNS,
    OUTCOME_WORDS,
    describe_rule,
    has_no_numbers,
    is_relative,
    name_metric,
    slice_cell,
)

RANK = 1
FOLD_PASSED_ABOVE = 6
TINY = 0.01  # a percentage of a smaller baseline is questioned
EXPLAINED = frozenset({Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.ERROR})


def draw_gates(gates: list[GateRow], confidence: float, values: str = "Baseline → candidate") -> str:
    """Return a Markdown table of ``gates`` in the order given; a phone shows its first three columns at once."""
    header = ("", "Metric and rule", title_change(gates, confidence, "<br>"), values)
    return draw_table([unbroken(title) for title in header], [_draw_row(gate) for gate in gates], "llrr")


def title_change(rows: Iterable[GateRow | MetricRow], confidence: float, space: str = " ") -> str:
    """Return the heading of the column of changes; it names the interval only where a row has one."""
    measured = any(row.low is not None or row.high is not None for row in rows)
    return f"Change{space}({format_level(confidence)} interval)" if measured else "Change"


def _draw_row(gate: GateRow) -> tuple[str, ...]:
    decimals = gate_decimals(gate)
    where = f"<br>{slice_cell(gate.slice)}" if gate.slice else ""
    return (
        OUTCOME_SIGNS[gate.outcome],
        f"**{name_metric(gate)}**{where}<br>{unbroken(describe_rule(gate, decimals))}{explain_outcome(gate)}",
        describe_change(gate, decimals),
        _draw_values(gate, decimals),
    )


def explain_outcome(gate: GateRow) -> str:
    """Return what a reader may ask about a row: why its outcome is not simply yes or no, and if its margin is meant."""
    return (
        _explain_outcome(gate)
        + question_margin(gate)
        + "".join(f"<br>{escape_prose(note, 160)}" for note in gate.notes)
    )


def _explain_outcome(gate: GateRow) -> str:
    """Return why an outcome is not simply yes or no: how many rows it needs, its reason, or that a guardrail passed."""
    if has_no_numbers(gate):
        return f"<br>{escape_prose(gate.reason, 200)}"
    if gate.outcome is Outcome.PASSED and gate.role is Role.GUARDRAIL and not _is_shown_kept(gate):
        return "<br>guardrail: no loss beyond it was shown"
    if gate.reason_code == "worse_probably_beyond":
        return f"<br>{escape_prose(gate.reason, 200)}"
    if gate.outcome not in EXPLAINED:
        return ""
    word = unbroken(OUTCOME_WORDS[gate.outcome])
    if gate.outcome is Outcome.INCONCLUSIVE and gate.rows_needed:
        return f"<br>{word}: needs about {unbroken(f'{format_about(gate.rows_needed)} {gate.unit}s')}"
    return f"<br>{word}: {escape_prose(gate.reason, 200)}" if gate.reason else f"<br>{word}"


def question_margin(gate: GateRow) -> str:
    """Return a remark on a percentage of a tiny baseline, which allows nearly nothing; empty elsewhere."""
    if not gate.share or gate.baseline is None or abs(gate.baseline) >= TINY or gate.outcome is Outcome.PASSED:
        return ""
    share = unbroken(f"{gate.share * 100:g} %")
    return f"<br>{share} of so small a baseline is nearly nothing; `{gate.kind}: {TINY}` would be an absolute margin"


def _is_shown_kept(gate: GateRow) -> bool:
    """Return whether the whole interval keeps the rule, as a required gate would have to show."""
    if not is_relative(gate) or gate.low is None or gate.high is None:
        return not is_relative(gate)
    required = required_value(gate)
    return gate.low >= required if gate.direction is Direction.HIGHER else gate.high <= required


def describe_change(gate: GateRow, decimals: int) -> str:
    """Return the difference, and below it the interval that the rule uses."""
    if gate.difference is None:
        return NONE
    change = f"**{format_number(gate.difference, decimals, signed=True)}**"
    interval = format_interval(gate.low, gate.high, decimals, signed=True)
    if not is_relative(gate) or not interval:
        return change
    return f"{change}<br>{unbroken(interval)}"


def _draw_values(gate: GateRow, decimals: int) -> str:
    if has_no_numbers(gate):
        return NONE
    values = unbroken(f"{format_number(gate.baseline, decimals)} → {format_number(gate.candidate, decimals)}")
    interval = format_interval(gate.low, gate.high, decimals)
    if is_relative(gate) or not interval:
        return values
    return f"{values}<br>{unbroken(interval)}"


def gate_section(report: Report) -> DocumentPart:
    """Return the gates over all rows and the slices that need attention; the other slices are under "Slices"."""
    ordered = sort_gates([gate for gate in report.gates if gate.slice is None or gate.outcome in TELLING])
    passed = [gate for gate in ordered if gate.outcome is Outcome.PASSED]
    folded = passed if len(ordered) > FOLD_PASSED_ABOVE and len(passed) < len(ordered) else []
    first = ordered[: len(ordered) - len(folded)]

    def draw(count: int) -> str:
        shown, rest = first[:count], folded[: max(0, count - len(first))]
        tables = [draw_gates(shown, report.confidence)] if shown else []
        if rest:
            tables.append(fold(f"{plural(len(folded), 'gate')} passed", draw_gates(rest, report.confidence)))
        return "\n\n".join(tables)

    return DocumentPart(name="gates", rank=RANK, size=max(1, len(ordered)), draw=draw)


def folded_gate_section(report: Report) -> DocumentPart:
    """Return all gates in one fold, for a report in which nothing changed."""
    ordered = sort_gates(report.gates)
    summary = plural(len(ordered), "gate")

    def draw(count: int) -> str:
        return fold(summary, draw_gates(ordered[:count], report.confidence)) if count else ""

    return DocumentPart(name="gates", rank=RANK, size=len(ordered), draw=draw)
