"""The terminal: gates first, then what to do. A narrow one loses columns, never a name, outcome, change or rule."""

import pytest

from metricgate.models.result import Slice
from metricgate.report.formats.terminal import render_terminal
from tests.report.reports import make_error_report, make_gate, make_metric, make_report


def draw_lines(width: int, *columns: str) -> list[str]:
    gates = [make_gate(metric="accuracy", slice=Slice(column=column, value="Month-to-month")) for column in columns]
    report = make_report(gates=tuple(gates))
    lines = render_terminal(report, color=False, width=width).splitlines()
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith("metric "))
    return lines[start : start + 1 + len(columns)]


@pytest.mark.parametrize(
    ("width", "name"),
    [(160, "accuracy for contract = Month-to-month"), (110, "Month-to-month: accuracy")],
)
def test_a_wide_terminal_shows_a_gate_in_one_line(width: int, name: str) -> None:
    header, row = draw_lines(width, "contract")

    assert header.split() == ["metric", "change", "interval", "baseline", "candidate", "rule"]
    assert name in row
    assert max(map(len, (header, row))) <= width


@pytest.mark.parametrize(
    ("width", "columns"),
    [(90, "metric change interval rule"), (80, "metric change interval rule"), (56, "metric change rule")],
)
def test_a_narrow_one_shows_a_name_that_is_too_long_above_its_numbers(width: int, columns: str) -> None:
    name = "metrics.json:eval.live.test.roc_auc_of_all_rows_and_columns"
    gates = (make_gate(metric=name, source="metrics.json"), make_gate(metric="f1"))
    lines = render_terminal(make_report(gates=gates), color=False, width=width).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("failed "))
    header, first, numbers, second = lines[start - 1 : start + 3]

    assert header.split() == columns.split()
    assert first == f"failed  {name}"
    assert numbers.split()[0] == "−0.021"
    assert second.split()[:3] == ["failed", "F1", "−0.021"], "a name that fits stays in its line"
    assert numbers.index("−0.021") == second.index("−0.021")
    assert max(map(len, (header, numbers, second))) <= width


def test_a_very_narrow_one_has_the_heading_of_the_name_above_the_others() -> None:
    lines = render_terminal(make_report(gates=(make_gate(),)), color=False, width=36).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("failed "))

    assert [line.split() for line in lines[start - 2 : start]] == [["metric"], ["change", "rule"]]
    assert lines[start] == "failed  ROC AUC"
    assert max(map(len, lines[start - 2 : start + 2])) <= 36


def test_a_short_name_that_two_slices_would_share_is_not_used() -> None:
    columns = ("contract", "previous_contract")
    gates = [make_gate(metric="accuracy", slice=Slice(column=column, value="Month-to-month")) for column in columns]

    text = render_terminal(make_report(gates=tuple(gates)), color=False, width=110)

    for column in columns:
        assert f"failed  accuracy for {column} = Month-to-month" in text


def test_the_terminal_shows_the_gates_first_and_then_what_to_do() -> None:
    lines = render_terminal(make_report(), color=False, width=100).splitlines()

    assert lines[0] == "FAILED  Blocked: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed"
    assert [line.split()[0] for line in lines if line.startswith(("failed", "undecided", "passed", "next"))] == [
        "failed",
        "undecided",
        "passed",
        "next:",
    ]


def test_the_terminal_keeps_the_indentation_of_a_log() -> None:
    lines = render_terminal(make_error_report(), color=False, width=100).splitlines()

    assert '  |   File "src/train.py", line 12, in <module>' in lines


def test_a_report_of_numbers_alone_says_what_a_predictions_file_would_add() -> None:
    number = make_metric(name="metrics.json:accuracy", source="metrics.json", low=None, high=None)
    numbers_alone = make_report(metrics=(number,), pairings=())

    assert "With one file more" in render_terminal(numbers_alone, color=False, width=80)
    assert "With one file more" not in render_terminal(make_report(), color=False, width=80)
