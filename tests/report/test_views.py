"""Every view of every kind of report says the verdict, and says it again byte for byte."""

import json
from collections.abc import Callable

import pytest

from metricgate.errors import ConfigurationError
from metricgate.report.figures import draw_chart
from metricgate.report.formats.check_run import render_check
from metricgate.report.formats.html import render_preview
from metricgate.report.formats.markdown import (
    comment_marker,
    render_comment,
    render_status,
    render_summary,
)
from metricgate.report.formats.report_json import read_report
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.headline import headline
from metricgate.report.value import Report
from tests.report.reports import (
    make_doubtful_report,
    make_error_report,
    make_passed_report,
    make_report,
    make_unchanged_report,
)

HEADLINES = [
    (make_report, "Blocked: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed"),
    (make_passed_report, "No loss beyond what is allowed (2 gates)"),
    (make_unchanged_report, "No change: predictions are identical"),
    (make_doubtful_report, "Undecided: up to 0.041 of F1 may be lost, 0.030 is allowed; merging is allowed"),
    (make_error_report, "Could not judge: the pipeline failed at stage train with exit code 1"),
]


@pytest.mark.parametrize(("make", "expected"), HEADLINES)
def test_every_view_says_the_headline(make: Callable[[], Report], expected: str) -> None:
    report = make()

    assert headline(report) == expected
    assert render_comment(report).startswith(f"{comment_marker('default')}\n\n## ")
    assert f"{expected}\n" in render_comment(report)
    assert f"{expected}\n" in render_summary(report)
    assert render_check(report).title == expected
    assert render_status(report) == expected
    assert expected in render_terminal(report, color=False, width=100)
    assert f"<title>{expected}</title>" in render_preview(report)


@pytest.mark.parametrize("make", [make for make, _ in HEADLINES])
def test_a_report_read_back_renders_byte_for_byte_the_same(make: Callable[[], Report]) -> None:
    report = make()

    again = read_report(report.model_dump_json())

    assert again == report
    assert render_comment(again) == render_comment(report)
    assert render_terminal(again, color=True, width=80) == render_terminal(report, color=True, width=80)
    assert [draw_chart(chart, "dark") for chart in again.charts] == [
        draw_chart(chart, "dark") for chart in report.charts
    ]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 2}', "\ud800"])
def test_what_is_not_a_report_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not a readable report"):
        read_report(text)


@pytest.mark.parametrize(
    "chart",
    [
        {"curves": [{"label": "a", "x": [1, 2], "y": [1]}]},
        {"curves": [{"label": "a", "x": [0] * 5001, "y": [0] * 5001}]},
        {"matrices": [[[1] * 65]]},
        {"labels": ["a"] * 41},
    ],
)
def test_a_chart_that_asks_too_much_is_refused(chart: dict[str, object]) -> None:
    report = make_report().model_dump(mode="json")
    report["charts"] = [{"name": "a", "kind": "curves", "title": "t", "alt": "a", **chart}]

    with pytest.raises(ConfigurationError, match=r"charts\.0"):
        read_report(json.dumps(report))


def test_a_report_that_is_too_long_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="33,554,433 bytes"):
        read_report(" " * (32 * 1024 * 1024 + 1))


def test_a_colourless_terminal_gets_no_escape_sequence() -> None:
    assert "\x1b" not in render_terminal(make_report(), color=False, width=100)
    assert "\x1b[31m" in render_terminal(make_report(), color=True, width=100)
