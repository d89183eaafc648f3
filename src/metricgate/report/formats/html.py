"""The report as a page of its own: one HTML file that opens from disk, fetches nothing and fits a phone."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources

import nh3
from markdown_it import MarkdownIt
from mdit_py_plugins.gfm import gfm_plugin

from metricgate.models.outcome import Verdict
from metricgate.report.document import DocumentPart
from metricgate.report.escape import escape_prose, html_text
from metricgate.report.formats.html_element import Html, element, join
from metricgate.report.formats.html_tables import gate_table, metric_table, slice_table
from metricgate.report.formats.markdown import MAX_SUMMARY_ITEMS
from metricgate.report.headline import headline
from metricgate.report.sections.context_line import list_context
from metricgate.report.sections.page import page_sections
from metricgate.report.value import Report
from metricgate.report.view_context import NO_CONTEXT, ViewContext

SIGNS = {  # every font has them, unlike the comment's emoji
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✕",
    Verdict.INCONCLUSIVE: "?",
    Verdict.SKIPPED: "–",
    Verdict.ERROR: "!",
    Verdict.CANCELLED: "!",
}
OPEN = frozenset({"charts", "questions"})  # folded in a comment, and open on a page
TAGS = (
    "a b blockquote br code del details div em h1 h2 h3 h4 hr i img li ol p picture pre source strong sub summary sup "
    "table tbody td th thead tr ul"
)
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width"},
    "source": {"srcset", "media"},
    "details": {"open"},
    "th": {"style"},
    "td": {"style"},
    "div": {"class"},
    "p": {"class"},
}


def render_preview(
    report: Report, pictures: Mapping[str, tuple[bytes, bytes]] | None = None, context: ViewContext = NO_CONTEXT
) -> str:
    """Return a self-contained page; ``pictures`` maps chart names to the PNGs of the light and the dark theme."""
    addresses = {name: (_inline(light), _inline(dark)) for name, (light, dark) in (pictures or {}).items()}
    body = _draw_body(report, replace(context, pictures=addresses))
    script = _read("preview.js")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        f"style-src 'unsafe-inline'; script-src 'sha256-{allowed}'\">\n"
        f"<title>{html_text(headline(report))}</title>\n<style>\n{_read('preview.css')}</style>\n</head>\n"
        f'<body class="{report.verdict.value}">\n<main>\n{body}</main>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _draw_body(report: Report, context: ViewContext) -> Html:
    """Return the sections of the page; those that a table or a drawing serves better are drawn here."""
    own: dict[str, Callable[[], Html]] = {
        "headline": lambda: _draw_headline(report),
        "context": lambda: Html(""),
        "gates": lambda: gate_table(report, render_inline),
        "picture": lambda: Html(""),
        "rows of slices": lambda: slice_table(report, render_inline),
        "metrics": lambda: metric_table(report, render_inline),
    }
    texts = {part.name: _draw_markdown(part) for part in page_sections(report, context) if part.name not in own}
    order = [part.name for part in page_sections(report, context)]
    header = element("header", own.pop("headline")(), _section("context", _draw_context(report, context)))
    parts = [_section(name, own[name]() if name in own else texts[name]) for name in order if name != "headline"]
    return join((header, *parts))


def _draw_headline(report: Report) -> Html:
    sign = element("span", SIGNS[report.verdict], class_="sign", aria_hidden="true")
    return element("h1", sign, element("span", render_inline(escape_prose(headline(report)))))


def _draw_context(report: Report, context: ViewContext) -> Html:
    return join(element("span", render_inline(text)) for text in list_context(report, context))


def _draw_markdown(part: DocumentPart) -> Html:
    text = part.draw(min(part.size, MAX_SUMMARY_ITEMS))
    return render_markdown(text.replace("<details>", "<details open>", 1) if part.name in OPEN else text)


def _section(name: str, content: Html) -> Html:
    return element("section", content, class_=name.replace(" ", "-")) if content else Html("")


def render_markdown(text: str) -> Html:
    """Return Markdown as GitHub would show it, with only the elements that a report uses."""
    return _sanitise(_parser().render(text))


def render_inline(text: str) -> Html:
    """Return Markdown inside a line as HTML."""
    return _sanitise(_parser().renderInline(text.replace("\\|", "|")))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).use(gfm_plugin)


def _sanitise(text: str) -> Html:
    clean = nh3.clean(
        text,
        tags=set(TAGS.split()),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes={"https", "http", "data"},
        filter_style_properties={"text-align"},
        link_rel="noopener noreferrer",
    )
    return Html(clean)


@cache
def _read(name: str) -> str:
    return resources.files("metricgate.report.formats").joinpath(name).read_text(encoding="utf-8")


def _inline(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
