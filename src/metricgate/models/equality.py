"""When two models' answers are known to be the same ones, so that nothing has to be estimated.

Equal answers are evidence only where a different model would have shown on these very rows: a score with many distinct
values moves on all rows with any retrained model. Equal labels, or equal 0/1 scores, are what two different models give
on most rows.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import COST_COLUMNS, Sample, SamplePair

MIN_DISTINCT = 30
"""Distinct values of a score or a predicted number, from which it counts as continuous."""


def holds_equal_answers(pair: SamplePair) -> bool:
    """Return whether the models are known to be one: all their answers are equal, and could not be by chance.

    Columns beside the answers (a time stamp, a latency) do not matter where rows have labels; where they have none, the
    columns are the answers.
    """
    columns = pair.baseline.columns.keys() | pair.candidate.columns.keys() if pair.candidate.task == "score" else set()
    if holds_texts(pair):
        columns = columns - COST_COLUMNS
    parts = ("prediction", "scores", "answer_hash")
    return equals(pair, parts, columns) and (pair.same_model or _shows_change(pair, columns))


def holds_texts(pair: SamplePair) -> bool:
    """Return whether both sides hold what the models said, not only its score."""
    return pair.baseline.answer_hash is not None and pair.candidate.answer_hash is not None


def knows_equal_value(pair: SamplePair, needs: Collection[str], columns: Collection[str], *, of_ranks: bool) -> bool:
    """Return whether a metric is known to be equal for both models, on these rows and on others.

    Parameters
    ----------
    needs, columns : the parts of a sample, and its columns, that the metric reads.
    of_ranks : it reads the order of the scores alone.
    """
    if of_ranks and pair.group is None and _is_continuous(pair.candidate.scores) and _has_equal_order(pair):
        return True
    answers = ("answer_hash",) if pair.candidate.task == "score" else ("prediction", "scores")
    if not equals(pair, {*needs, *answers}, columns):
        return False
    return pair.same_model or _shows_change(pair, columns)


def equals(pair: SamplePair, parts: Collection[str], columns: Collection[str]) -> bool:
    """Return whether these parts and columns are equal for both models on all rows."""
    sides = [(getattr(pair.baseline, part), getattr(pair.candidate, part)) for part in parts]
    sides += [(pair.baseline.columns.get(name), pair.candidate.columns.get(name)) for name in columns]
    return all(one is other or np.array_equal(one, other) for one, other in sides)


def _shows_change(pair: SamplePair, columns: Collection[str]) -> bool:
    """Return whether another model would have shown: the answers have many distinct values.

    Not where rows come in groups: a model that differs for one customer of a hundred often differs for none of twenty.
    """
    sample = pair.candidate
    if pair.group is not None:
        return False
    if holds_texts(pair):
        return _is_continuous(sample.answer_hash)
    if sample.task == "score":
        return bool(columns) and all(_is_continuous(sample.columns.get(name)) for name in columns)
    return _is_continuous(_find_answer(sample))


def _find_answer(sample: Sample) -> NDArray[Any] | None:
    return sample.prediction if sample.task == "regression" else sample.scores


def _is_continuous(values: NDArray[Any] | None) -> bool:
    return values is not None and len(np.unique(values)) >= MIN_DISTINCT


def _has_equal_order(pair: SamplePair) -> bool:
    """Return whether both models put the rows of two classes into the same order, with the same ties."""
    one, other = pair.baseline.scores, pair.candidate.scores
    if one is None or other is None or one.ndim > 1:
        return False
    order = pair.candidate.order
    before, after = one[order], other[order]
    return bool(np.array_equal(np.sign(np.diff(before)), np.sign(np.diff(after))))
