"""One column of two tables as the statistics need it: how many categories have which counts, and the largest moves."""

from dataclasses import dataclass

from metricgate.models.column_counts import CategoryCounts
from metricgate.models.watch import MOST_CATEGORIES, CategoryShare
from metricgate.predictions.table_pair import TablePair
from metricgate.predictions.watched_column import WatchedColumn


@dataclass(frozen=True, eq=False, kw_only=True)
class CategoryPair:
    """A column of categories on both sides; ``largest``: the categories whose share changed most."""

    counts: CategoryCounts
    largest: tuple[CategoryShare, ...]
    distinct: tuple[int, int]


def read_categories_of_both(pair: TablePair, column: WatchedColumn) -> CategoryPair:
    """Count a column's categories on both sides, in DuckDB, so that many different ones need no memory here."""
    sides = " UNION ALL ".join(
        f"SELECT {value} AS value, {int(side == 'reference')} AS ours, {int(side == 'current')} AS theirs FROM {side}"
        for side, value in column.values.items()
    )
    pair.ask(
        "CREATE OR REPLACE TEMP TABLE counts AS SELECT value, sum(ours)::BIGINT AS ours, sum(theirs)::BIGINT AS theirs "
        f"FROM ({sides}) WHERE value IS NOT NULL GROUP BY value"
    )
    reference, current, categories = pair.fetch(
        "SELECT ours, theirs, count(*) FROM counts GROUP BY ours, theirs ORDER BY 1, 2"
    )
    counts = CategoryCounts(
        reference=reference.astype("int64"), current=current.astype("int64"), categories=categories.astype("int64")
    )
    rows, fresh = (max(size, 1) for size in counts.sizes)
    largest = pair.ask(
        f"SELECT left(value, 80), ours / {rows}, theirs / {fresh} FROM counts "
        f"ORDER BY abs(ours / {rows} - theirs / {fresh}) DESC, value LIMIT {MOST_CATEGORIES}"
    )
    pair.ask("DROP TABLE counts")
    return CategoryPair(
        counts=counts,
        largest=tuple(CategoryShare(value=str(v), reference=before, current=after) for v, before, after in largest),
        distinct=(
            int(counts.categories[counts.reference > 0].sum()),
            int(counts.categories[counts.current > 0].sum()),
        ),
    )
