"""What a column of two tables is, a number or a category, and its values in SQL. A column that changed is an error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from metricgate.errors import PredictionsError
from metricgate.predictions.file_formats import quote_name
from metricgate.predictions.table_pair import SIDES, SideName, TablePair, as_text
from metricgate.predictions.wording import count_rows, list_names

ColumnKind = Literal["number", "category", "skipped"]
MAX_CODES = 20  # whole numbers with no more different values are categories
LEAST_UNIQUE = 200  # rows: unique values of fewer may be chance
MOSTLY = 0.9  # a column of text with as large a share of numbers was meant to hold numbers
_NUMBERS = re.compile(r"(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*)")
_TIMES = re.compile(r"(DATE|TIME|TIMESTAMP).*")
_PLAIN = re.compile(r"(VARCHAR|BOOLEAN|JSON|UUID|ENUM\(.*|INTERVAL|BIT)")
_ID_NAME = re.compile(r"(?i:(.*[_\W])?(id|uuid|guid|key|index|rownum|row_?number)|Unnamed: ?0)|.*[a-z]I[dD]")
_UNUSABLE = {"time": "is a time, which always moves", "nested": "is a list or a structure"}
_MISSING = "('', 'nan', 'na', 'n/a', 'null', 'none')"  # in a column of numbers; of text, only the first two


@dataclass(frozen=True, kw_only=True)
class WatchedColumn:
    """A column of both tables. ``values``: SQL of each side, null where the value is missing.

    Numbers are DOUBLE, categories VARCHAR; ``reason`` says why a column is skipped.
    """

    name: str
    kind: ColumnKind
    values: Mapping[SideName, str]
    reason: str = ""


def require_columns(pair: TablePair, columns: tuple[str, ...]) -> None:
    """Raise PredictionsError if the current table lacks one of the columns, naming a likely new name."""
    current, reference = pair.sides["current"], pair.sides["reference"]
    gone = [column for column in columns if column not in current.types]
    if not gone:
        return
    added = [column for column in current.types if column not in reference.types]
    near = get_close_matches(gone[0], added, n=1) or (added if len(added) == 1 and len(gone) == 1 else [])
    renamed = f"; did it become '{near[0]}'?" if near else ""
    more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
    raise PredictionsError(
        f"{current.shown} has no column '{gone[0]}'{more}, which {reference.shown} has{renamed}",
        expected=f"the columns of the reference; it has {list_names(tuple(current.types))}.",
        fix="correct the query or the stage that writes the file, or name the columns to watch under "
        "`monitor: features:`.",
        topic="two-tables-that-cannot-be-compared",
    )


def classify_column(pair: TablePair, name: str, wanted: Literal["number", "category"] | None = None) -> WatchedColumn:
    """Return what a column is. ``wanted``: as the policy says.

    Raises
    ------
    PredictionsError
        If it holds text among numbers, changed its type, or has no value on the current side.
    """
    kinds = {side: _kind_of_type(pair, side, name) for side in SIDES}
    unusable = next((_UNUSABLE[kind] for kind in kinds.values() if kind in _UNUSABLE), "")
    if unusable and kinds["reference"] != kinds["current"] and all(pair.sides[side].typed for side in SIDES):
        raise _changed_type(pair, name, kinds)
    counted = {} if unusable else {side: _count(pair, side, name, kinds[side]) for side in SIDES}
    if unusable or not any(count.present for count in counted.values()):
        return _skip(name, unusable or "has no value on either side")
    _require_values(pair, name, counted["current"])
    kind: str = wanted or ""
    if wanted != "category":
        kind = _settle(pair, name, kinds, counted, is_wanted=wanted == "number")
    if wanted is None and (reason := _explain_skip(pair, name, kind)):
        return _skip(name, reason)
    if wanted is None and kind == "number" and _has_few_codes(pair, _values(pair, name, kind)):
        kind = "codes"
    return WatchedColumn(name=name, kind="number" if kind == "number" else "category", values=_values(pair, name, kind))


def _require_values(pair: TablePair, name: str, current: "_Count") -> None:
    if current.present:
        return
    side = pair.sides["current"]
    raise PredictionsError(
        f"{side.shown}: column '{name}' has no value in any of {count_rows(side.rows)}, from row 1 on.",
        expected="values, as in the reference.",
        fix="correct the query or the stage that writes the file.",
        topic="two-tables-that-cannot-be-compared",
    )


def _explain_skip(pair: TablePair, name: str, kind: str) -> str:
    """Return why a column of this kind cannot be watched; empty where it can."""
    if kind == "text" and all(_is_all_times(pair, side, name) for side in SIDES):
        return _UNUSABLE["time"]
    values = _values(pair, name, kind)
    if kind not in {"number", "text"} or not _is_unique(pair, values):
        return ""
    if kind == "text" and all(pair.sides[side].rows >= LEAST_UNIQUE for side in SIDES):
        return "has another value in every row, as an id or free text has"
    return "has another value in every row, as an id has" if _is_id(pair, name, values, kind) else ""


@dataclass(frozen=True, kw_only=True)
class _Count:
    """Values of one side: those that are not missing, and those of them that are numbers."""

    present: int
    numbers: int


_Kind = Literal["number", "text", "boolean", "time", "nested"]


def _skip(name: str, reason: str) -> WatchedColumn:
    return WatchedColumn(name=name, kind="skipped", values={}, reason=reason)


def _kind_of_type(pair: TablePair, side: SideName, name: str) -> _Kind:
    sql_type = pair.sides[side].types[name]
    if _NUMBERS.fullmatch(sql_type):
        return "number"
    if _TIMES.fullmatch(sql_type):
        return "time"
    if not _PLAIN.fullmatch(sql_type):
        return "nested"
    return "boolean" if sql_type == "BOOLEAN" else "text"


def _number(pair: TablePair, side: SideName, name: str) -> str:
    table = pair.sides[side]
    if _NUMBERS.fullmatch(table.types[name]):
        number = f"{quote_name(name)}::DOUBLE"
        return f"(CASE WHEN isnan({number}) THEN NULL ELSE {number} END)"
    text = as_text(table, name)
    return f"try_cast(CASE WHEN lower({text}) IN {_MISSING} THEN NULL ELSE {text} END AS DOUBLE)"


def _text(pair: TablePair, side: SideName, name: str) -> str:
    text = as_text(pair.sides[side], name)
    return f"(CASE WHEN lower({text}) IN ('', 'nan') THEN NULL ELSE {text} END)"


def _values(pair: TablePair, name: str, kind: str) -> dict[SideName, str]:
    """Return the SQL of both sides. Codes, and what is boolean on either side, are spelled alike in every format."""
    if kind == "number":
        return {side: _number(pair, side, name) for side in SIDES}
    numeric = {side: bool(_NUMBERS.fullmatch(pair.sides[side].types[name])) for side in SIDES}
    if kind == "codes" or any(numeric.values()):
        numbers = {side: _number(pair, side, name) for side in SIDES}
        spelled = {
            side: f"(CASE WHEN {n} = floor({n}) AND abs({n}) < 1e15 THEN {n}::BIGINT::VARCHAR ELSE {n}::VARCHAR END)"
            for side, n in numbers.items()
        }
        if kind == "codes":
            return spelled
        return {side: f"coalesce({spelled[side]}, {_text(pair, side, name)})" for side in SIDES}
    texts = {side: _text(pair, side, name) for side in SIDES}
    is_boolean = any(pair.sides[side].types[name] == "BOOLEAN" for side in SIDES)
    return {side: f"lower({text})" for side, text in texts.items()} if is_boolean else texts


def _count(pair: TablePair, side: SideName, name: str, kind: _Kind) -> _Count:
    if kind == "number":
        ((present,),) = pair.ask(f"SELECT count({_number(pair, side, name)}) FROM {side}")
        return _Count(present=int(present), numbers=int(present))
    text, number = as_text(pair.sides[side], name), _number(pair, side, name)
    ((present, numbers),) = pair.ask(
        f"SELECT count(*) FILTER ({text} IS NOT NULL AND lower({text}) NOT IN {_MISSING}), count({number}) FROM {side}"
    )
    return _Count(present=int(present), numbers=int(numbers))


def _settle(
    pair: TablePair, name: str, kinds: Mapping[SideName, _Kind], counted: Mapping[SideName, _Count], *, is_wanted: bool
) -> str:
    """Return ``number``, ``text`` or ``boolean``, by the reference."""
    reference, current = counted["reference"], counted["current"]
    if not reference.present:
        return "number" if kinds["current"] == "number" else "text"
    if "boolean" in kinds.values() and kinds["reference"] != "number" and kinds["current"] != "number":
        return "boolean"
    typed = {side: pair.sides[side].typed for side in SIDES}
    if all(typed.values()) and kinds["reference"] != kinds["current"]:
        raise _changed_type(pair, name, kinds)
    if typed["reference"] and kinds["reference"] == "text" and not is_wanted:
        return "text"
    if reference.numbers < reference.present:
        if not is_wanted and reference.numbers < MOSTLY * reference.present:
            return "text"
        raise _text_among_numbers(pair, "reference", name, reference)
    if current.numbers < current.present:
        raise _text_among_numbers(pair, "current", name, current)
    return "number"


def _changed_type(pair: TablePair, name: str, kinds: Mapping[SideName, _Kind]) -> PredictionsError:
    words = {
        "number": "numbers",
        "text": "text",
        "boolean": "true and false",
        "time": "times",
        "nested": "lists or structures",
    }
    reference, current = pair.sides["reference"], pair.sides["current"]
    row, value = pair.find_row("current", f"{quote_name(name)} IS NOT NULL", quote_name(name))
    return PredictionsError(
        f"{current.shown}: column '{name}' holds {words[kinds['current']]} ({current.types[name]}), in row {row} "
        f"{pair.quote(value)}, and {words[kinds['reference']]} ({reference.types[name]}) in {reference.shown}.",
        expected="the same type on both sides.",
        fix="correct the query or the stage that writes the file.",
        topic="two-tables-that-cannot-be-compared",
    )


def _text_among_numbers(pair: TablePair, side: SideName, name: str, count: _Count) -> PredictionsError:
    text = as_text(pair.sides[side], name)
    wrong = f"{_number(pair, side, name)} IS NULL AND {text} IS NOT NULL AND lower({text}) NOT IN {_MISSING}"
    row, value = pair.find_row(side, wrong, quote_name(name))
    comma = " (a decimal comma?)" if re.fullmatch(r"\s*-?\d+,\d+\s*", value) else ""
    return PredictionsError(
        f"{pair.sides[side].shown}: column '{name}' holds numbers, but not in {count_rows(count.present - count.numbers)}"
        f"; the first is row {row}: {pair.quote(value)}{comma}.",
        expected="a number or nothing in every row.",
        fix="correct the query or the stage that writes the file; where the column holds categories, say so under "
        f"`monitor: features: {{{name}: {{type: category}}}}`.",
        topic="two-tables-that-cannot-be-compared",
    )


def _is_all_times(pair: TablePair, side: SideName, name: str) -> bool:
    text = _text(pair, side, name)
    ((other, some),) = pair.ask(
        f"SELECT count(*) FILTER ({text} IS NOT NULL AND try_cast({text} AS TIMESTAMP) IS NULL), count({text}) "
        f"FROM {side}"
    )
    return bool(some and not other)


def _is_unique(pair: TablePair, values: Mapping[SideName, str]) -> bool:
    """Return whether no value occurs twice on a side."""
    for side in SIDES:
        value = values[side]
        ((rows, near),) = pair.ask(
            f"SELECT count(value), approx_count_distinct(value) FROM (SELECT {value} AS value FROM {side})"
        )
        if near < MOSTLY / 2 * rows:
            return False
        ((distinct,),) = pair.ask(f"SELECT count(DISTINCT value) FROM (SELECT {value} AS value FROM {side})")
        if distinct < rows:
            return False
    return True


def _is_id(pair: TablePair, name: str, values: Mapping[SideName, str], kind: str) -> bool:
    """Return whether the name of a column of unique values, or the values, one after the other, are those of an id."""
    if _ID_NAME.fullmatch(name) and (kind == "text" or all(_are_whole(pair, side, values[side]) for side in SIDES)):
        return True
    return _are_consecutive(pair, values["reference"])


def _are_whole(pair: TablePair, side: SideName, value: str) -> bool:
    ((whole,),) = pair.ask(f"SELECT bool_and(n = floor(n)) FROM (SELECT {value} AS n FROM {side})")
    return bool(whole)


def _are_consecutive(pair: TablePair, value: str) -> bool:
    number = f"try_cast({value} AS DOUBLE)"
    ((rows, low, high, whole),) = pair.ask(
        f"SELECT count(*), min(n), max(n), bool_and(n = floor(n)) FROM (SELECT {number} AS n FROM reference)"
    )
    return bool(rows >= LEAST_UNIQUE and whole and high - low < 2 * rows)


def _has_few_codes(pair: TablePair, values: Mapping[SideName, str]) -> bool:
    """Return whether the reference holds whole numbers, and few different ones."""
    ((whole,),) = pair.ask(f"SELECT bool_and(n = floor(n)) FROM (SELECT {values['reference']} AS n FROM reference)")
    if not whole:
        return False
    found = pair.ask(
        f"SELECT DISTINCT n FROM (SELECT {values['reference']} AS n FROM reference) WHERE n IS NOT NULL "
        f"LIMIT {MAX_CODES + 1}"
    )
    return len(found) <= MAX_CODES
