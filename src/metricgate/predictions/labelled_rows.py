"""Which rows of a table have their true label already, and which are old enough that they should."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.predictions.file_formats import quote_name, quote_text
from metricgate.predictions.prediction_table import as_array, open_table


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
        stamp = f"try_cast({quote_name(time)}::VARCHAR AS TIMESTAMP)"
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
            table.require(time, "time")
            limit = quote_text(until.strftime("%Y-%m-%d %H:%M:%S"))
            stamp = f"try_cast({table.as_text(time)} AS TIMESTAMP)"
            mature = as_array(table.fetch(f"coalesce({stamp} <= {limit}::TIMESTAMP, false)"))
        inside = np.ones(len(known), dtype=np.bool_)
        if time is not None and month is not None:
            inside = as_array(table.fetch(f"coalesce({month.select(time)}, false)"))
    mature, young = mature & inside, ~mature & inside
    return LabelledRows(judged=known & mature, mature=int(np.count_nonzero(mature)), young=int(np.count_nonzero(young)))


def find_newest(file: Path, shown: str, time: str) -> datetime | None:
    """Return the latest time in a column; None where no value of it is a time."""
    with open_table(file, shown) as table:
        table.require(time, "time")
        ((newest,),) = table.ask(f"SELECT max(try_cast({table.as_text(time)} AS TIMESTAMP)) FROM rows")
    found: Any = newest
    return found if isinstance(found, datetime) else None


def list_months(file: Path, shown: str, time: str) -> list[Month]:
    """Return the months that a column of times has rows in, the first one first."""
    with open_table(file, shown) as table:
        table.require(time, "time")
        stamp = f"date_trunc('month', try_cast({table.as_text(time)} AS TIMESTAMP))"
        found = table.ask(
            f"SELECT DISTINCT {stamp}::TIMESTAMP AS m, ({stamp} + INTERVAL 1 MONTH)::TIMESTAMP FROM rows "
            f"WHERE {stamp} IS NOT NULL ORDER BY m"
        )
    return [Month(start=start, end=end) for start, end in found]
