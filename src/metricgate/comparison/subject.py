"""The subject of a comparison: one prediction set of the candidate and, where there is one, of the baseline.

Gates ask it for contrasts by metric and slice. It names what is missing, on which side, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from metricgate.comparison.readings import READINGS, Reading, applies, find_answer_style, read_as
from metricgate.comparison.worst_answers import AnswerStyle
from metricgate.models.outcome import MissingCode
from metricgate.models.result import Pairing, Slice
from metricgate.models.samples import Categorical, IntArray, Sample, SamplePair
from metricgate.predictions import PairedSet, Predictions
from metricgate.stats.contrast import Contrast, contrast
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.registry import find_metric

MissingSide = Literal["baseline", "candidate", "both"]


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A missing value: its side, a code for the reason, and the reason as a sentence."""

    side: MissingSide
    code: MissingCode
    reason: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """Both models' predictions on the same rows; without a baseline, the candidate's alone."""

    name: str
    candidate: Predictions
    baseline: Predictions | None = None
    paired: PairedSet | None = None
    baseline_problem: str = ""  # why the baseline's predictions exist but cannot be read
    _subsets: dict[Slice, IntArray] = field(default_factory=dict, init=False, repr=False)
    _recent: dict[Slice, SamplePair] = field(default_factory=dict, init=False, repr=False)
    _contrasts: dict[tuple[str, Slice | None], Contrast] = field(default_factory=dict, init=False, repr=False)
    _readings: dict[tuple[Reading, AnswerStyle], "Subject"] = field(default_factory=dict, init=False, repr=False)

    @property
    def pairing(self) -> Pairing | None:
        return self.paired.pairing if self.paired else None

    @cached_property
    def slice_values(self) -> Mapping[str, tuple[str, ...]]:
        """The values of each slice column, of both sides where there are two."""
        slices = self.paired.slices if self.paired else self.candidate.slices
        return {column: categorical.values for column, categorical in slices.items()}

    @property
    def rows(self) -> int:
        return self.paired.pair.rows if self.paired else self.candidate.rows

    def rows_of(self, slice_: Slice | None) -> IntArray | None:
        """Return the row numbers of a slice in the paired order (the candidate's where there is no baseline)."""
        return None if slice_ is None else self._rows_in(slice_)

    def _rows_in(self, slice_: Slice) -> IntArray:
        if slice_ not in self._subsets:
            slices = self.paired.slices if self.paired else self.candidate.slices
            self._subsets[slice_] = _rows_with(slices[slice_.column], slice_.value)
        return self._subsets[slice_]

    def pair(self, slice_: Slice | None) -> SamplePair | None:
        """Return both models' rows of a slice; the last slice is kept, since callers ask for its metrics one by one."""
        if self.paired is None:
            return None
        if slice_ is None:
            return self.paired.pair
        if slice_ not in self._recent:
            self._recent.clear()
            self._recent[slice_] = self.paired.pair.take(self._rows_in(slice_))
        return self._recent[slice_]

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The other readings by which a gate must pass, because the candidate's rows or labels are not the baseline's."""
        paired = self.paired
        return () if paired is None else tuple(reading for reading in READINGS if applies(reading, paired))

    def read_as(self, reading: Reading, metric: Metric, slice_: Slice | None) -> "Subject | None":
        """Return the subject by another reading; None where no answer on absent rows is the worst for the metric."""
        paired = self.paired
        assert paired is not None  # noqa: S101  # there are other readings
        style = find_answer_style(reading, paired, metric, slice_)
        if style is None:
            return None
        if (reading, style) not in self._readings:
            self._readings[reading, style] = replace(self, paired=read_as(reading, paired, style))
        return self._readings[reading, style]

    def judged_sample(self, slice_: Slice | None) -> Sample:
        """Return the candidate's rows that are judged: those that both sides have or, without a baseline, all."""
        pair = self.pair(slice_)
        return self.candidate_sample(slice_) if pair is None else pair.candidate

    def judged_group(self, slice_: Slice | None) -> IntArray | None:
        """Return the groups of ``judged_sample``'s rows as codes; None where rows are independent."""
        pair = self.pair(slice_)
        return self.candidate_group(slice_) if pair is None else pair.group

    def candidate_sample(self, slice_: Slice | None) -> Sample:
        """Return all rows of the candidate, or those of a slice, with the ones that the baseline lacks."""
        rows = self._own_rows(slice_)
        return self.candidate.sample if rows is None else self.candidate.sample.take(rows)

    def _own_rows(self, slice_: Slice | None) -> IntArray | None:
        if slice_ is None:
            return None
        column = self.candidate.slices.get(slice_.column)
        return np.empty(0, dtype=np.int64) if column is None else _rows_with(column, slice_.value)

    def find(self, metric: str) -> Metric:
        sample = self.candidate.sample
        columns = {*sample.columns, *(self.paired.pair.baseline.columns if self.paired else ())}
        return find_metric(metric, task=sample.task, classes=sample.classes, columns=columns)

    def candidate_group(self, slice_: Slice | None) -> IntArray | None:
        """Return the groups of ``candidate_sample``'s rows as codes; None where rows are independent."""
        group = self.candidate.group
        if group is None:
            return None
        codes: IntArray = np.unique(group.values, return_inverse=True)[1].astype(np.int64)
        rows = self._own_rows(slice_)
        if rows is None:
            return codes
        return np.unique(codes[rows], return_inverse=True)[1].astype(np.int64)

    def _is_part(self, slice_: Slice | None) -> bool:
        """Return whether equality on these rows would prove nothing, since the models differ elsewhere."""
        return slice_ is not None and self.pairing is not None and not self.pairing.identical

    def contrast(self, metric: Metric, slice_: Slice | None = None, *, factor: float = 1.0) -> Contrast | Missing:
        """Return the difference of both models in one metric, or what is missing for it and on which side.

        Plain differences are kept: gates ask for them first, then the table of all metrics.
        """
        key = (metric.name, slice_)
        if factor == 1.0 and key in self._contrasts:
            return replace(self._contrasts[key], metric=metric)
        result = self._compare(metric, slice_, factor)
        if factor == 1.0 and isinstance(result, Contrast):
            self._contrasts[key] = result
        return result

    def _compare(self, metric: Metric, slice_: Slice | None, factor: float) -> Contrast | Missing:
        pair = self.pair(slice_)
        if pair is None and self.baseline_problem:
            return Missing(side="baseline", code="unreadable", reason=self.baseline_problem)
        if pair is None:
            return Missing(side="baseline", code="no_baseline", reason="there is no baseline to compare with")
        try:
            return contrast(pair, metric, factor=factor, part=self._is_part(slice_))
        except MetricUndefined as undefined:
            parts = (*metric.columns, *sorted(metric.needs))
            unusable = [self.candidate.unusable[name] for name in parts if name in self.candidate.unusable]
            reason = " ".join([undefined.reason, *unusable])
            return Missing(side=_sides_lacking(pair, metric), code=undefined.code, reason=reason)


def _sides_lacking(pair: SamplePair, metric: Metric) -> MissingSide:
    if not is_defined(pair.candidate, metric):
        return "candidate" if is_defined(pair.baseline, metric) else "both"
    return "baseline"


def is_defined(sample: Sample, metric: Metric) -> bool:
    """Return whether the metric has a value on the sample."""
    try:
        metric.evaluate(sample)
    except MetricUndefined:
        return False
    return True


def _rows_with(column: Categorical, value: str) -> IntArray:
    if value not in column.values:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(column.codes == column.values.index(value))
