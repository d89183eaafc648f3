"""The report as one HTML file: it looks like the comment on GitHub, opens from disk and fetches nothing."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources

import nh3
from markdown_it import MarkdownIt
from mdit_py_plugins.gfm import gfm_plugin

from metricgate.report.escape import html_text
from metricgate.report.formats.markdown import render_summary
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.report.view_context import NO_CONTEXT, ViewContext

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
    body = render_markdown(render_summary(report, replace(context, pictures=addresses)))
    style = resources.files("metricgate.report.formats").joinpath("preview.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{html_text(headline(report))}</title>\n<style>\n{style}</style>\n</head>\n"
        f'<body>\n<main class="markdown-body">\n{body}</main>\n</body>\n</html>\n'
    )


def render_markdown(text: str) -> str:
    """Return Markdown as GitHub would show it, with only the elements that a report uses."""
    parser = MarkdownIt("commonmark", {"html": True}).use(gfm_plugin)
    return nh3.clean(
        parser.render(text),
        tags=set(TAGS.split()),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes={"https", "http", "data"},
        filter_style_properties={"text-align"},
        link_rel="noopener noreferrer",
    )


def _inline(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
