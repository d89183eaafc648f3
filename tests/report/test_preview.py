"""The page opens from disk in a real browser: it fetches nothing, complains of nothing and fits a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.report.figures import draw_chart
from metricgate.report.formats.html import render_preview
from metricgate.report.value import Report
from tests.report.chromium import start_browser
from tests.report.reports import make_large_report, make_report
from tests.report.test_escape import TRICKS, make_named_report

CASES: dict[str, Callable[[], Report]] = {
    "failed": make_report,
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
    address = write_page(make_report(), tmp_path)
    shown = []

    with start_browser() as browser:
        for scheme in ("light", "dark"):
            browser.open(address, width=1280, scheme=scheme)
            shown.append(browser.evaluate("[document.images[0].currentSrc, getComputedStyle(document.body).color]"))

    light, dark = shown
    assert light[0] != dark[0]
    assert (light[1], dark[1]) == ("rgb(31, 35, 40)", "rgb(240, 246, 252)")


def test_the_page_needs_no_network() -> None:
    page = render_preview(make_report())

    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
