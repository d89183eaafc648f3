"""Markdown tables that GitHub renders with aligned columns."""

import re
from collections.abc import Sequence

from tabulate import tabulate


def draw_table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Return a Markdown table; cells are Markdown already, ``align`` has one of ``l`` and ``r`` per column.

    Columns are not padded: a table of 2,000 metrics would spend half of GitHub's limit on blanks.
    """
    sides = tuple("right" if side == "r" else "left" for side in align)
    drawn = tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=sides)
    top, rule, *body = (re.sub(r" {2,}", " ", line) for line in drawn.splitlines())
    return "\n".join((top, re.sub("-{4,}", "---", rule), *body))


def fold(summary: str, *parts: str, is_open: bool = False) -> str:
    """Return a folded section. ``summary`` is HTML; the parts are Markdown, set apart by the blank lines it needs."""
    body = "\n\n".join(part for part in parts if part)
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>\n\n{body}\n\n</details>"


def unbroken(text: str) -> str:
    """Return text of our own whose words stay on one line."""
    return text.replace(" ", "\u00a0")
