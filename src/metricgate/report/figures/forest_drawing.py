"""The forest plot as a picture: each relative gate's difference and intervals against what is allowed."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metricgate.models.outcome import Outcome
from metricgate.models.result import ChartData, ForestRow
from metricgate.report.escape import plain_name
from metricgate.report.figures.forest import Span, bounds_of, describe_row, scale_of, span_of
from metricgate.report.figures.theme import PIXELS_PER_INCH, TITLE_LENGTH, TITLE_SIZE, WIDTH_PX, Theme
from metricgate.report.number_format import plural
from metricgate.report.vocabulary import OUTCOME_WORDS

ROW_PX = 62
TOP_PX = 34
SCALE_PX = 30
LEGEND_PX = 24  # of each line of the legend
EDGE = 0.02  # of the width, left and right
ROOM = 0.33  # of the width: the space that the words below the zero line need to its right
THIN, THICK = 1.8, 7.0  # points: the decision bound, the pointwise interval
MARKS = {Outcome.PASSED: "o", Outcome.FAILED: "s"}
SAMPLE_PX = 22  # the width of a sample in the legend
LETTER_PX = 7.0  # about the width of a letter of the legend
LEGEND_SIZE = 9.0
LABEL_LENGTH = 26  # characters beside the numbers
TEXT_AT = -0.24
BAND = (-0.02, 0.42)  # where a row's interval lies, below its text


def draw_forest(figure: Figure, chart: ChartData, theme: Theme) -> None:
    """Draw one row per gate: its name and difference above, the interval below, on an axis where -1 is the margin."""
    rows = chart.forest
    legend = list_legend(rows)
    bottom = SCALE_PX + LEGEND_PX * len(legend)
    height = TOP_PX + ROW_PX * len(rows) + bottom
    figure.set_size_inches(WIDTH_PX / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
    title = plain_name(chart.title, TITLE_LENGTH)
    middle = 1 - TOP_PX / 2 / height
    figure.text(EDGE, middle, title, color=theme.text, fontweight="bold", fontsize=TITLE_SIZE, va="center")
    axes = figure.add_axes((EDGE, bottom / height, 1 - 2 * EDGE, ROW_PX * len(rows) / height))
    span = span_of(rows)
    axes.set_xlim(span)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_axis_off()
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, span, theme)
    _draw_scale(axes, len(rows) - 0.5, chart.left_out, span, theme)
    _draw_legend(figure, legend, height, theme)


def list_legend(rows: Sequence[ForestRow]) -> list[list[tuple[str, str]]]:
    """Return the lines of the legend, each a list of a part's kind and its words; only what ``rows`` show."""
    wide = any(row.simultaneous_low is not None or row.simultaneous_high is not None for row in rows)
    lines = [("thick", "interval")] if any(row.low != row.high for row in rows) else []
    lines += [("thin", "bound for all gates at once")] if wide else []
    shown = [outcome for outcome in (*MARKS, Outcome.INCONCLUSIVE) if any(row.outcome is outcome for row in rows)]
    marks = [(MARKS.get(outcome, "D"), OUTCOME_WORDS[outcome]) for outcome in shown]
    return [part for part in ([*lines, ("forbidden", "not allowed")], marks) if part]


def _draw_legend(figure: Figure, lines: list[list[tuple[str, str]]], height: float, theme: Theme) -> None:
    """Draw the legend below the scale, in pixels of the picture from its bottom."""
    axes = figure.add_axes((0, 0, 1, LEGEND_PX * len(lines) / height))
    axes.set_xlim(0, WIDTH_PX)
    axes.set_ylim(-len(lines), 0)
    axes.set_axis_off()
    for number, line in enumerate(lines):
        left, middle = EDGE * WIDTH_PX, -number - 0.5
        for kind, words in line:
            _draw_sample(axes, kind, left, middle, theme)
            axes.text(left + SAMPLE_PX + 6, middle, words, color=theme.muted, va="center", fontsize=LEGEND_SIZE)
            left += SAMPLE_PX + 20 + LETTER_PX * len(words)


def _draw_sample(axes: Axes, kind: str, left: float, middle: float, theme: Theme) -> None:
    right = left + SAMPLE_PX
    if kind == "forbidden":
        box = Rectangle((left, middle - 0.3), SAMPLE_PX, 0.6, color=theme.failed, alpha=0.14, linewidth=0)
        axes.add_patch(box)
        axes.plot((right, right), (middle - 0.3, middle + 0.3), color=theme.failed, linewidth=1.8)
    elif kind in {"thick", "thin"}:
        width = THICK if kind == "thick" else THIN
        axes.plot((left, right), (middle, middle), color=theme.muted, linewidth=width, solid_capstyle="butt")
    else:
        place = (left + right) / 2
        axes.plot([place], [middle], kind, color=theme.background, mec=theme.muted, mew=2, markersize=7)


def _draw_scale(axes: Axes, bottom: float, left_out: int, span: Span, theme: Theme) -> None:
    right = f"{plural(left_out, 'more gate')} in the table" if left_out else "better →"
    zero = "no change" if span.right > ROOM * (span.right - span.left) and not left_out else "0"
    for position, words, align in ((span.left, "← worse", "left"), (0.0, zero, "center"), (span.right, right, "right")):
        axes.text(position, bottom, words, color=theme.muted, ha=align, va="top")


def _draw_row(axes: Axes, position: int, row: ForestRow, span: Span, theme: Theme) -> None:
    margin = row.margin / scale_of(row)
    top, bottom = position + BAND[0], position + BAND[1]
    forbidden = Rectangle(
        (span.left, top), margin - span.left, bottom - top, color=theme.failed, alpha=0.14, linewidth=0
    )
    axes.add_patch(forbidden)
    axes.plot((0, 0), (top, bottom), color=theme.muted, linewidth=1)
    axes.plot((margin, margin), (top, bottom), color=theme.failed, linewidth=1.8)
    name = plain_name(row.label, LABEL_LENGTH)
    axes.text(span.left, position + TEXT_AT, name, color=theme.text, ha="left", va="center", fontweight="bold")
    axes.text(span.right, position + TEXT_AT, describe_row(row), color=theme.text, ha="right", va="center")
    _draw_estimate(axes, (top + bottom) / 2, row, span, theme)


def _draw_estimate(axes: Axes, line: float, row: ForestRow, span: Span, theme: Theme) -> None:
    colour = theme.outcome(row.outcome)
    scale = scale_of(row)
    for ends, width in ((bounds_of(row), THIN), ([row.low, row.high], THICK)):
        low, high = min(end / scale for end in ends), max(end / scale for end in ends)
        axes.plot((span.clip(low), span.clip(high)), (line, line), color=colour, linewidth=width, solid_capstyle="butt")
        for beyond, end, mark in ((low < span.left, span.left, "<"), (high > span.right, span.right, ">")):
            if beyond:
                axes.plot([end], [line], mark, color=colour, markersize=8, clip_on=False)
    place, mark = span.clip(row.difference / scale), MARKS.get(row.outcome, "D")
    axes.plot([place], [line], mark, color=theme.background, mec=colour, mew=2.5, markersize=9, clip_on=False)
