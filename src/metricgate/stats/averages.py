"""Formulas of confusion margins: two classes, one class of several, and averages over classes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from metricgate.stats.margins import Formula, Margins, divide
from metricgate.stats.metric import MetricUndefined

ClassFormula = Callable[[Margins], Any]
"""Margins of shape (..., k) to one value for each class, shape (..., k)."""


def class_recall(margins: Margins) -> Any:
    return divide(margins.hit, margins.actual)


def class_precision(margins: Margins) -> Any:
    return divide(margins.hit, margins.predicted)


def class_fbeta(beta: float) -> ClassFormula:
    """Return F-beta of each class: (1 + b²) hits / (b² actual + predicted)."""
    square = beta**2

    def formula(margins: Margins) -> Any:
        return divide((1 + square) * margins.hit, square * margins.actual + margins.predicted)

    return formula


def class_jaccard(margins: Margins) -> Any:
    return divide(margins.hit, margins.actual + margins.predicted - margins.hit)


def accuracy(margins: Margins) -> Any:
    return margins.hit.sum(-1) / margins.actual.sum(-1)


def matthews(margins: Margins) -> Any:
    """Return the correlation of labels and predictions (Gorodkin 2004 for several classes)."""
    total = margins.actual.sum(-1)
    shared = margins.hit.sum(-1) * total - (margins.actual * margins.predicted).sum(-1)
    spread_actual = total**2 - (margins.actual**2).sum(-1)
    spread_predicted = total**2 - (margins.predicted**2).sum(-1)
    return divide(shared, np.sqrt(spread_actual * spread_predicted))


def kappa(margins: Margins) -> Any:
    """Return Cohen's kappa: the agreement beyond chance as a share of what is possible."""
    total = margins.actual.sum(-1)
    chance = (margins.actual * margins.predicted).sum(-1) / total**2
    return divide(margins.hit.sum(-1) / total - chance, 1 - chance)


def specificity(margins: Margins) -> Any:
    return divide(margins.hit[..., 0], margins.actual[..., 0])


def of_class(formula: ClassFormula, index: int) -> Formula:
    return lambda margins: formula(margins)[..., index]


def macro_average(formula: ClassFormula) -> Formula:
    return lambda margins: formula(margins).mean(-1)


def weighted_average(formula: ClassFormula) -> Formula:
    return lambda margins: (formula(margins) * margins.actual).sum(-1) / margins.actual.sum(-1)


def require_actual(index: int, name: str) -> Callable[[Margins], None]:
    """Return a check that some row has the label."""

    def check(margins: Margins) -> None:
        if margins.actual[index] == 0:
            raise MetricUndefined(f"No row has the label {name}.", code="one_class")

    return check


def require_predicted(index: int, name: str) -> Callable[[Margins], None]:
    """Return a check that some row is predicted to be of the class, without which precision is 0/0."""

    def check(margins: Margins) -> None:
        if margins.predicted[index] == 0:
            raise MetricUndefined(
                f"No row is predicted to be {name}, so precision is undefined.", code="never_predicted"
            )

    return check


def require_all_classes(margins: Margins) -> None:
    if not margins.actual.all():
        raise MetricUndefined("All rows have the same label.", code="one_class")


def require_variety(margins: Margins) -> None:
    """Raise where all rows have one label; constant predictions are uncorrelated with labels, as in scikit-learn."""
    if np.count_nonzero(margins.actual) < 2:
        raise MetricUndefined("All rows have the same label.", code="one_class")
