"""Escaping: the one place where untrusted text becomes Markdown, HTML or a terminal line.

Every name, value and sentence of a report comes from a repository and is not trusted. The rules:

- A name stands in a code span, in which GitHub leaves mentions, issue numbers, commits, addresses, emoji and formulas
  alone.
- A sentence has its Markdown punctuation written as character references, and a zero-width space breaks everything
  that GitHub links by itself. Character references do not prevent these links: GitHub decodes them before it looks for
  mentions. Renovate bot does the same.
- A dollar sign in a sentence becomes its full-width form: GitHub documents no plain-text escape for formulas.
- Characters that are invisible or change the direction of text are shown as their code point.
"""

import html
import re
import unicodedata
from typing import Literal

NAME_LENGTH = 60
SENTENCE_LENGTH = 600
_BREAK = "&#8203;"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PUNCTUATION = re.compile(r"[&<>`*_\[\]|\\~{}\"=^]")
_LINE_START = re.compile(r"^(?:[-+:#!]|\d+(?=[.)]))")
_LINKED_BY_GITHUB = re.compile(
    r"@|#|:(?=//)|www(?=\.)|(?:GH|GHSA|CVE)(?=-)|:(?=[a-z0-9+_-]+:)",
    re.IGNORECASE,
)
_LONG_RUN = re.compile("`{50}")
_QUOTED = re.compile("`([^`]{1,200})`")
_COMMIT = re.compile(r"[0-9a-f]{6}(?=[0-9a-f])", re.IGNORECASE)  # GitHub links seven digits and more


def clean(text: str) -> str:
    """Return ``text`` on one line, with every invisible character shown as its code point."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(map(_show, line))


def _show(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE:
        return f"⟨U+{ord(character):04X}⟩"
    return character


def clean_line(text: str) -> str:
    """Return one line of a log with its indentation, and every invisible character shown as its code point."""
    return "".join(map(_show, text.rstrip().expandtabs(4)))


def shorten(text: str, length: int) -> str:
    """Return ``text`` with its middle left out if it is longer than ``length`` characters."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def plain_name(text: str, length: int = NAME_LENGTH) -> str:
    """Return a name for a terminal, a picture or a status line."""
    return shorten(clean(text), length)


def escape_sentence(text: str, length: int = SENTENCE_LENGTH) -> str:
    """Return Markdown that shows ``text`` unchanged inside a line, a table cell or a heading."""
    return _escape_markdown(shorten(clean(text), length))


def escape_prose(text: str, length: int = SENTENCE_LENGTH) -> str:
    """Return Markdown of a sentence in which MetricGate quotes code in `backticks`; it may hold any other text too."""
    parts = _QUOTED.split(shorten(clean(text), length))
    return "".join(code_span(part, length) if index % 2 else _escape_markdown(part) for index, part in enumerate(parts))


def _escape_markdown(text: str) -> str:
    broken = _COMMIT.sub("\\g<0>\0", _LINKED_BY_GITHUB.sub("\\g<0>\0", text.replace("$", "＄")))
    escaped = _PUNCTUATION.sub(_reference, broken)
    start = _LINE_START.match(escaped)
    if start and start[0].isdigit():
        escaped = f"{start[0]}{_reference(escaped[start.end()])}{escaped[start.end() + 1 :]}"
    elif start:
        escaped = _reference(escaped[0]) + escaped[1:]
    return escaped.replace("\0", _BREAK)


def _reference(found: str | re.Match[str]) -> str:
    return f"&#{ord(found if isinstance(found, str) else found[0])};"


def code_span(text: str, length: int = NAME_LENGTH) -> str:
    """Return a Markdown code span that shows ``text``; it is safe in a table cell too."""
    name = shorten(clean(text), length) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", name)), default=0))
    padding = " " if name.startswith("`") or name.endswith("`") or name == " " else ""
    # A pipe ends a table cell even inside code; a backslash before it would escape the escape.
    piped = _break_markers(name).replace("\\|", "\\\u2060|").replace("|", "\\|")
    return f"{fence}{padding}{piped}{padding}{fence}"


def _break_markers(text: str) -> str:
    """Return ``text`` with forged comment markers broken, so that a search of the raw comment does not find them.

    Long runs of backticks are broken too: cmark counts the length of a fence in one byte.
    """
    return _LONG_RUN.sub("\\g<0>\u2060", text.replace("<!--", "<!\u2060--"))


def code_block(text: str, *, lines: int = 40, width: int = 400, language: Literal["text", "yaml"] = "text") -> str:
    """Return a fenced block with the last ``lines`` lines of ``text``."""
    shown = map(clean_line, text.splitlines()[-lines:])
    kept = [_break_markers(shorten(line, width)) for line in shown]
    longest = max((len(run) for run in re.findall("`+", "\n".join(kept))), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}{language}", *kept, fence))


def html_text(text: str, length: int = SENTENCE_LENGTH) -> str:
    """Return HTML that shows ``text``; safe in an attribute, such as the alt text of a picture."""
    return html.escape(shorten(clean(text), length), quote=True)


def html_address(address: str) -> str:
    """Return an address for an attribute of an HTML element; never shortened."""
    return html.escape(address, quote=True)


def html_code(text: str, length: int = NAME_LENGTH) -> str:
    """Return an HTML code element that shows ``text``, for places without Markdown, such as ``<summary>``."""
    return f"<code>{html_text(text, length)}</code>"


def marker_id(text: str) -> str:
    """Return ``text`` for an HTML comment: letters, digits, dots and underscores, and other bytes as ``-hex``."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "._") else f"-{c.encode(errors='replace').hex()}" for c in text
    )
