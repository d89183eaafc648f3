"""One column, measured: its effects, what each side looks like, and the picture of both distributions."""

from dataclasses import dataclass, field

import numpy as np

from metricgate.models.column_counts import CategoryCounts, Histogram
from metricgate.models.samples import FloatArray
from metricgate.models.watch import ColumnSide, WatchedFeature
from metricgate.predictions.column_shift import CategoryPair, read_categories_of_both
from metricgate.predictions.table_pair import TablePair
from metricgate.predictions.watched_column import WatchedColumn
from metricgate.report.number_format import MINUS
from metricgate.stats.drift.category_shift import measure_moved_categories, measure_new_values
from metricgate.stats.drift.effect import INDEPENDENT, Effect, Units
from metricgate.stats.drift.number_shift import measure_numbers
from metricgate.stats.drift.share_shift import measure_share

BINS = 40
PSI_BINS = 10
LEAST_SHARE = 1e-4  # of a bin, in PSI: the logarithm of nothing is infinite


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredColumn:
    """What one column shows; ``effects`` by the name of the metric, none for a column that is skipped."""

    feature: WatchedFeature
    effects: dict[str, Effect] = field(default_factory=dict)
    histogram: Histogram | None = None


def measure_column(
    pair: TablePair, column: WatchedColumn, *, owner: str = "", units: Units = INDEPENDENT
) -> MeasuredColumn:
    """Measure one column of both tables. ``units``: what a row counts as, where rows depend on each other."""
    if column.kind == "skipped":
        notes = (f"not compared: it {column.reason}",)
        return MeasuredColumn(feature=WatchedFeature(name=column.name, kind="skipped", owner=owner, notes=notes))
    if column.kind == "number":
        return _measure_numbers(pair, column, owner, units)
    return _measure_categories(pair, column, owner, units)


def _measure_numbers(pair: TablePair, column: WatchedColumn, owner: str, units: Units) -> MeasuredColumn:
    reference = pair.fetch_sorted("reference", column.values["reference"])
    current = pair.fetch_sorted("current", column.values["current"])
    rows = (pair.sides["reference"].rows, pair.sides["current"].rows)
    effects = {"missing": _measure_missing((len(reference), len(current)), rows, units)}
    if not len(reference):
        feature = WatchedFeature(name=column.name, kind="number", owner=owner, notes=("the reference has no value",))
        return MeasuredColumn(feature=feature, effects=effects)
    shift = measure_numbers(reference, current, units)
    effects["ks_distance"] = shift.moved
    if shift.distance is not None:
        effects["wasserstein_sd"] = shift.distance
    feature = WatchedFeature(
        name=column.name,
        kind="number",
        owner=owner,
        reference=_describe_numbers(reference, rows[0]),
        current=_describe_numbers(current, rows[1]),
        psi=_find_psi(reference, current),
        notes=tuple(_note_range(reference, current)),
    )
    return MeasuredColumn(feature=feature, effects=effects, histogram=_bin_both(reference, current))


def _measure_missing(present: tuple[int, int], rows: tuple[int, int], units: Units) -> Effect:
    return measure_share((rows[0] - present[0], rows[1] - present[1]), rows, units)


def _describe_numbers(values: FloatArray, rows: int) -> ColumnSide:
    with np.errstate(over="ignore", invalid="ignore"):
        found = {
            "lowest": values[0],
            "highest": values[-1],
            "mean": values.mean(),
            "sd": values.std(),
            "median": values[len(values) // 2],
        }
    finite = {name: float(value) for name, value in found.items() if np.isfinite(value)}
    return ColumnSide(rows=len(values), missing=rows - len(values), **finite)


def _note_range(reference: FloatArray, current: FloatArray) -> list[str]:
    """Return what changed about the ends: a constant, and rows outside the reference's range."""
    was, is_now = (values[0] == values[-1] for values in (reference, current))
    if was and not is_now:
        return [f"was always {_show(reference[0])}, and varies now"]
    if is_now and not was:
        return [f"is always {_show(current[0])} now, and varied before"]
    below = int(np.searchsorted(current, reference[0], side="left"))
    above = len(current) - int(np.searchsorted(current, reference[-1], side="right"))
    if not below + above:
        return []
    share = 100 * (below + above) / len(current)
    shown = "under 0.1" if share < 0.1 else f"{share:.1f}"
    ends = f"{_show(reference[0])} to {_show(reference[-1])}"
    return [f"{shown} % of rows lie outside the reference's range of {ends}"]


def _show(value: float) -> str:
    return f"{value:.4g}" if not abs(value) < 1e6 else f"{float(f'{value:.4g}'):,.10g}".replace("-", MINUS)


def _find_psi(reference: FloatArray, current: FloatArray) -> float:
    """Return the population stability index over the reference's deciles."""
    edges = np.unique(reference[np.arange(1, PSI_BINS) * len(reference) // PSI_BINS])
    before, after = (_share_between(values, edges).clip(LEAST_SHARE) for values in (reference, current))
    return float((after - before) @ np.log(after / before))


def _share_between(values: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the share of sorted values below the first edge, between neighbours, and from the last edge on."""
    places = np.searchsorted(values, edges, side="left")
    return np.diff(places, prepend=0, append=len(values)) / len(values)


def _bin_both(reference: FloatArray, current: FloatArray) -> Histogram | None:
    ends = [values[int(share * (len(values) - 1))] for values in (reference, current) for share in (0.005, 0.995)]
    low, high = min(ends), max(ends)
    if not (np.isfinite(low) and np.isfinite(high) and np.isfinite(high - low)) or low == high:
        return None
    edges = np.linspace(low, high, BINS + 1)
    return Histogram(
        edges=edges, reference=_share_between(reference, edges[1:-1]), current=_share_between(current, edges[1:-1])
    )


def _measure_categories(pair: TablePair, column: WatchedColumn, owner: str, units: Units) -> MeasuredColumn:
    found = read_categories_of_both(pair, column)
    sizes = found.counts.sizes
    rows = (pair.sides["reference"].rows, pair.sides["current"].rows)
    effects = {"missing": _measure_missing(sizes, rows, units)}
    if sizes[0]:
        effects["total_variation"] = measure_moved_categories(found.counts, units)
        effects["new_values"] = measure_new_values(found.counts, units)
    sides = [
        ColumnSide(rows=size, missing=total - size, distinct=distinct)
        for size, total, distinct in zip(sizes, rows, found.distinct, strict=True)
    ]
    feature = WatchedFeature(
        name=column.name,
        kind="category",
        owner=owner,
        reference=sides[0],
        current=sides[1],
        categories=found.largest,
        notes=tuple(_note_categories(found)),
    )
    return MeasuredColumn(feature=feature, effects=effects)


def _note_categories(found: CategoryPair) -> list[str]:
    before, after = found.distinct
    if before == 1 and after > 1:
        return ["had one value only, and has several now"]
    if after == 1 and before > 1:
        return [f"is always '{next(c.value for c in found.largest if c.current > 0)}' now, and varied before"]
    gone = _count_gone(found.counts)
    return [f"{gone:,} of {before:,} values no longer occur"] if gone and before <= 50 else []


def _count_gone(counts: CategoryCounts) -> int:
    return int(counts.categories[(counts.reference > 0) & (counts.current == 0)].sum())
