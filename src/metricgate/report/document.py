"""A Markdown document and its parts: tables, folds, and whole sections that fit into GitHub's limits."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from metricgate.report.number_format import format_count

STEPS = (1000, 300, 100, 30, 10, 3, 0)


def draw_table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Return a Markdown table; cells are already Markdown, and ``align`` has one of ``l`` and ``r`` per column.

    Columns are not padded: a table of 2,000 metrics would spend half of GitHub's limit on spaces.
    """
    sides = tuple("right" if side == "r" else "left" for side in align)
    drawn = tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=sides)
    top, rule, *body = (re.sub(r" {2,}", " ", line) for line in drawn.splitlines())
    return "\n".join((top, re.sub("-{4,}", "---", rule), *body))


def fold(summary: str, *parts: str) -> str:
    """Return a folded section. ``summary`` is HTML; the parts are Markdown, separated by blank lines."""
    body = "\n\n".join(part for part in parts if part)
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def unbroken(text: str) -> str:
    """Return trusted text that never breaks between its words."""
    return text.replace(" ", "\u00a0")


@dataclass(frozen=True, kw_only=True)
class DocumentPart:
    """A section of a document. ``draw(n)`` returns it with at most n of its ``size`` items; ``draw(0)`` leaves it out.

    Rank 0 never shrinks and must be short by itself. Of the others, the longest shrinks first, so that every section
    keeps its first and most important items. Of equally long ones, the one with the highest rank shrinks first.
    """

    name: str
    rank: int
    draw: Callable[[int], str]
    size: int = 1


def fixed(name: str, text: str) -> DocumentPart:
    """Return a section that is never shortened."""
    return DocumentPart(name=name, rank=0, draw=lambda _: text)


@dataclass(frozen=True, kw_only=True)
class SizeLimits:
    """What GitHub accepts: characters, and bytes of UTF-8."""

    characters: int
    octets: int

    def admit(self, text: str) -> bool:
        return len(text) <= self.characters and len(text.encode()) <= self.octets


class _ShownPart:
    """A section and how much of it is shown, drawn once per length."""

    def __init__(self, part: DocumentPart, max_items: int) -> None:
        self.part = part
        self.count = min(part.size, max_items)
        self.text = part.draw(self.count)

    @property
    def tier(self) -> tuple[int, int]:
        longer = sum(step >= self.count for step in STEPS)
        return -longer, self.part.rank

    def shrink(self) -> None:
        self.count = next(step for step in STEPS if step < self.count)
        self.text = self.part.draw(self.count)

    def describe_rest(self) -> str:
        if self.part.size == 1:
            return self.part.name
        return f"{format_count(self.part.size - self.count)} of {format_count(self.part.size)} {self.part.name}"


def compose(
    parts: Sequence[DocumentPart], limits: SizeLimits, *, explain: Callable[[str], str], max_items: int = STEPS[0]
) -> str:
    """Return ``parts`` as one document within ``limits``, each with at most ``max_items`` items.

    ``explain`` turns the list of what was left out into the closing line.
    """
    shown = [part for part in (_ShownPart(part, max_items) for part in parts) if part.text]
    while True:
        text = _join(shown, explain)
        shrinkable = [part for part in shown if part.part.rank and part.count]
        if limits.admit(text) or not shrinkable:
            return text
        max(shrinkable, key=lambda part: part.tier).shrink()


def _join(shown: Sequence[_ShownPart], explain: Callable[[str], str]) -> str:
    left_out = ", ".join(part.describe_rest() for part in shown if part.count < part.part.size)
    texts = [part.text for part in shown if part.text]
    return "\n\n".join((*texts, explain(left_out)) if left_out else texts) + "\n"
