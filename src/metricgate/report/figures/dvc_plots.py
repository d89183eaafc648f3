"""The pipeline's own DVC plots, both revisions in one chart: DVC's built-in templates."""

import filecmp
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from metricgate.models.result import ChartData, CurveData, Side
from metricgate.models.snapshot import PlotFile, Snapshot
from metricgate.report.escape import plain_name
from metricgate.report.figures.dvc_plot_files import PlotError, Rows, read_rows, shrink_picture
from metricgate.report.figures.task_charts import MAX_CLASSES
from metricgate.report.number_format import plural

MAX_PLOTS = 12
_ABBREVIATED = {"fpr": "false positive rate", "tpr": "true positive rate"}
BUCKETS = 150  # of a long line; each keeps its lowest and its highest point, so that no spike is lost
MAX_POINTS = 1500  # of a scatter plot
MAX_BARS = 12
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".svg", ".bmp", ".webp"})

Sides = Mapping[Side, Rows]


@dataclass(frozen=True, kw_only=True)
class Plots:
    """The charts, and a sentence for each plot that is not drawn."""

    charts: tuple[ChartData, ...] = ()
    notes: tuple[str, ...] = ()


def build_plots(baseline: Snapshot | None, candidate: Snapshot, drawn: Sequence[ChartData] = ()) -> Plots:
    """Return the candidate's declared plots with the baseline's data beside the candidate's, if the two differ.

    A plot of a curve that is already ``drawn`` from the predictions is left out.
    """
    before = {plot.path: path for plot, path in baseline.plots} if baseline else {}
    charts: list[tuple[PlotFile, ChartData]] = []
    notes: list[str] = []
    differing = [(plot, path) for plot, path in candidate.plots if not _is_same(before.get(plot.path), path)]
    if len(differing) < len(candidate.plots):
        notes.append(f"{plural(len(candidate.plots) - len(differing), 'plot')} of the pipeline did not change.")
    for plot, path in differing[:MAX_PLOTS]:
        try:
            chart = _build_plot(plot, before.get(plot.path), path)
            if _shows_again(chart, drawn):
                notes.append(f"The plot {plot.path} is not drawn: the same curve is drawn from the predictions.")
            else:
                charts.append((plot, chart))
        except PlotError as error:
            notes.append(f"The plot {plot.path} is not drawn: {error}.")
    if len(differing) > MAX_PLOTS:
        more = len(differing) - MAX_PLOTS
        notes.append(f"{plural(more, 'more plot')} of the pipeline {'is' if more == 1 else 'are'} not drawn.")
    return Plots(charts=_tell_apart(charts), notes=tuple(notes))


def _shows_again(chart: ChartData, drawn: Sequence[ChartData]) -> bool:
    axes = tuple(_ABBREVIATED.get(label, label) for label in map(_normalise, (chart.x_label, chart.y_label)))
    return chart.kind == "curves" and axes in {(_normalise(own.x_label), _normalise(own.y_label)) for own in drawn}


def _normalise(label: str) -> str:
    return " ".join(re.findall("[a-z]+", label.lower()))


def _tell_apart(drawn: Sequence[tuple[PlotFile, ChartData]]) -> tuple[ChartData, ...]:
    """Return the charts, those of equal titles with as much of their path, or the column, as tells them apart."""
    titles = [chart.title for _, chart in drawn]
    named = [
        (plot, chart if titles.count(chart.title) == 1 else _add_to_title(chart, plot, drawn)) for plot, chart in drawn
    ]
    titles = [chart.title for _, chart in named]
    return tuple(
        chart if titles.count(chart.title) == 1 else chart.model_copy(update={"title": f"{chart.title}: {plot.y}"})
        for plot, chart in named
    )


def _add_to_title(chart: ChartData, plot: PlotFile, drawn: Sequence[tuple[PlotFile, ChartData]]) -> ChartData:
    own = _place_of(plot)
    others = [_place_of(other) for other, drawing in drawn if drawing.title == chart.title and other.path != plot.path]
    sizes = range(1, len(own) + 1)
    size = next((size for size in sizes if all(own[-size:] != other[-size:] for other in others)), len(own))
    place = "/".join(own[-size:])
    return chart.model_copy(update={"title": place if own[-1] == chart.title else f"{chart.title} ({place})"})


def _place_of(plot: PlotFile) -> list[str]:
    """Return the folders of a plot's file, and its name without the suffix."""
    path = PurePosixPath(plot.path)
    return [*path.parent.parts, path.stem]


def _is_same(before: Path | None, after: Path) -> bool:
    return before is not None and filecmp.cmp(before, after, shallow=False)


def _build_plot(plot: PlotFile, before: Path | None, after: Path) -> ChartData:
    if Path(plot.path).suffix.lower() in IMAGES:
        return _build_images(plot, before, after)
    build = TEMPLATES.get(plot.template)
    if build is None:
        raise PlotError(f"its template {plain_name(plot.template)} is not built into DVC")
    sides: dict[Side, Rows] = {}
    if before is not None:
        sides["baseline"] = read_rows(before, plot.path)
    sides["candidate"] = read_rows(after, plot.path)
    return build(plot, sides)


def _build_images(plot: PlotFile, before: Path | None, after: Path) -> ChartData:
    sides: dict[Side, Path] = {"candidate": after} if before is None else {"baseline": before, "candidate": after}
    images = tuple(map(shrink_picture, sides.values()))
    return ChartData(**_name_chart(plot), kind="images", images=images, sides=tuple(sides))


def _name_chart(plot: PlotFile) -> dict[str, str]:
    title = plot.title or Path(plot.path).stem
    return {
        "name": f"plot-{plot.path}" + (f"-{plot.y}" if plot.y else ""),
        "title": title,
        "alt": f"{plain_name(title)}: the pipeline's own plot {plain_name(plot.path)}, baseline and candidate",
    }


def _choose_columns(plot: PlotFile, sides: Sides) -> tuple[str | None, str]:
    """Return the columns to draw; as in DVC, y is the last column if none is named, x the row's number."""
    columns = [name for name in sides["candidate"][0] if isinstance(name, str)] if sides["candidate"] else []
    y = plot.y or next((name for name in reversed(columns) if name != plot.x), None)
    if y is None or y not in columns or (plot.x and plot.x not in columns):
        raise PlotError("its columns are not in the file")
    return plot.x, y


def _build_line(plot: PlotFile, sides: Sides) -> ChartData:
    x, y = _choose_columns(plot, sides)
    curves = [_make_curve(side, _read_points(rows, x, y), thin=_thin_line) for side, rows in sides.items()]
    return _make_xy(plot, x, y, [curve for curve in curves if curve.x])


def _build_cloud(plot: PlotFile, sides: Sides) -> ChartData:
    x, y = _choose_columns(plot, sides)
    curves = [_make_curve(side, _read_points(rows, x, y), thin=_thin_cloud) for side, rows in sides.items()]
    drawn = [curve for curve in curves if curve.x]
    present = tuple(curve.side for curve in drawn if curve.side)
    return _make_xy(plot, x, y, drawn).model_copy(update={"kind": "scatter", "sides": present})


def _make_xy(plot: PlotFile, x: str | None, y: str, curves: Sequence[CurveData]) -> ChartData:
    if not curves:
        raise PlotError(f"column {plain_name(y)} has no numbers")
    labels = {"x_label": plot.x_label or x or "row", "y_label": plot.y_label or y}
    return ChartData(**_name_chart(plot), kind="curves", curves=tuple(curves), **labels)


Point = tuple[float, float]


def _read_points(rows: Rows, x: str | None, y: str) -> list[Point]:
    """Return x and y of the rows in which both are finite numbers."""
    pairs = (
        (float(index) if x is None else _number(row.get(x)), _number(row.get(y))) for index, row in enumerate(rows)
    )
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _make_curve(side: Side, points: list[Point], *, thin: Callable[[list[Point]], list[Point]]) -> CurveData:
    kept = thin(points)
    return CurveData(
        label=side,
        side=side,
        x=tuple(float(f"{x:.6g}") for x, _ in kept),
        y=tuple(float(f"{y:.6g}") for _, y in kept),
    )


def _thin_line(points: list[Point]) -> list[Point]:
    if len(points) <= 2 * BUCKETS:
        return points
    edges = [round(index * len(points) / BUCKETS) for index in range(BUCKETS + 1)]
    kept = {0, len(points) - 1}
    for start, end in pairwise(edges):
        bucket = range(start, end)
        kept |= {min(bucket, key=lambda i: points[i][1]), max(bucket, key=lambda i: points[i][1])}
    return [points[index] for index in sorted(kept)]


def _thin_cloud(points: list[Point]) -> list[Point]:
    """Return every n-th point; their order does not matter in a cloud."""
    return points[:: max(1, math.ceil(len(points) / MAX_POINTS))]


def _build_confusion(plot: PlotFile, sides: Sides) -> ChartData:
    """Return matrices of x, the actual class, by y, the predicted one."""
    x, y = _choose_columns(plot, sides)
    if x is None:
        raise PlotError("it names no column x with the actual classes")
    pairs = {side: [(str(row.get(x)), str(row.get(y))) for row in rows] for side, rows in sides.items()}
    classes = sorted({name for cells in pairs.values() for pair in cells for name in pair})
    if len(classes) > MAX_CLASSES:
        raise PlotError(f"it has {len(classes)} classes, and at most {MAX_CLASSES} can be drawn")
    return ChartData(
        **_name_chart(plot),
        kind="confusion",
        labels=tuple(classes),
        matrices=tuple(_count_pairs(cells, classes) for cells in pairs.values()),
        sides=tuple(pairs),
    )


def _count_pairs(cells: Sequence[tuple[str, str]], classes: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    position = {name: index for index, name in enumerate(classes)}
    counts = [[0] * len(classes) for _ in classes]
    for actual, predicted in cells:
        counts[position[actual]][position[predicted]] += 1
    return tuple(map(tuple, counts))


def _build_bars(plot: PlotFile, sides: Sides) -> ChartData:
    """Return the values x of the categories y, the candidate's largest first."""
    if plot.x is None or plot.y is None:
        raise PlotError("it names no columns x and y")
    _choose_columns(plot, sides)
    values = {side: {str(row.get(plot.y)): _number(row.get(plot.x)) for row in rows} for side, rows in sides.items()}
    known = {name: value for name, value in values["candidate"].items() if value is not None}
    names = sorted(known, key=lambda name: -abs(known[name]))[:MAX_BARS]
    curves = tuple(
        CurveData(
            label=side,
            side=side,
            x=tuple(column.get(name) or 0.0 for name in names),
            y=tuple(map(float, range(len(names)))),
        )
        for side, column in values.items()
    )
    return ChartData(
        **_name_chart(plot), kind="bars", labels=tuple(names), curves=curves, x_label=plot.x_label or plot.x, y_label=""
    )


TEMPLATES: Mapping[str, Callable[[PlotFile, Sides], ChartData]] = {
    "linear": _build_line,
    "simple": _build_line,
    "smooth": _build_line,
    "scatter": _build_cloud,
    "scatter_jitter": _build_cloud,
    "confusion": _build_confusion,
    "confusion_normalized": _build_confusion,
    "bar_horizontal": _build_bars,
    "bar_horizontal_sorted": _build_bars,
}
