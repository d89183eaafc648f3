"""The page opens from disk in a real browser: it fetches nothing, complains of nothing and fits a phone."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.models.result import ChartData, CurveData
from metricgate.report.figures import draw_chart
from metricgate.report.formats.html import render_preview
from metricgate.report.formats.markdown import render_comment
from metricgate.report.value import Report
from metricgate.report.view_context import ViewContext
from tests.report.chromium import start_browser
from tests.report.reports import (
    make_large_report,
    make_metric,
    make_numbers_report,
    make_passed_gate,
    make_report,
    make_slice_metrics,
)
from tests.report.test_escape import TRICKS, make_named_report

CURVES = ChartData(
    name="roc",
    kind="curves",
    title="ROC",
    alt="ROC curves",
    curves=(CurveData(label="candidate", side="candidate", x=(0.0, 1.0), y=(0.0, 1.0)),),
)
CASES: dict[str, Callable[[], Report]] = {
    "failed": lambda: make_report(charts=(CURVES,)),
    "large": make_large_report,
    "hostile": lambda: make_named_report(" ".join(TRICKS)),
}


def write_page(report: Report, folder: Path) -> str:
    page = folder / "report.html"
    pictures = {chart.name: (draw_chart(chart, "light"), draw_chart(chart, "dark")) for chart in report.charts}
    page.write_text(render_preview(report, pictures), encoding="utf-8")
    return page.as_uri()


@pytest.mark.acceptance
@pytest.mark.parametrize("case", CASES)
def test_the_page_fetches_nothing_complains_of_nothing_and_fits_a_phone(case: str, tmp_path: Path) -> None:
    address = write_page(CASES[case](), tmp_path)

    with start_browser() as browser:
        browser.open(address, width=390, scheme="dark")
        browser.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        width = browser.evaluate("document.documentElement.scrollWidth")
        broken = browser.evaluate("[...document.images].filter(image => image.naturalWidth === 0).length")
        events = browser.events

    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    complaints = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert [event for event in events if event["method"] in complaints] == []
    assert (width, broken) == (390, 0)


@pytest.mark.acceptance
def test_light_and_dark_show_different_pictures(tmp_path: Path) -> None:
    address = write_page(make_report(charts=(CURVES,)), tmp_path)
    shown = []

    with start_browser() as browser:
        for scheme in ("light", "dark"):
            browser.open(address, width=1280, scheme=scheme)
            shown.append(browser.evaluate("[document.images[0].currentSrc, getComputedStyle(document.body).color]"))

    light, dark = shown
    assert light[0] != dark[0]
    assert (light[1], dark[1]) == ("rgb(31, 35, 40)", "rgb(240, 246, 252)")


def test_the_page_needs_no_network_and_runs_only_its_own_script() -> None:
    page = render_preview(make_report())

    script = page[page.index("<script>") + 8 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in page
    assert f"script-src 'sha256-{digest}'" in page
    assert page.count("<script") == 1
    assert "http" not in page.replace("http-equiv", "")


def test_each_change_is_drawn_with_a_legend_of_what_is_drawn() -> None:
    page = render_preview(make_report())
    numbers_alone = render_preview(make_report(gates=(make_passed_gate(),), metrics=()))

    assert page.count('class="bar failed" ') == 1
    for words in ("95 % interval of the change", "bound for all gates at once", "not allowed", "undecided"):
        assert words in page
    assert 'class="legend"' not in numbers_alone


def test_a_number_beyond_the_axis_is_an_arrow_and_its_legend_names_no_interval() -> None:
    page = render_preview(make_numbers_report())
    gates = page.split('class="gates"')[1].split("</section>")[0]

    assert gates.count('class="arrow"') == 1
    assert gates.split('class="legend"')[0].count('class="mark"') == 1
    assert "interval of the change" not in gates
    assert "the change" in gates


def test_charts_are_open_on_the_page_and_folded_in_the_comment() -> None:
    report = make_report(charts=(CURVES,))

    assert '<details open="">' in render_preview(report, {"roc": (b"", b"")})
    assert "<details open" not in render_comment(report, ViewContext(pictures={"roc": ("a", "b")}))


def test_metrics_without_intervals_have_no_heading_for_one() -> None:
    numbers = make_metric(name="metrics.json:accuracy", source="metrics.json", low=None, high=None)

    page = render_preview(make_report(gates=(), metrics=(numbers,), pairings=(), power=""))

    assert "interval" not in page[page.index("All metrics") :].split("</table>")[0]
    assert '<svg class="bar"' in page


@pytest.mark.acceptance
def test_a_heading_sorts_its_table_both_ways_and_a_word_filters_it(tmp_path: Path) -> None:
    address = write_page(make_report(metrics=make_slice_metrics() * 5), tmp_path)
    changes = "[...document.querySelectorAll('.slices tbody tr:not([hidden])')].map(row => +row.cells[4].dataset.key)"
    with start_browser() as browser:
        browser.open(address, width=1280, scheme="light")
        click = "document.querySelectorAll('.slices th')[4].querySelector('button').click()"
        browser.evaluate(click)
        rising = browser.evaluate(changes)
        browser.evaluate(click)
        falling = browser.evaluate(changes)
        browser.evaluate(
            "(box => { box.value = 'two year'; box.dispatchEvent(new Event('input')); })"
            "(document.querySelector('.rows-of-slices .filter'))"
        )
        filtered = browser.evaluate(changes)

    assert rising == sorted(rising) == falling[::-1]
    assert len(rising) == 15
    assert filtered == [-0.004] * 5
