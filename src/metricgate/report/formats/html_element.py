"""HTML elements, escaped by construction: only what these functions return is taken as HTML."""

import html
from collections.abc import Iterable

from metricgate.report.escape import SENTENCE_LENGTH, clean, shorten

VOID = frozenset({"br", "input"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str | float | bool | None) -> Html:
    """Return an element; a child that is not ``Html``, and every attribute, is untrusted text.

    Underscores of attribute names become hyphens, one at the end is dropped; an attribute that is None or False is
    left out, and True has no value.
    """
    drawn = "".join(_draw_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{drawn}>")
    return Html(f"<{name}{drawn}>{join(children)}</{name}>")


def join(children: Iterable[str]) -> Html:
    """Return the children one after another."""
    return Html("".join(child if isinstance(child, Html) else escape_text(child) for child in children))


def escape_text(text: str) -> Html:
    """Return HTML that shows ``text`` on one line."""
    return Html(html.escape(shorten(clean(text), SENTENCE_LENGTH), quote=True))


def _draw_attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001  an attribute's value
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{html.escape(text, quote=True)}"'
