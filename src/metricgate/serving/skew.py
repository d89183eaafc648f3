"""Which served answers are not the judged ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metricgate.models.serving import MOST_SKEWED, SkewedValue
from metricgate.serving.judged_rows import JudgedRows, as_number, is_equal
from metricgate.serving.protocols import AnswerError, Cell

MAX_SHOWN = 40


@dataclass
class Skew:
    """What differs so far. ``largest``: between two numbers."""

    rows: int = 0
    largest: float | None = None
    columns: dict[str, None] = field(default_factory=dict)
    values: list[SkewedValue] = field(default_factory=list)


def pick_answers(entry: Any, columns: Sequence[str], where: str | int | None) -> Mapping[str, Any]:
    """Return what one entry of an answer says of each judged column.

    Raises
    ------
    AnswerError
        If it says nothing of one of them.
    """
    if where is not None:
        return {columns[0]: _find(entry, where)}
    if isinstance(entry, dict):
        missing = [name for name in columns if name not in entry]
        if not missing:
            return {name: entry[name] for name in columns}
        if len(columns) == len(entry) == 1:
            return {columns[0]: next(iter(entry.values()))}
        names = ", ".join(str(name)[:MAX_SHOWN] for name in list(entry)[:5])
        raise AnswerError(f"answered with {names or 'an empty object'}, and without {missing[0]}: set `field`")
    if isinstance(entry, list):
        if len(entry) == len(columns):
            return dict(zip(columns, entry, strict=True))
        if len(entry) == 2 and len(columns) == 1:  # the probabilities of two classes, the positive one last
            return {columns[0]: entry[1]}
        raise AnswerError(f"answered with {len(entry)} values for a row, where {len(columns)} are judged: set `field`")
    if len(columns) != 1:
        raise AnswerError(f"answered with one value for a row, where {len(columns)} are judged")
    return {columns[0]: entry}


def _find(entry: Any, where: str | int) -> Any:
    try:
        return entry[where]
    except (LookupError, TypeError):
        raise AnswerError(f"answered without the field {where}") from None


def add_skew(skew: Skew, judged: JudgedRows, row: int, served: Mapping[str, Any], tolerance: float) -> None:
    """Compare one row, and note what differs."""
    differs = False
    for column, value in served.items():
        expected = judged.answers[column][row]
        gap = _measure_gap(expected, value)
        if gap is not None:
            skew.largest = max(skew.largest or 0.0, gap)
        if _agree(expected, value, gap, tolerance):
            continue
        differs = True
        skew.columns[column] = None
        if len(skew.values) < MOST_SKEWED:
            skew.values.append(
                SkewedValue(row=judged.names[row], column=column, judged=_show(expected), served=_show(value))
            )
    skew.rows += differs


def _measure_gap(expected: Cell, value: Any) -> float | None:
    one, other = as_number(expected), as_number(value)
    return None if one is None or other is None else abs(one - other)


def _agree(expected: Cell, value: Any, gap: float | None, tolerance: float) -> bool:
    if gap is not None:
        return gap <= tolerance * max(1.0, abs(as_number(expected) or 0.0))
    return (
        expected is not None and not isinstance(value, dict | list) and value is not None and is_equal(expected, value)
    )


def _show(value: Any) -> str:
    return "" if value is None else f"{value}"[:MAX_SHOWN]
