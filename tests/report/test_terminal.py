"""What a narrow terminal leaves out: columns and words of a name, never the outcome, the change or the rule."""

import pytest

from metricgate.models.result import Slice
from metricgate.report.formats.terminal import render_terminal
from tests.report.reports import make_gate, make_report


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
