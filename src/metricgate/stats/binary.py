"""Metrics of two classes."""

from typing import Any

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats.confusion import Formula, Margins, confusion_metric, divide
from metricgate.stats.metric import Metric, MetricUndefined, mean_metric
from metricgate.stats.ranking import evaluate_auc, evaluate_average_precision

BINARY: frozenset[Task] = frozenset({"binary"})
CLASSES: frozenset[Task] = frozenset({"binary", "multiclass"})
_SCORED = frozenset({"label", "scores"})


def accuracy(margins: Margins) -> Any:
    return margins.hit.sum(-1) / margins.actual.sum(-1)


def recall(margins: Margins) -> Any:
    return divide(margins.hit[..., 1], margins.actual[..., 1])


def specificity(margins: Margins) -> Any:
    return divide(margins.hit[..., 0], margins.actual[..., 0])


def precision(margins: Margins) -> Any:
    return divide(margins.hit[..., 1], margins.predicted[..., 1])


def fbeta(beta: float) -> Formula:
    """Return F-beta: (1 + b²) hits / (b² actual + predicted)."""
    square = beta**2

    def formula(margins: Margins) -> Any:
        return divide((1 + square) * margins.hit[..., 1], square * margins.actual[..., 1] + margins.predicted[..., 1])

    return formula


def require_actual(margins: Margins) -> None:
    if margins.actual[1] == 0:
        raise MetricUndefined("No row has the positive label.", code="one_class")


def _probabilities(sample: Sample) -> FloatArray:
    scores = np.asarray(sample.scores)
    if scores.min() < 0 or scores.max() > 1:
        raise MetricUndefined("The scores are not probabilities between 0 and 1.", code="not_probabilities")
    return scores


def row_log_loss(sample: Sample) -> FloatArray:
    """Return minus the logarithm of the probability given to the label, clipped at the machine epsilon."""
    scores = _probabilities(sample)
    chance = np.where(np.asarray(sample.label) == 1, scores, 1 - scores)
    epsilon = np.finfo(np.float64).eps
    loss: FloatArray = -np.log(np.clip(chance, epsilon, 1 - epsilon))
    return loss


def list_binary() -> tuple[Metric, ...]:
    """Return the metrics of two classes, main ones first."""
    return (
        confusion_metric("accuracy", "accuracy", accuracy, tasks=CLASSES),
        Metric(
            name="roc_auc",
            label="ROC AUC",
            direction=Direction.HIGHER,
            tasks=BINARY,
            needs=_SCORED,
            compute=evaluate_auc,
            lowest=0.0,
            highest=1.0,
            per_class_rows=True,
        ),
        confusion_metric("f1", "F1", fbeta(1.0), tasks=BINARY, check=require_actual, per_class_rows=True),
        mean_metric("log_loss", "log loss", row_log_loss, tasks=BINARY, needs=_SCORED, lowest=0.0),
        Metric(
            name="average_precision",
            label="average precision",
            direction=Direction.HIGHER,
            tasks=BINARY,
            needs=_SCORED,
            compute=evaluate_average_precision,
            lowest=0.0,
            highest=1.0,
            per_class_rows=True,
        ),
    )
