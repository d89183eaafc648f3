"""Which rows of a table have their true label already, and which are old enough that they should."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metricgate.errors import PredictionsError
from metricgate.predictions.file_formats import quote_name, quote_text
from metricgate.predictions.prediction_table import PredictionTable, as_array, open_table
from metricgate.predictions.wording import count_rows


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelledRows:
    """``judged``: mature rows with a label, shape (n,); how many rows are mature, and how many are too young."""

    judged: NDArray[np.bool_]
    mature: int
    young: int

    @property
    def labelled(self) -> int:
        return int(np.count_nonzero(self.judged))

    @property
    def missing_share(self) -> float:
        """The share of mature rows whose label has not come."""
        return 1 - self.labelled / self.mature if self.mature else 1.0


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month of rows: from ``start`` to before ``end``."""

    start: datetime
    end: datetime

    def select(self, time: str) -> str:
        """Return an SQL condition for its rows."""
        stamp = _read_time(f"{quote_name(time)}::VARCHAR")
        start, end = (quote_text(f"{day:%Y-%m-%d}") for day in (self.start, self.end))
        return f"({stamp} >= {start}::TIMESTAMP AND {stamp} < {end}::TIMESTAMP)"


def find_labelled_rows(
    file: Path,
    shown: str,
    *,
    label: str,
    time: str | None = None,
    until: datetime | None = None,
    month: Month | None = None,
) -> LabelledRows:
    """Find the rows with a label. ``until``: rows later than this are too young to have one.

    Raises
    ------
    PredictionsError
        If a column does not exist, or a time cannot be read.
    """
    with open_table(file, shown) as table:
        table.require(label, "labels")
        text = f"trim({table.as_text(label)})"
        known = as_array(table.fetch(f"({text} IS NOT NULL AND lower({text}) NOT IN ('', 'nan'))"))
        mature = np.ones(len(known), dtype=np.bool_)
        if time is not None and until is not None:
            _require_times(table, time)
            limit = quote_text(until.strftime("%Y-%m-%d %H:%M:%S"))
            stamp = _read_time(table.as_text(time))
            mature = as_array(table.fetch(f"coalesce({stamp} <= {limit}::TIMESTAMP, false)"))
        inside = np.ones(len(known), dtype=np.bool_)
        if time is not None and month is not None:
            inside = as_array(table.fetch(f"coalesce({month.select(time)}, false)"))
    mature, young = mature & inside, ~mature & inside
    return LabelledRows(judged=known & mature, mature=int(np.count_nonzero(mature)), young=int(np.count_nonzero(young)))


def find_newest(file: Path, shown: str, time: str) -> datetime:
    """Return the latest time in a column.

    Raises
    ------
    PredictionsError
        If a value is not a time, or the column has no value.
    """
    with open_table(file, shown) as table:
        _require_times(table, time)
        ((newest,),) = table.ask(f"SELECT max({_read_time(table.as_text(time))}) FROM rows")
    found: datetime = newest
    return found


def _read_time(text: str) -> str:
    """Return SQL for a text as a time in UTC, null where it is none; a cast to TIMESTAMP would ignore its offset."""
    return f"make_timestamp(epoch_us(try_cast({text} AS TIMESTAMPTZ)))"


def _require_times(table: PredictionTable, time: str) -> None:
    """Raise PredictionsError unless every value of a column is a time or missing, and one is there."""
    table.require(time, "time")
    text = f"trim({table.as_text(time)})"
    is_there = f"{text} IS NOT NULL AND lower({text}) NOT IN ('', 'nan', 'nat')"
    wrong = f"({is_there} AND {_read_time(text)} IS NULL)"
    ((there, unread),) = table.ask(f"SELECT count(*) FILTER ({is_there}), count(*) FILTER {wrong} FROM rows")
    if there and not unread:
        return
    where = "holds no time"
    if unread:
        row = int(np.flatnonzero(as_array(table.fetch(f"coalesce({wrong}, false)")))[0]) + 1
        where = f"holds something else than a time in {count_rows(unread)}, first in row {row}"
    raise PredictionsError(
        f"{table.path}: column '{time}', the `time` of `monitor:`, {where}.",
        expected="times such as 2026-06-30 or 2026-06-30T12:00:00Z.",
        fix="write them so where the file is made: seconds since 1970 are numbers, not times.",
        topic="two-tables-that-cannot-be-compared",
    )


def list_months(file: Path, shown: str, time: str) -> list[Month]:
    """Return the months that a column of times has rows in, the first one first."""
    with open_table(file, shown) as table:
        _require_times(table, time)
        stamp = f"date_trunc('month', {_read_time(table.as_text(time))})"
        found = table.ask(
            f"SELECT DISTINCT {stamp}::TIMESTAMP AS m, ({stamp} + INTERVAL 1 MONTH)::TIMESTAMP FROM rows "
            f"WHERE {stamp} IS NOT NULL ORDER BY m"
        )
    return [Month(start=start, end=end) for start, end in found]
