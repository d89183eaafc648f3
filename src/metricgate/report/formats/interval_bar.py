"""A change and its intervals as a small drawing in a table cell: vector graphics in the colours of the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from metricgate.models.outcome import Outcome
from metricgate.report.formats.html_element import Html, element, join

MARKS = {
    Outcome.PASSED: element("circle", r="5.5"),
    Outcome.FAILED: element("path", d="M-5-5H5V5H-5Z"),
}
DIAMOND = element("path", d="M-6.5 0 0-6.5 6.5 0 0 6.5Z")
HEIGHT = 26
MOST_TIMES_MEDIAN = 8.0  # a change further out becomes an arrow, so that the others stay visible


@dataclass(frozen=True, kw_only=True)
class BarScale:
    """The axis that the bars of one table share; better is on the right."""

    left: float
    right: float

    def place(self, value: float) -> str:
        """Return where ``value`` lies, in percent of the width."""
        share = (min(self.right, max(self.left, value)) - self.left) / (self.right - self.left)
        return f"{share * 100:.2f}%"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What one drawing shows, in units of its axis; a ``margin`` is where the range that is not allowed ends."""

    value: float
    ends: tuple[float, float] | None = None  # the interval
    wide: tuple[float, float] | None = None  # the bounds that hold for all gates at once
    margin: float | None = None
    outcome: Outcome | None = None


def symmetric_scale(values: Iterable[float]) -> BarScale:
    """Return an axis around zero that holds all values but a few far out."""
    sizes = sorted(abs(value) for value in values if value)
    if not sizes:
        return BarScale(left=-1.0, right=1.0)
    limit = min(sizes[-1], MOST_TIMES_MEDIAN * median(sizes)) * 1.08
    return BarScale(left=-limit, right=limit)


def draw_bar(bar: Bar, scale: BarScale, label: str) -> Html:
    """Return the drawing; ``label`` says the same in words."""
    middle = HEIGHT / 2
    parts = [
        *_draw_forbidden(bar, scale),
        element("line", class_="zero", x1=scale.place(0.0), x2=scale.place(0.0), y1=1.0, y2=HEIGHT - 1.0),
        *_draw_ends(bar.wide, "wide", scale),
        *_draw_ends(bar.ends, "thick", scale),
    ]
    if bar.ends is None:
        parts.append(
            element("line", class_="thick", x1=scale.place(0.0), x2=scale.place(bar.value), y1=middle, y2=middle)
        )
    parts += _draw_arrows(bar, scale)
    if scale.left <= bar.value <= scale.right:
        parts.append(draw_mark(bar.outcome, x=scale.place(bar.value)))
    kind = f"bar {bar.outcome.value}" if bar.outcome else "bar"
    return element("svg", *parts, class_=kind, height=HEIGHT, role="img", aria_label=label)


def draw_mark(outcome: Outcome | None, *, x: str) -> Html:
    """Return the mark of an outcome, centred on ``x``; without one, a small dot."""
    mark = element("circle", r="3.5") if outcome is None else MARKS.get(outcome, DIAMOND)
    return element("svg", mark, class_="mark", x=x, y="50%", overflow="visible")


def _draw_forbidden(bar: Bar, scale: BarScale) -> list[Html]:
    if bar.margin is None:
        return []
    at = scale.place(bar.margin)
    return [
        element("rect", class_="forbidden", x="0", y="2", width=at, height=HEIGHT - 4),
        element("line", class_="limit", x1=at, x2=at, y1="2", y2=HEIGHT - 2),
    ]


def _draw_ends(ends: Sequence[float] | None, kind: str, scale: BarScale) -> list[Html]:
    if ends is None:
        return []
    middle = HEIGHT / 2
    return [element("line", class_=kind, x1=scale.place(min(ends)), x2=scale.place(max(ends)), y1=middle, y2=middle)]


def _draw_arrows(bar: Bar, scale: BarScale) -> list[Html]:
    """Return an arrow at each edge that the value or an interval lies beyond."""
    every = (bar.value, *(bar.ends or ()), *(bar.wide or ()))
    beyond = (
        (min(every) < scale.left, "0", "M0 0 7-6V6Z"),
        (max(every) > scale.right, "100%", "M0 0-7-6V6Z"),
    )
    return [
        element("svg", element("path", d=path), class_="arrow", x=at, y="50%", overflow="visible")
        for is_beyond, at, path in beyond
        if is_beyond
    ]


def draw_legend(outcomes: Sequence[Outcome], words: Sequence[str], *, wide: bool, level: str) -> Html:
    """Return what the parts of a bar mean; only those that the table draws. ``level`` is empty without intervals."""
    line = BarScale(left=0.0, right=1.0)
    items: list[tuple[Html, str]] = [
        (_sample(*_draw_ends((0.0, 1.0), "thick", line)), f"{level} interval of the change" if level else "the change"),
    ]
    if wide:
        items.append(
            (
                _sample(*_draw_ends((0.0, 1.0), "wide", line)),
                "bound for all gates at once; a gate fails only by this one",
            )
        )
    items.append((_sample(*_draw_forbidden(Bar(value=0.0, margin=1.0), line)), "not allowed"))
    items += [(_sample(draw_mark(one, x="50%"), outcome=one), word) for one, word in zip(outcomes, words, strict=True)]
    return element("p", *(element("span", sample, " ", word) for sample, word in items), class_="legend")


def _sample(*parts: Html, outcome: Outcome | None = None) -> Html:
    kind = f"bar sample {outcome.value}" if outcome else "bar sample"
    return element("svg", join(parts), class_=kind, height=HEIGHT, aria_hidden="true")
