"""A report of any size fits where it goes, in whole sections, and says what it left out."""

from typing import TYPE_CHECKING

import pytest

from metricgate.models.result import Change, Warning_
from metricgate.report.document import DocumentPart, SizeLimits, compose
from metricgate.report.formats.check_run import render_check
from metricgate.report.formats.markdown import render_comment, render_status, render_summary
from metricgate.report.value import Report
from tests.report.reports import make_large_report, make_metric, make_passed_gate, make_report
from tests.report.test_escape import outline, render_like_github

if TYPE_CHECKING:
    from collections.abc import Callable


def make_wide_report() -> Report:
    """Return a report whose names cost four bytes a character."""
    name = "🦜" * 500
    return make_report(
        metrics=tuple(make_metric(name=f"{name}{index}") for index in range(2000)),
        gates=tuple(make_passed_gate(metric=f"{name}{index}") for index in range(500)),
        changes=tuple(Change(kind="data", name=f"{name}{index}", before=name, after=name) for index in range(10_000)),
        warnings=tuple(Warning_(code="x", text=name * 3) for _ in range(100)),
        hints=(name * 3,),
    )


@pytest.fixture(scope="module", params=[make_large_report, make_wide_report])
def large(request: pytest.FixtureRequest) -> Report:
    make: Callable[[], Report] = request.param
    return make()


def test_the_largest_report_stays_within_every_limit_of_github(large: Report) -> None:
    comment, summary, check = render_comment(large), render_summary(large), render_check(large).summary

    assert len(comment) <= 65_000
    assert len(comment.encode()) <= 260_000
    assert len(summary.encode()) < 1024 * 1024
    assert len(check.encode()) <= 65_535
    assert len(render_status(large)) <= 140


def test_the_largest_report_is_made_of_whole_tables_and_closed_folds(large: Report) -> None:
    comment = render_comment(large)

    parts = outline(render_like_github(comment)).parts
    assert sum(part == ("details", []) for part in parts) == parts.count("/details") >= 3
    rows = [line for line in comment.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    assert "Left out to stay within GitHub's limit: " in comment
    assert comment.splitlines()[-1].endswith("All of it is in report.html and report.json._")


def test_the_longest_section_shrinks_first_and_the_closing_line_counts_what_is_gone() -> None:
    long = DocumentPart(name="numbers", rank=1, size=500, draw=lambda count: " ".join(["1234567"] * count))
    short = DocumentPart(name="letters", rank=9, size=5, draw=lambda count: "a" * count)

    text = compose([short, long], SizeLimits(characters=400, octets=400), explain=lambda rest: f"left out: {rest}")

    assert text == "aaaaa\n\n" + " ".join(["1234567"] * 30) + "\n\nleft out: 470 of 500 numbers\n"


def test_of_equally_long_sections_the_less_important_one_shrinks() -> None:
    sections = [
        DocumentPart(name=name, rank=rank, size=30, draw=lambda count, name=name: name * count)  # type: ignore[misc]
        for name, rank in (("a", 1), ("b", 2))
    ]

    text = compose(sections, SizeLimits(characters=60, octets=60), explain=lambda rest: rest)

    assert text == "a" * 30 + "\n\n" + "b" * 10 + "\n\n20 of 30 b\n"


def test_what_fits_is_left_alone() -> None:
    section = DocumentPart(name="numbers", rank=1, size=500, draw=lambda count: "1" * count)

    assert compose([section], SizeLimits(characters=501, octets=501), explain=lambda rest: rest) == "1" * 500 + "\n"


def test_bytes_count_and_not_only_characters() -> None:
    section = DocumentPart(name="birds", rank=1, size=10, draw=lambda count: "🦜" * count)

    text = compose([section], SizeLimits(characters=1000, octets=40), explain=lambda rest: rest)

    assert text == "🦜" * 3 + "\n\n7 of 10 birds\n"
