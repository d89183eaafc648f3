"""Rows as arrays: what metrics are computed from. Row i is the same test example everywhere in one pair."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
COST_COLUMNS = frozenset({"seconds", "tokens", "cost"})
"""What an answer took, in logs of evaluation tools: measured anew in each run, and no part of what was said."""
Task = Literal["binary", "multiclass", "regression", "score"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Categorical:
    """A column with few values: ``codes`` (any integer type, shape (n,)) index ``values``; -1 is missing."""

    codes: NDArray[Any]
    values: tuple[str, ...]

    def take(self, rows: NDArray[Any]) -> "Categorical":
        return replace(self, codes=self.codes[rows])


def _rows(array: NDArray[Any] | None, rows: NDArray[Any]) -> NDArray[Any] | None:
    return None if array is None else array[rows]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """One model on n test rows.

    Attributes
    ----------
    task : binary, multiclass, regression, or score (rows carry numbers of their own, no label)
    rows : n
    label : binary: 0/1, 1 positive; multiclass: codes into ``classes``; regression: float64; score: None
    prediction : in the coding of ``label``; None where only scores exist
    scores : binary: float64, shape (n,), of the positive class; multiclass: shape (n, k), in the order of ``classes``
    weight : float64, shape (n,), not negative, or None for equal weights
    classes : the label values as text; binary: (negative, positive)
    columns : numeric columns of the file by name, float64, for formulas of row sums
    answer_hash : uint64, shape (n,), of what the model said, beside its score; None where rows do not hold it
    ends : by column, the lowest and the highest that rows could hold, each of shape (n,), where some of what a row
        averages has no value; NaN where nothing bounds it
    """

    task: Task
    rows: int
    label: NDArray[Any] | None = None
    prediction: NDArray[Any] | None = None
    scores: FloatArray | None = None
    weight: FloatArray | None = None
    classes: tuple[str, ...] = ()
    columns: Mapping[str, FloatArray] = field(default_factory=lambda: MappingProxyType({}))
    answer_hash: NDArray[Any] | None = None
    ends: Mapping[str, tuple[FloatArray, FloatArray]] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def order(self) -> NDArray[Any]:
        """The rows by rising score of two classes, shape (n,), ties in any order; kept for all rankings."""
        order: NDArray[Any] = np.argsort(np.asarray(self.scores))
        return order.astype(np.min_scalar_type(self.rows))

    def take(self, rows: NDArray[Any]) -> "Sample":
        """Return the sample of ``rows``: indices (repeats allowed) or a boolean mask."""
        count = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
        return replace(
            self,
            rows=count,
            label=_rows(self.label, rows),
            prediction=_rows(self.prediction, rows),
            scores=_rows(self.scores, rows),
            weight=_rows(self.weight, rows),
            answer_hash=_rows(self.answer_hash, rows),
            columns=MappingProxyType({name: values[rows] for name, values in self.columns.items()}),
            ends=MappingProxyType({name: (low[rows], high[rows]) for name, (low, high) in self.ends.items()}),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class SamplePair:
    """Both models on the same n rows: equal labels, weights and groups.

    ``group`` marks rows that are not independent of each other: integer codes 0 … G-1, or None. ``same_model``: the
    stage that wrote the answers had the same inputs for both, the model among them. ``memo`` keeps what several metrics
    of these rows need.
    """

    baseline: Sample
    candidate: Sample
    group: IntArray | None = None
    same_model: bool = False
    memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def rows(self) -> int:
        return self.candidate.rows

    def take(self, rows: NDArray[Any]) -> "SamplePair":
        group = None if self.group is None else np.unique(self.group[rows], return_inverse=True)[1].astype(np.int64)
        return replace(self, baseline=self.baseline.take(rows), candidate=self.candidate.take(rows), group=group)
