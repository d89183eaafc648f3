"""Fitting a document into GitHub's limits: by sections, the least important first, never in the middle of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metricgate.report.numbers import format_count

STEPS = (1000, 300, 100, 30, 10, 3, 0)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a document. ``draw(n)`` yields it with at most n of its ``size`` items; ``draw(0)`` leaves it out.

    The section of the highest ``rank`` shrinks first; rank 0 never shrinks and must be short by itself.
    """

    name: str
    rank: int
    draw: Callable[[int], str]
    size: int = 1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a place takes: characters, and bytes of UTF-8."""

    characters: int
    octets: int

    def admit(self, text: str) -> bool:
        return len(text) <= self.characters and len(text.encode()) <= self.octets


def compose(sections: Sequence[Section], limits: Limits, *, explain: Callable[[str], str]) -> str:
    """Join ``sections`` within ``limits``; ``explain`` turns what was left out into a closing line."""
    shown = [section.size for section in sections]
    drawn = [section.draw(section.size) for section in sections]
    while True:
        text = _join(sections, shown, drawn, explain)
        weakest = _find_weakest(sections, shown)
        if limits.admit(text) or weakest is None:
            return text
        shown[weakest] = next(step for step in STEPS if step < shown[weakest])
        drawn[weakest] = sections[weakest].draw(shown[weakest])


def _find_weakest(sections: Sequence[Section], shown: Sequence[int]) -> int | None:
    shrinkable = [index for index, section in enumerate(sections) if section.rank and shown[index]]
    return max(shrinkable, key=lambda index: sections[index].rank, default=None)


def _join(
    sections: Sequence[Section], shown: Sequence[int], drawn: Sequence[str], explain: Callable[[str], str]
) -> str:
    left_out = [
        _describe(section, count) for section, count in zip(sections, shown, strict=True) if count < section.size
    ]
    closing = [explain(", ".join(left_out))] if left_out else []
    return "\n\n".join(part for part in (*drawn, *closing) if part) + "\n"


def _describe(section: Section, count: int) -> str:
    if section.size == 1:
        return section.name
    return f"{format_count(section.size - count)} of {format_count(section.size)} {section.name}"
