"""Rows of the baseline's test set that the candidate was trained on: drawn by a split that moved, or chosen.

No answer on them counts, so whoever may leave rows out in this way must not choose them. A split that moved takes many
rows, and rows like the others.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import Sample

LEAST_MOVED = 0.1
"""Of the baseline's test set: fewer rows that become training data may have been chosen one by one."""
MOST_ERRORS_APART = 3.0
"""Between the baseline's mean error on moved rows and on others, in standard errors: drawn rows exceed it in 0.3 %."""


def find_choice(sample: Sample, moved: NDArray[np.bool_]) -> str:
    """Return why moved rows may have been chosen, rather than drawn; empty where they look like the others."""
    if np.mean(moved) < LEAST_MOVED:
        return f"they are fewer than {LEAST_MOVED:.0%} of the baseline's test set, which is no moved split"
    for wrong in _measure_rows(sample):
        one, other = wrong[moved], wrong[~moved]
        if not len(other):
            return "no row is left to compare them with"
        spread = sqrt(sum(float(part.var()) / len(part) for part in (one, other)))
        distance = abs(float(one.mean()) - float(other.mean()))
        if distance > MOST_ERRORS_APART * spread and distance > 0:
            return "the baseline's answers on them are not like its answers on the others"
    return ""


def _measure_rows(sample: Sample) -> list[NDArray[np.float64]]:
    """Return how wrong each row's answer is, shape (n,): one array, or one for each column of scores."""
    label, prediction = sample.label, sample.prediction
    if label is None or prediction is None:
        return [np.asarray(column, dtype=np.float64) for column in sample.columns.values()]
    if sample.task == "regression":
        return [np.abs(np.asarray(prediction) - np.asarray(label))]
    return [(np.asarray(prediction) != np.asarray(label)).astype(np.float64)]
