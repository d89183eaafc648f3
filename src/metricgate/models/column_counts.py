"""A column of two tables as counts: categories by how many rows they have, and numbers between edges."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class CategoryCounts:
    """How many categories have which counts: ``categories[i]`` of them have ``reference[i]`` and ``current[i]`` rows."""

    reference: Counts
    current: Counts
    categories: Counts

    @property
    def sizes(self) -> tuple[int, int]:
        """The rows of both sides."""
        return int(self.reference @ self.categories), int(self.current @ self.categories)


@dataclass(frozen=True, eq=False, kw_only=True)
class Histogram:
    """The share of rows of both sides between neighbouring edges; the first and the last bin hold the tails."""

    edges: FloatArray
    reference: FloatArray
    current: FloatArray
