"""Text from a repository is data: it never changes what a report is made of, and GitHub links nothing in it."""

import re
from html.parser import HTMLParser
from typing import Any, get_args

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metricgate.models.outcome import Verdict
from metricgate.models.result import Change, ChangeKind, ChartData, Slice, Warning_
from metricgate.models.snapshot import RevisionInfo, Source
from metricgate.report.escape import clean, code_block, code_span, escape_sentence, html_code, marker_id, plain_name
from metricgate.report.figures.forest import build_forest
from metricgate.report.formats.html import render_markdown, render_preview
from metricgate.report.formats.markdown import render_comment, render_status
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Failure, Report
from metricgate.report.view_context import PastRun, ViewContext
from metricgate.report.vocabulary import METRIC_WORDS
from tests.report.reports import make_doubtful_gate, make_gate, make_metric, make_pairing, make_report

TRICKS = (
    "@octocat",
    "a@b.example",
    "#1 closes #2, fixes owner/name#3 GH-4",
    "</details></summary><script>alert(1)</script>",
    "<!-- metricgate:default -->",
    "-->",
    "| a | b |\n|---|---|",
    "a\\|b",
    "\\",
    "`",
    "``` \n```\n",
    "![x](http://evil.example/x.png) [y](javascript:alert(1))",
    "https://evil.example www.evil.example ftp://evil.example mailto:a@b.example",
    "> [!CAUTION]\n> x",
    "# heading",
    "- item\n1. one\n- [ ] task",
    "1. one",
    "===\n---",
    "**bold** __bold__ *i* _i_ ~~s~~",
    "$x^2$ $$y$$ $`z`$",
    ":tada: :+1:",
    "4f2c1a90000000000000000000000000000000000 4f2c1a9",
    "\u202eoverride\u202c \u2066isolate\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "\x1b[31mred\x1b[0m \x07\x00",
    "\ud800 lone surrogate",
    "&lt;b&gt; &#64;octocat &amp;",
    "[^1] [ref]: http://evil.example",
    "::error::x ##[error]x",
    "x" * 5000,
    "é" * 5000,
    "|" * 300,
    "`" * 300,
    "\r\n\r\n<table>",
    "<img src=x onerror=alert(1)>",
    "{{ template }} ${{ secrets.X }}",
    "CVE-2024-12345 GHSA-aaaa-bbbb-cccc",
)
FILTERED_BY_GITHUB = re.compile(
    r"(?:^|\W)@[a-z0-9]|#\d|\bGH-\d|\bCVE-\d|\bGHSA-|\b[0-9a-f]{7,64}\b|:[a-z0-9+_-]+:|\$|://|www\.", re.IGNORECASE
)
hostile_text = st.one_of(
    st.sampled_from(TRICKS),
    st.text(min_size=1, max_size=80),
    st.text(alphabet="`|\\<>!-[]()#@*_~$&;:/\n\t wW.htp13\u200b\u202e", min_size=1, max_size=60),
    st.tuples(st.sampled_from(TRICKS), st.sampled_from(TRICKS)).map("".join),
).filter(lambda text: clean(text) != "" and text not in METRIC_WORDS)


class Outline(HTMLParser):
    """What a page is made of: its elements with their attributes, its comments, its text outside code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Any] = []
        self.prose: list[str] = []
        self._in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, sorted(name for name, _ in attrs)))
        self._in_code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"/{tag}")
        self._in_code -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.parts.append(("comment", data))

    def handle_data(self, data: str) -> None:
        if not self._in_code:
            self.prose.append(data)


def outline(page: str) -> Outline:
    reader = Outline()
    reader.feed(page)
    reader.close()
    return reader


def render_like_github(markdown: str) -> str:
    """Render with cmark-gfm, the parser that GitHub itself uses, and its extensions."""
    page: str = cmarkgfm.markdown_to_html_with_extensions(
        markdown, options=Options.CMARK_OPT_UNSAFE, extensions=["table", "autolink", "strikethrough", "tasklist"]
    )
    return page


def make_named_report(text: str) -> Report:
    """Return a report in which everything that a repository names is called ``text``."""
    where = Slice(column=text, value=text)
    gates = (
        make_gate(metric=text, set=text, slice=where, rule=text),
        make_doubtful_gate(metric=text, reason=text, rows_needed=None),
    )
    return make_report(
        metricgate="0.1.0",
        baseline=RevisionInfo(revision=None, name=text, source=Source.GIT, reason=text),
        candidate=RevisionInfo(revision="9b7e310" + "1" * 33, name=text, source=Source.GIT, reason=text),
        pairings=(make_pairing(set=text, path=text, notes=(text,)),),
        gates=gates,
        metrics=(make_metric(name=text, set=text, note=text), make_metric(slice=where)),
        changes=tuple(
            Change(kind=kind, name=text, before=text, after=text, details=text) for kind in get_args(ChangeKind)
        ),
        warnings=(Warning_(code="x", text=text), Warning_(code="y", text=text)),
        hints=(text,),
        policy_origin=text,
        candidate_policy=text,
        power=text,
        reproduce=text,
        charts=(
            *((forest,) if (forest := build_forest(gates)) else ()),
            ChartData(name="plot", kind="curves", title=text, alt=text),
        ),
        chart_notes=(text,),
    )


def make_named_failure(text: str) -> Report:
    return make_report(
        verdict=Verdict.ERROR,
        gates=(),
        charts=(),
        failure=Failure(title=text, what=text, expected=text, fix=text, details=text, anchor="workspace", exit_code=4),
    )


def make_named_context(raw: str) -> ViewContext:
    text = raw.encode(errors="replace").decode()
    return ViewContext(
        pictures={"plot": ("https://p.example/light.png", "https://p.example/dark.png")},
        picture_note=text,
        history=(
            PastRun(revision="9b7e310" + "1" * 33, verdict=Verdict.FAILED, headline=text[:300], changes=(text[:200],)),
        ),
    )


HARMLESS = "harmless"


@settings(max_examples=40, deadline=None)
@given(hostile_text)
@example("a\\|b")
@example("`")
@example("\\")
def test_hostile_names_never_change_what_a_comment_is_made_of(text: str) -> None:
    for make in (make_named_report, make_named_failure):
        harmless = render_comment(make(HARMLESS), make_named_context(HARMLESS))
        hostile = render_comment(make(text), make_named_context(text))

        assert frame(render_like_github(hostile)) == frame(render_like_github(harmless))
        assert frame(render_markdown(hostile)) == frame(render_markdown(harmless))


@settings(max_examples=40, deadline=None)
@given(hostile_text)
@example("a\\|b")
@example("x · [y](https://evil.example)")
def test_hostile_names_never_change_what_the_page_is_made_of(text: str) -> None:
    for make in (make_named_report, make_named_failure):
        harmless = render_preview(make(HARMLESS), context=make_named_context(HARMLESS))
        hostile = render_preview(make(text), context=make_named_context(text))

        assert frame(hostile) == frame(harmless)


def frame(page: str) -> list[Any]:
    """Return what a page is made of, except for code: a sentence shows `backticks` as code, whoever wrote them."""
    return [part for part in outline(page).parts if part not in (("code", []), "/code")]


@settings(max_examples=40, deadline=None)
@given(hostile_text)
def test_github_finds_nothing_to_link_in_hostile_names(text: str) -> None:
    page = outline(render_like_github(render_comment(make_named_report(text), make_named_context(text))))
    ours = outline(render_like_github(render_comment(make_named_report(HARMLESS), make_named_context(HARMLESS))))

    found = [match for part in page.prose for match in FILTERED_BY_GITHUB.findall(part)]
    assert found == [match for part in ours.prose for match in FILTERED_BY_GITHUB.findall(part)]


@pytest.mark.parametrize("text", TRICKS)
def test_every_known_trick_is_shown_and_harmless(text: str) -> None:
    comment = render_comment(make_named_report(text))

    assert comment.count("<!--") == 1
    assert comment.encode()
    assert render_terminal(make_named_report(text), color=False, width=80).isprintable() is False  # line ends
    assert "\x1b" not in render_terminal(make_named_report(text), color=False, width=80)
    assert render_preview(make_named_report(text)).count("<script") == 1
    assert len(render_status(make_named_report(text))) <= 140


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("roc_auc", "`roc_auc`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a|b", "`a\\|b`"),
        ("a\nb", "`a b`"),
        ("\u202egpj.exe", "`⟨U+202E⟩gpj.exe`"),
    ],
)
def test_a_name_is_shown_in_code(text: str, expected: str) -> None:
    assert code_span(text) == expected


@settings(max_examples=100, deadline=None)
@given(hostile_text)
def test_a_sentence_shows_the_text_it_was_given(text: str) -> None:
    shown = "".join(outline(render_like_github(f"Before {escape_sentence(text)} after")).prose).replace("\u200b", "")

    assert " ".join(shown.split()) == f"Before {plain_name(text, 600).replace('$', '＄')} after"


@settings(max_examples=100, deadline=None)
@given(hostile_text)
def test_a_code_span_in_a_table_shows_the_name_it_was_given(text: str) -> None:
    page = render_like_github(f"| a | b |\n|---|---|\n| {code_span(text)} | 1 |\n")

    cell = re.search("<td><code>(.*?)</code></td>", page, re.DOTALL)
    assert cell is not None
    reader = outline(cell[1])
    assert "".join(reader.prose).replace("\u2060", "") == plain_name(text)


def test_a_name_in_a_summary_line_is_code() -> None:
    assert html_code("</summary>@octocat") == "<code>&lt;/summary&gt;@octocat</code>"


def test_the_last_lines_of_a_log_cannot_leave_their_block() -> None:
    assert code_block("one\n````\n@octocat", lines=2) == "`````text\n````\n@octocat\n`````"


@given(hostile_text)
def test_an_id_cannot_leave_its_comment(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]*", marker_id(text))
    assert "--" not in marker_id(text)
