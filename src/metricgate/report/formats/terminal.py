"""The report for a terminal: the gates as a table, then what to do next."""

from metricgate.errors import PREDICTIONS_HELP, find_help
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.report.escape import clean, clean_line, plain_name
from metricgate.report.gate_order import gate_decimals, sort_gates
from metricgate.report.headline import headline
from metricgate.report.number_format import format_count, format_interval, format_number, plural
from metricgate.report.sections.context_line import describe_reuse
from metricgate.report.sections.next_step import MISSING, ONE_FILE_MORE, lacks_predictions
from metricgate.report.value import Report
from metricgate.report.vocabulary import OUTCOME_WORDS, describe_rule, is_relative, plain_metric, short_metric

_COLOURS = {
    Outcome.PASSED: "32",
    Outcome.FAILED: "31",
    Outcome.INCONCLUSIVE: "33",
    Outcome.SKIPPED: "2",
    Outcome.ERROR: "31",
}
_VERDICT_COLOURS = {Verdict.PASSED: "32", Verdict.FAILED: "31", Verdict.INCONCLUSIVE: "33", Verdict.ERROR: "31"}
_HEADER = ("", "metric", "change", "interval", "baseline", "candidate", "rule")
_DISPENSABLE = ("baseline", "candidate", "interval")  # what a narrow terminal loses first


def render_terminal(report: Report, *, color: bool, width: int) -> str:
    """Return lines of at most ``width`` columns if names are short enough, with ANSI colours if ``color``."""
    blocks = [
        _paint(
            f"{report.verdict.value.upper()}  {headline(report)}",
            _VERDICT_COLOURS.get(report.verdict, ""),
            on=color,
        ),
        "\n".join(filter(None, (_describe_rows(report), clean(describe_reuse(report))))),
        "\n".join(f"warning: {clean(warning.text)}" for warning in report.warnings),
        _describe_failure(report),
        _draw_table(sort_gates(report.gates), width, color=color),
        "\n".join(dict.fromkeys(_explain(gate) for gate in report.gates if _needs_reason(gate))),
        "\n".join(f"next: {clean(hint)}" for hint in report.hints),
        _draw_missing_policy(report),
        f"{ONE_FILE_MORE} Ten lines write it: {PREDICTIONS_HELP}" if lacks_predictions(report) else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _needs_reason(gate: GateRow) -> bool:
    return gate.outcome in {Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.ERROR} and bool(gate.reason)


def _explain(gate: GateRow) -> str:
    text = f"{plain_metric(gate)}: {clean(gate.reason)}"
    if gate.outcome is not Outcome.INCONCLUSIVE or not gate.rows_needed:
        return text
    return f"{text}; if the models are equal, about {format_count(gate.rows_needed)} rows would settle it"


def _paint(text: str, code: str, *, on: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if on and code else text


def _describe_rows(report: Report) -> str:
    ends = [end for end in (report.baseline, report.candidate) if end]
    names = " -> ".join(f"{plain_name(end.name)}{f' ({end.revision[:7]})' if end.revision else ''}" for end in ends)
    rows = ", ".join(
        f"{plural(pairing.rows, 'test row')}"
        + (f" ({format_count(pairing.positives)} positive)" if pairing.positives is not None else "")
        + (f", {format_count(pairing.fresh)} of them fresh for both models" if pairing.fresh else "")
        for pairing in report.pairings
    )
    return " · ".join(part for part in (names, rows) if part)


def _describe_failure(report: Report) -> str:
    failure = report.failure
    if failure is None:
        return ""
    details = "\n".join(f"  | {clean_line(line)}" for line in failure.details.splitlines()[-40:])
    text = f"expected: {clean(failure.expected)}\nwhat to do: {clean(failure.fix)}\nmore: {find_help(failure.anchor)}"
    return f"{text}\n{details}" if details else text


def _draw_missing_policy(report: Report) -> str:
    if not report.missing_policy:
        return ""
    return "\n".join(
        [
            f"to compare new rows too, {MISSING}",
            *(f"  {clean_line(line)}" for line in report.missing_policy.splitlines()),
        ]
    )


def _draw_table(gates: list[GateRow], width: int, *, color: bool) -> str:
    if not gates:
        return ""
    cells = [_HEADER, *map(_draw_row, gates)]
    sizes = _measure_columns(cells)
    short = [short_metric(gate) for gate in gates]
    if _spare(sizes, width) < 0 and len(set(short)) == len(gates):
        cells[1:] = [(row[0], name, *row[2:]) for row, name in zip(cells[1:], short, strict=True)]
        sizes = _measure_columns(cells)
    if _spare(sizes, width) < 0:
        return _draw_stacked(cells, gates, width, color=color)
    lines = [_draw_line(row, sizes) for row in cells]
    painted = [_paint(line, _COLOURS[gate.outcome], on=color) for line, gate in zip(lines[1:], gates, strict=True)]
    return "\n".join((_paint(lines[0], "1", on=color), *painted))


def _draw_stacked(cells: list[tuple[str, ...]], gates: list[GateRow], width: int, *, color: bool) -> str:
    """Return the table with two lines for each gate, so that no name is cut: the name, and below it the numbers."""
    numbers = [("", "", *row[2:]) for row in cells]
    indent = " " * (len(OUTCOME_WORDS[Outcome.INCONCLUSIVE]) + 2)
    sizes = _fit_columns(_measure_columns(numbers), width - len(indent))
    lines = [_paint((indent + _draw_line(numbers[0], sizes)).rstrip(), "1", on=color)]
    for gate, row, values in zip(gates, cells[1:], numbers[1:], strict=True):
        name = f"{row[0]:<{len(indent)}}{plain_metric(gate)}"
        lines += [_paint(text, _COLOURS[gate.outcome], on=color) for text in (name, indent + _draw_line(values, sizes))]
    return "\n".join(lines)


def _measure_columns(cells: list[tuple[str, ...]]) -> list[int]:
    return [max(len(row[column]) for row in cells) for column in range(len(_HEADER))]


def _spare(sizes: list[int], width: int) -> int:
    return width - sum(size + 2 for size in sizes if size) + 2


def _fit_columns(sizes: list[int], width: int) -> list[int]:
    """Return the width of each column, 0 if it is left out."""
    fitted = list(sizes)
    for title in _DISPENSABLE:
        if _spare(fitted, width) >= 0:
            break
        fitted[_HEADER.index(title)] = 0
    return fitted


def _draw_row(gate: GateRow) -> tuple[str, ...]:
    decimals = gate_decimals(gate)
    relative = is_relative(gate)
    interval = format_interval(gate.low, gate.high, decimals, signed=relative)
    return (
        OUTCOME_WORDS[gate.outcome],
        plain_metric(gate),
        format_number(gate.difference, decimals, signed=True),
        interval,
        format_number(gate.baseline, decimals),
        format_number(gate.candidate, decimals),
        describe_rule(gate, decimals),
    )


def _draw_line(row: tuple[str, ...], sizes: list[int]) -> str:
    left = {"", "metric", "rule"}
    cells = [
        cell.ljust(size) if title in left else cell.rjust(size)
        for title, cell, size in zip(_HEADER, row, sizes, strict=True)
        if size
    ]
    return "  ".join(cells).rstrip()
