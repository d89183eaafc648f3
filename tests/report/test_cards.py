"""The Teams card in Microsoft's own library: nothing to object to, and text from the repository stays text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from metricgate.report.formats.message import MessagePlace, write_message
from metricgate.report.formats.teams import render_card
from tests.report.cards import WIDTH, install_library, open_card
from tests.report.chromium import Browser, start_browser
from tests.report.test_messages import CASES, HOSTILE, PLACE, make_hostile_report

pytestmark = pytest.mark.acceptance

ADDRESS = PLACE.url


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    text = install_library(tmp_path_factory.mktemp("npm"))
    if text is None:
        pytest.skip("npm is not installed")
    return text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as started:
        yield started


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_library_parses_and_validates_every_card(
    browser: Browser, library: str, tmp_path: Path, theme: Literal["light", "dark"]
) -> None:
    for report, occasion in CASES:
        card = render_card(write_message(report, occasion, PLACE, ["ann@acme.example"]))

        assert open_card(browser, library, card, tmp_path, theme) == []
        assert browser.evaluate("document.documentElement.scrollWidth") == WIDTH


def test_the_two_themes_differ(browser: Browser, library: str, tmp_path: Path) -> None:
    report, occasion = CASES[0]
    card = render_card(write_message(report, occasion, PLACE))
    shades = []
    for theme in ("light", "dark"):
        open_card(browser, library, card, tmp_path, theme)
        shades.append(browser.evaluate("getComputedStyle(document.querySelector('.ac-richTextBlock span')).color"))

    assert len(set(shades)) == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(browser: Browser, library: str, tmp_path: Path, text: str) -> None:
    place = MessagePlace(repository="acme/churn", subject=text, url=ADDRESS, link_text="Open")
    message = write_message(make_hostile_report(text), "failed", place)

    assert open_card(browser, library, render_card(message), tmp_path, "light") == []

    shown = browser.evaluate("document.getElementById('card').innerText").replace("\u200b", "")
    foreign = browser.evaluate("[...document.querySelectorAll('#card a, #card img, #card b, #card em')].length")
    assert message.headline in shown
    assert message.place in shown
    assert foreign == 0
    assert browser.evaluate("document.documentElement.scrollWidth") == WIDTH


@pytest.mark.parametrize(
    "part",
    [{"type": "Table", "rows": []}, {"type": "RichTextBlok"}, {"type": "TextBlock", "text": "x", "size": "vast"}],
)
def test_the_library_would_object(browser: Browser, library: str, tmp_path: Path, part: dict[str, Any]) -> None:
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [part]}

    assert open_card(browser, library, card, tmp_path, "light") != []
