"""The terminal: gates first, then what to do. A narrow one loses columns, never outcome, change or rule."""

import pytest

from metricgate.models.result import Slice
from metricgate.report.formats.terminal import render_terminal
from tests.report.reports import make_doubtful_gate, make_error_report, make_gate, make_report


def draw_lines(width: int, *columns: str) -> list[str]:
    gates = [make_gate(metric="accuracy", slice=Slice(column=column, value="Month-to-month")) for column in columns]
    report = make_report(gates=tuple(gates))
    lines = render_terminal(report, color=False, width=width).splitlines()
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith("metric "))
    return lines[start : start + 1 + len(columns)]


@pytest.mark.parametrize(
    ("width", "name", "columns"),
    [
        (160, "accuracy for contract = Month-to-month", "metric change interval baseline candidate rule"),
        (110, "Month-to-month: accuracy", "metric change interval baseline candidate rule"),
        (92, "Month-to-month: accuracy", "metric change interval candidate rule"),
        (82, "Month-to-month: accuracy", "metric change interval rule"),
        (56, "Month-to-month…curacy", "metric change rule"),
    ],
)
def test_a_name_is_shortened_only_after_the_columns_that_can_be_missed(width: int, name: str, columns: str) -> None:
    header, row = draw_lines(width, "contract")

    assert header.split() == columns.split()
    assert name in row
    assert max(map(len, (header, row))) <= width


def test_a_short_name_that_two_slices_would_share_is_not_used() -> None:
    _, first, second = draw_lines(110, "contract", "previous_contract")

    assert first.split("  ")[1] != second.split("  ")[1]
    assert "accuracy for" in first


def test_the_terminal_shows_the_gates_first_and_then_what_to_do() -> None:
    lines = render_terminal(make_report(), color=False, width=100).splitlines()

    assert lines[0] == "FAILED  Blocked: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed"
    assert [line.split()[0] for line in lines if line.startswith(("failed", "cannot", "passed", "next"))] == [
        "failed",
        "cannot",
        "passed",
        "next:",
    ]


def test_the_terminal_keeps_the_indentation_of_a_log() -> None:
    lines = render_terminal(make_error_report(), color=False, width=100).splitlines()

    assert '  |   File "src/train.py", line 12, in <module>' in lines


@pytest.mark.parametrize(("width", "columns"), [(60, 4), (80, 5), (120, 7)])
def test_a_narrow_terminal_loses_columns_and_never_the_outcome_the_change_or_the_rule(width: int, columns: int) -> None:
    gates = (make_gate(metric="a_metric_with_a_very_long_name_" * 2), make_doubtful_gate())

    lines = render_terminal(make_report(gates=gates), color=False, width=width).splitlines()

    table = [line for line in lines if line.startswith(("failed  ", "cannot tell"))]
    assert all(len(line) <= width for line in table)
    assert all("may fall by 0.0" in line and "−0.0" in line for line in table)
    header = next(line for line in lines if "metric  " in line)
    assert len(header.split()) == columns - 1  # the outcome has no title
