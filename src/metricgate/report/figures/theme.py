"""The look of every chart, for GitHub's light and dark backgrounds and for colour-blind readers."""

from dataclasses import dataclass
from typing import Literal

from metricgate.models.outcome import Outcome

ThemeName = Literal["light", "dark"]

CHART_HEIGHT_PX = 340  # of all charts but the forest plot, so that rows of charts align
WIDTH_PX = 480  # what a phone shows nearly unscaled; drawn at twice the density
DOTS_PER_INCH = 192
PIXELS_PER_INCH = 96
FONT_SIZE = 11.0  # points: 14.7 px at full size, 10.5 px on a phone
TITLE_SIZE = 12.0
TITLE_LENGTH = 44
FONTS = (  # the first comes with matplotlib; the others are used where the system has them
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
)


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours of one theme; blue and orange differ for every common kind of colour blindness."""

    background: str
    text: str
    muted: str
    grid: str
    baseline: str
    candidate: str
    passed: str
    failed: str
    doubtful: str
    faint: str  # the lowest density that is still visible

    def outcome(self, outcome: Outcome) -> str:
        """Return the colour of an outcome; the shape of its mark shows the same."""
        return {Outcome.PASSED: self.passed, Outcome.FAILED: self.failed}.get(outcome, self.doubtful)


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        background="#ffffff",
        text="#1f2328",
        muted="#59636e",
        grid="#d1d9e0",
        baseline="#59636e",
        candidate="#0969da",
        passed="#0969da",
        failed="#bc4c00",
        doubtful="#818b98",
        faint="#c8e1ff",
    ),
    "dark": Theme(
        background="#0d1117",
        text="#f0f6fc",
        muted="#9198a1",
        grid="#3d444d",
        baseline="#9198a1",
        candidate="#4493f8",
        passed="#4493f8",
        failed="#f0883e",
        doubtful="#9198a1",
        faint="#1b3a63",
    ),
}
