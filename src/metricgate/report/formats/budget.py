"""Fitting a document into GitHub's limits: by sections, never in the middle of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metricgate.report.numbers import format_count

STEPS = (1000, 300, 100, 30, 10, 3, 0)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a document. ``draw(n)`` yields it with at most n of its ``size`` items; ``draw(0)`` leaves it out.

    Rank 0 never shrinks and must be short by itself. Of the others the longest shrinks first, so that every section
    keeps its first, most telling items; of equally long ones the one with the highest rank.
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


class _Shown:
    """One section as far as it is shown, drawn once per length."""

    def __init__(self, section: Section, most: int) -> None:
        self.section = section
        self.count = min(section.size, most)
        self.text = section.draw(self.count)

    @property
    def tier(self) -> tuple[int, int]:
        longer = sum(step >= self.count for step in STEPS)
        return -longer, self.section.rank

    def shrink(self) -> None:
        self.count = next(step for step in STEPS if step < self.count)
        self.text = self.section.draw(self.count)

    def describe_rest(self) -> str:
        if self.section.size == 1:
            return self.section.name
        return (
            f"{format_count(self.section.size - self.count)} of {format_count(self.section.size)} {self.section.name}"
        )


def compose(sections: Sequence[Section], limits: Limits, *, explain: Callable[[str], str], most: int = STEPS[0]) -> str:
    """Join ``sections`` within ``limits``, each with at most ``most`` items.

    ``explain`` turns the list of what was left out into the closing line.
    """
    parts = [shown for shown in (_Shown(section, most) for section in sections) if shown.text]
    while True:
        text = _join(parts, explain)
        shrinkable = [part for part in parts if part.section.rank and part.count]
        if limits.admit(text) or not shrinkable:
            return text
        max(shrinkable, key=lambda part: part.tier).shrink()


def _join(parts: Sequence[_Shown], explain: Callable[[str], str]) -> str:
    left_out = ", ".join(part.describe_rest() for part in parts if part.count < part.section.size)
    texts = [part.text for part in parts if part.text]
    return "\n\n".join((*texts, explain(left_out)) if left_out else texts) + "\n"
