"""What a report must not show: the categories of the data and its ends or, on request, the names of features too."""

from collections.abc import Sequence
from dataclasses import replace

from metricgate.models.watch import CategoryShare, ColumnSide, WatchedFeature
from metricgate.monitoring.column_measurement import MeasuredColumn
from metricgate.settings.monitor import Redaction


def redact_columns(columns: Sequence[MeasuredColumn], how: Redaction | None) -> tuple[MeasuredColumn, ...]:
    """Return the columns without their values: ``value 1`` stands for a category; with ``names``, ``feature 1`` too."""
    if how is None:
        return tuple(columns)
    known = [column.feature.name for column in columns if column.feature.role == "feature"]
    names = {name: f"feature {number}" for number, name in enumerate(known, 1)} if how == "names" else {}
    return tuple(_redact(column, names, how) for column in columns)


def _redact(column: MeasuredColumn, names: dict[str, str], how: Redaction) -> MeasuredColumn:
    feature = column.feature
    if feature.role == "joint":
        return replace(column, feature=feature.model_copy(update={"notes": () if how == "names" else feature.notes}))
    changed = {
        "name": names.get(feature.name, feature.name),
        "categories": tuple(
            CategoryShare(value=f"value {number}", reference=one.reference, current=one.current)
            for number, one in enumerate(feature.categories, 1)
        ),
        "notes": feature.notes if feature.kind == "skipped" else (),
        "reference": _hide_ends(feature.reference),
        "current": _hide_ends(feature.current),
    }
    return replace(column, feature=WatchedFeature.model_validate({**feature.model_dump(), **changed}))


def _hide_ends(side: ColumnSide | None) -> ColumnSide | None:
    """Return one side without its smallest and largest value, which are those of single rows."""
    return None if side is None else side.model_copy(update={"lowest": None, "highest": None})
