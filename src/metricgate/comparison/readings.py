"""Other readings of a comparison whose rows or labels are not the baseline's: a gate must pass by each of them.

A candidate must not choose what it is judged on. Rows with two labels are judged by both. Rows that only `evaluation`
made comparable must not dilute a loss on the baseline's own. Rows without an answer count as the candidate's worst,
which bounds what they can hide (Manski, Partial Identification of Probability Distributions, 2003, chapter 1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, assert_never

import numpy as np

from metricgate.comparison.worst_answers import AnswerStyle, answer_worst, find_end_style, find_style, grade_worst
from metricgate.models.result import Slice
from metricgate.models.samples import Categorical, Sample, SamplePair
from metricgate.predictions import AbsentRows, PairedSet
from metricgate.stats.metric import Metric

Reading = Literal["relabelled", "own rows", "own rows, relabelled", "ungraded", "absent", "absent, relabelled"]
READINGS: tuple[Reading, ...] = (
    "relabelled",
    "own rows",
    "own rows, relabelled",
    "ungraded",
    "absent",
    "absent, relabelled",
)


def applies(reading: Reading, paired: PairedSet) -> bool:
    """Return whether a reading of these rows differs from the usual one."""
    relabelled, absent = paired.new_label is not None, paired.absent is not None
    fresh = paired.fresh is not None and paired.fresh.any() and not (paired.fresh.all() or paired.pairing.identical)
    match reading:
        case "relabelled":
            return relabelled
        case "own rows":
            return bool(fresh) and not absent
        case "own rows, relabelled":
            return bool(fresh) and relabelled and not absent
        case "ungraded":
            return bool(paired.pair.baseline.ends or paired.pair.candidate.ends)
        case "absent":
            return absent
        case "absent, relabelled":
            return absent and relabelled
        case _:
            assert_never(reading)


def find_answer_style(reading: Reading, paired: PairedSet, metric: Metric, slice_: Slice | None) -> AnswerStyle | None:
    """Return which answers are the worst for the metric on the absent rows; None where no answer is the worst."""
    absent = paired.absent
    if reading == "ungraded":
        return find_end_style(metric, (paired.pair.baseline, paired.pair.candidate))
    if absent is None or not reading.startswith("absent") or not _has_absent(absent, slice_):
        return AnswerStyle(kind="same")
    return find_style(metric, (paired.pair.baseline, paired.pair.candidate, absent.sample))


def _has_absent(absent: AbsentRows, slice_: Slice | None) -> bool:
    """Return whether any absent row belongs to the slice; None is all rows."""
    if slice_ is None:
        return True
    column = absent.slices.get(slice_.column)
    if column is None or slice_.value not in column.values:
        return False
    return bool((column.codes == column.values.index(slice_.value)).any())


def read_as(reading: Reading, paired: PairedSet, style: AnswerStyle) -> PairedSet:
    """Return the rows as this reading has them; the facts about the join stay, but nothing is identical."""
    if reading.endswith("relabelled"):
        paired = accept_labels(paired)
    if style.kind in {"mean", "ends"}:
        paired = replace(paired, pair=grade_worst(paired.pair, style))
    if reading.startswith("own rows") or (reading.startswith("absent") and paired.fresh is not None):
        paired = _leave_fresh_out(paired)
    if reading.startswith("absent"):
        paired = _answer_absent(paired, style)
    return replace(paired, pairing=paired.pairing.model_copy(update={"identical": False}))


def accept_labels(paired: PairedSet) -> PairedSet:
    """Return the set with the candidate's labels."""
    pair, label = paired.pair, paired.new_label
    changed = SamplePair(
        baseline=replace(pair.baseline, label=label), candidate=replace(pair.candidate, label=label), group=pair.group
    )
    return replace(paired, pair=changed)


def _leave_fresh_out(paired: PairedSet) -> PairedSet:
    rows = np.flatnonzero(~np.asarray(paired.fresh))
    slices = {column: values.take(rows) for column, values in paired.slices.items()}
    absent = paired.absent
    if absent is not None and absent.group is not None:
        kept = np.concatenate([rows, np.arange(len(np.asarray(paired.fresh)), len(absent.group))])
        absent = replace(absent, group=absent.group[kept])
    return replace(paired, pair=paired.pair.take(rows), slices=slices, absent=absent)


def _answer_absent(paired: PairedSet, style: AnswerStyle) -> PairedSet:
    pair, absent = paired.pair, paired.absent
    assert absent is not None  # noqa: S101  # the reading applies
    answers = answer_worst(absent.sample, pair.candidate, style)
    group = None if absent.group is None else np.unique(absent.group, return_inverse=True)[1].astype(np.int64)
    whole = SamplePair(
        baseline=_join(pair.baseline, absent.sample), candidate=_join(pair.candidate, answers), group=group
    )
    slices = {column: _join_slices(values, absent, column) for column, values in paired.slices.items()}
    return replace(paired, pair=whole, slices=slices)


def _join(one: Sample, other: Sample) -> Sample:
    parts = {name: _stack(getattr(one, name), getattr(other, name)) for name in ("label", "prediction", "weight")}
    shared = one.columns.keys() & other.columns.keys()
    columns: Mapping[str, Any] = {name: np.concatenate([one.columns[name], other.columns[name]]) for name in shared}
    scores = _stack(one.scores, other.scores)
    return replace(one, rows=one.rows + other.rows, scores=scores, columns=columns, **parts)


def _stack(one: Any, other: Any) -> Any:
    return None if one is None or other is None else np.concatenate([one, other])


def _join_slices(values: Categorical, absent: AbsentRows, column: str) -> Categorical:
    """Return a slice column with the absent rows; one that only the candidate declares does not know theirs."""
    other = absent.slices.get(column)
    codes = np.full(absent.sample.rows, -1) if other is None else other.codes
    return replace(values, codes=np.concatenate([values.codes, codes]))


def list_readings(pairs: Iterable[PairedSet | None]) -> tuple[Reading, ...]:
    """Return the readings that apply to any of the sets, in their order."""
    known = [paired for paired in pairs if paired is not None]
    return tuple(reading for reading in READINGS if any(applies(reading, paired) for paired in known))
