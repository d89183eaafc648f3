"""The documents: their pages, their fenced blocks, and the commands that they name within a sentence."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
TOOLS = ("metricgate", "uvx", "make", "git", "dvc", "docker", "gh", "pip", "uv", "python", "cml", "awk")
COMMAND = re.compile(rf"`((?:{'|'.join(TOOLS)}) [^`]+)`")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.text.splitlines() if line.strip()]


def list_blocks() -> list[Block]:
    """Return every fenced block of every page."""
    return [
        Block(page=str(page.relative_to(ROOT)), language=found["language"], text=found["text"])
        for page in PAGES
        for found in FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def read_prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def list_commands() -> set[str]:
    """Return the commands that pages name within a sentence: those with at least one argument."""
    return {command for page in PAGES for command in COMMAND.findall(read_prose(page))}


def list_anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", read_prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
