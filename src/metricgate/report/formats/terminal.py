"""The report for a terminal: the gates as a table, then what to do next."""

from collections.abc import Sequence

from metricgate.errors import PREDICTIONS_HELP, find_help
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.report.escape import clean, clean_line, plain_name
from metricgate.report.formats.terminal_findings import draw_findings
from metricgate.report.gate_order import gate_decimals, sort_gates
from metricgate.report.headline import headline
from metricgate.report.number_format import format_count, format_interval, format_number
from metricgate.report.sections.context_line import count_test_rows, describe_reuse
from metricgate.report.sections.next_step import MISSING, ONE_FILE_MORE, lacks_predictions
from metricgate.report.sections.retraining import list_facts
from metricgate.report.value import Report
from metricgate.report.vocabulary import (
    OUTCOME_WORDS,
    VERDICT_WORDS,
    describe_rule,
    has_no_numbers,
    is_relative,
    plain_metric,
    short_metric,
)

_COLOURS = {
    Outcome.PASSED: "32",
    Outcome.FAILED: "31",
    Outcome.INCONCLUSIVE: "33",
    Outcome.SKIPPED: "2",
    Outcome.ERROR: "31",
}
_VERDICT_COLOURS = {Verdict.PASSED: "32", Verdict.FAILED: "31", Verdict.INCONCLUSIVE: "33", Verdict.ERROR: "31"}
_HEADER = ("", "metric", "change", "interval", "baseline", "candidate", "rule")
_NAME = _HEADER.index("metric")
_DROPPED = ((), ("baseline",), ("baseline", "candidate"))  # what a narrow terminal loses first


def render_terminal(report: Report, *, color: bool, width: int) -> str:
    """Return lines of at most ``width`` columns if names are short enough, with ANSI colours if ``color``."""
    blocks = [
        _paint(
            f"{VERDICT_WORDS[report.verdict].upper()}  {headline(report)}",
            _VERDICT_COLOURS.get(report.verdict, ""),
            on=color,
        ),
        "\n".join(filter(None, (_describe_rows(report), clean(describe_reuse(report))))),
        "\n".join(f"{name.lower()}: {clean(text)}" for name, text in _list_retraining(report)),
        "\n".join(f"warning: {clean(warning.text)}" for warning in report.warnings),
        _describe_failure(report),
        *(_list_findings(report, color=color) if report.watch else _list_gates(report, width, color=color)),
        "\n".join(f"next: {clean(hint)}" for hint in report.hints),
        _draw_missing_policy(report),
        f"{ONE_FILE_MORE} Ten lines write it: {PREDICTIONS_HELP}" if lacks_predictions(report) else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _list_retraining(report: Report) -> tuple[tuple[str, str], ...]:
    return list_facts(report.retraining) if report.retraining else ()


def _list_findings(report: Report, *, color: bool) -> list[str]:
    return ["\n".join(_paint(text, _COLOURS[outcome], on=color) for outcome, text in draw_findings(report))]


def _list_gates(report: Report, width: int, *, color: bool) -> list[str]:
    return [
        _draw_table(sort_gates(report.gates), width, color=color),
        "\n".join(dict.fromkeys(_explain(gate) for gate in report.gates if _needs_reason(gate))),
    ]


def _needs_reason(gate: GateRow) -> bool:
    is_told = has_no_numbers(gate) or gate.outcome in {Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.ERROR}
    return is_told and bool(gate.reason)


def _explain(gate: GateRow) -> str:
    text = f"{plain_metric(gate)}: {clean(gate.reason)}"
    if gate.outcome is not Outcome.INCONCLUSIVE or not gate.rows_needed:
        return text
    return f"{text}; if the models are equal, about {format_count(gate.rows_needed)} {gate.unit}s would settle it"


def _paint(text: str, code: str, *, on: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if on and code else text


def _describe_rows(report: Report) -> str:
    ends = [end for end in (report.baseline, report.candidate) if end]
    names = " -> ".join(f"{plain_name(end.name)}{f' ({end.revision[:7]})' if end.revision else ''}" for end in ends)
    rows = ", ".join(
        count_test_rows(pairing)
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
    text = f"expected: {clean(failure.expected)}\nwhat to do: {clean(failure.fix)}\nmore: {find_help(failure.anchor, failure.topic)}"
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
    """Return the table; a narrow terminal loses columns, and a name too long for its column has a line of its own."""
    if not gates:
        return ""
    whole = [_HEADER, *map(_draw_row, gates)]
    short = _shorten_names(whole, gates)
    choices = [(names, dropped) for dropped in _DROPPED for names in (whole, short)]
    cells, sizes = next(
        ((names, sizes) for names, dropped in choices if _spare(sizes := _measure_columns(names, dropped), width) >= 0),
        (short, _fit_name(_measure_columns(short, _DROPPED[-1]), width)),
    )
    blocks = [_draw_rows(row, name, sizes) for row, name in zip(cells, [row[1] for row in whole], strict=True)]
    colours = ["1", *(_COLOURS[gate.outcome] for gate in gates)]
    return "\n".join(
        _paint(line, colour, on=color) for lines, colour in zip(blocks, colours, strict=True) for line in lines
    )


def _shorten_names(cells: list[tuple[str, ...]], gates: list[GateRow]) -> list[tuple[str, ...]]:
    """Return the table with short names; as it is where two gates would share one."""
    names = [short_metric(gate) for gate in gates]
    if len(set(names)) < len(gates):
        return cells
    return [cells[0], *((row[0], name, *row[2:]) for row, name in zip(cells[1:], names, strict=True))]


def _fit_name(sizes: list[int], width: int) -> list[int]:
    """Return the widths with as much for the names as is left; without the interval where that is too little."""
    for dropped in ((), ("interval",)):
        fitted = [0 if title in dropped else size for title, size in zip(_HEADER, sizes, strict=True)]
        fitted[_NAME] += min(0, _spare(fitted, width))
        if fitted[_NAME] >= len(_HEADER[_NAME]):
            return fitted
    fitted[_NAME] = 0
    return fitted


def _draw_rows(row: tuple[str, ...], name: str, sizes: list[int]) -> list[str]:
    """Return the row in one line, or, if its name does not fit, the whole ``name`` above the numbers."""
    if len(row[_NAME]) <= sizes[_NAME]:
        return [_draw_line(row, sizes)]
    numbers = _draw_line(("", "", *row[2:]), sizes)
    return [f"{row[0]:<{sizes[0]}}  {name}", numbers if sizes[_NAME] else f"{'':<{sizes[0]}}  {numbers.lstrip()}"]


def _measure_columns(cells: list[tuple[str, ...]], dropped: Sequence[str]) -> list[int]:
    """Return the width of each column, 0 if it is left out."""
    sizes = [max(len(row[column]) for row in cells) for column in range(len(_HEADER))]
    return [0 if title in dropped else size for title, size in zip(_HEADER, sizes, strict=True)]


def _spare(sizes: list[int], width: int) -> int:
    return width - sum(size + 2 for size in sizes if size) + 2


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
