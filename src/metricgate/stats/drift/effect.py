"""An effect between two samples of different rows, and the rows that would decide it."""

from dataclasses import dataclass
from math import ceil, inf

from metricgate.stats.interval import Interval

Units = tuple[float, float]
"""How many independent units a row of the reference and a current row counts as: 1, or less where rows depend on each
other. With n rows in groups of sizes g it is n / sum(g²), as if the rows of a group were all the same row."""
INDEPENDENT: Units = (1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How far the current rows lie from the reference; 0 is no shift, and more is further.

    Attributes
    ----------
    value : the estimate, in the unit of the effect, not negative.
    expected : what two samples of these sizes show on average although nothing moved.
    interval : its bounds, each one-sided at a given error.
    rows : of the smaller side; groups count as one row each.
    """

    value: float
    expected: float
    interval: Interval
    rows: int

    def count_needed_rows(self, margin: float, tail: float) -> int | None:
        """Return about how many rows on each side would decide; None where no number would, at the margin itself.

        Both bounds approach the estimate as one over the square root of the rows.
        """
        low, high = self.interval.bounds(tail)
        true = max(self.value - self.expected, 0.0)
        reach = high - self.value + self.expected if true < margin else self.value - low
        gap = abs(margin - true)
        factor = (reach / gap) ** 2 if gap > 0 else inf
        return ceil(self.rows * factor) if factor < 1e6 else None
