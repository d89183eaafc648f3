"""Metrics of two classes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import log
from typing import Any

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats import averages
from metricgate.stats.confusion import ConfusionMetric, confusion_metric
from metricgate.stats.margins import Formula, Margins
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, mean_metric
from metricgate.stats.ranking import (
    RankMetric,
    count_top_rows,
    evaluate_auc,
    evaluate_average_precision,
    evaluate_top_precision,
    find_ties_at_cut,
)

BINARY: frozenset[Task] = frozenset({"binary"})
SCORED = frozenset({"label", "scores"})
_POSITIVE = averages.require_actual(1, "positive")
_PREDICTED = averages.require_predicted(1, "positive")
LOG_LOSS_RANGE = (0.0, -log(np.finfo(np.float64).eps))
"""0 to 36, since probabilities are kept off 0 and 1."""
_CONFUSION: dict[str, tuple[str, Formula, Callable[[Margins], None]]] = {
    "accuracy": ("accuracy", averages.accuracy, lambda _: None),
    "f1": ("F1", averages.of_class(averages.class_fbeta(1), 1), _POSITIVE),
    "balanced_accuracy": (
        "balanced accuracy",
        averages.macro_average(averages.class_recall),
        averages.require_all_classes,
    ),
    "precision": ("precision", averages.of_class(averages.class_precision, 1), _PREDICTED),
    "recall": ("recall", averages.of_class(averages.class_recall, 1), _POSITIVE),
    "specificity": ("specificity", averages.specificity, averages.require_actual(0, "negative")),
    "matthews_corrcoef": ("MCC", averages.matthews, averages.require_variety),
    "cohen_kappa": ("Cohen's kappa", averages.kappa, averages.require_variety),
    "jaccard": ("Jaccard", averages.of_class(averages.class_jaccard, 1), _POSITIVE),
}
CONFUSION_NAMES = tuple(_CONFUSION)


def binary_confusion(name: str, *, threshold: float | None = None) -> ConfusionMetric:
    """Return a confusion metric of two classes; with a threshold it is read from scores."""
    label, formula, check = _CONFUSION[name]
    suffix = "" if threshold is None else f"@{threshold:g}"
    return confusion_metric(
        name + suffix,
        label if threshold is None else f"{label} at {threshold:g}",
        formula,
        tasks=BINARY,
        check=check,
        at_threshold=threshold,
        per_class_rows=name != "accuracy",
        is_share=name in {"accuracy", "recall", "specificity"},
        share_of_class={"recall": 1, "specificity": 0}.get(name),
        lowest=-1.0 if name in {"matthews_corrcoef", "cohen_kappa"} else 0.0,
    )


def binary_fbeta(beta: float) -> ConfusionMetric:
    """Return F-beta, which counts recall ``beta`` times as much as precision."""
    formula = averages.of_class(averages.class_fbeta(beta), 1)
    name, label = f"fbeta@{beta:g}", f"F{beta:g}"
    return confusion_metric(name, label, formula, tasks=BINARY, check=_POSITIVE, per_class_rows=True)


def top_precision(name: str, label: str, *, count: int | None = None, share: float | None = None) -> Metric:
    """Return the precision among the rows with the highest scores: ``count`` of them, or a ``share``."""
    return replace(
        _ranking(name, label, partial(evaluate_top_precision, count=count, share=share)),
        is_top_share=True,
        share_of_rows=partial(count_top_rows, count=count, share=share),
        find_heavy_tail=partial(find_ties_at_cut, count=count, share=share),
    )


def _ranking(name: str, label: str, compute: Callable[[Sample], Evaluation]) -> RankMetric:
    return RankMetric(
        name=name,
        label=label,
        direction=Direction.HIGHER,
        tasks=BINARY,
        needs=SCORED,
        compute=compute,
        lowest=0.0,
        highest=1.0,
        is_area="roc_auc" in name,
        per_class_rows=True,
    )


def require_probabilities(sample: Sample) -> FloatArray:
    """Return the scores of the sample; raise where they are not probabilities."""
    scores = np.asarray(sample.scores)
    if scores.min() < 0 or scores.max() > 1:
        raise MetricUndefined("The scores are not probabilities between 0 and 1.", code="not_probabilities")
    return scores


def clip_log(chance: FloatArray) -> FloatArray:
    """Return minus the logarithm of probabilities, kept off 0 and 1 by the machine epsilon as scikit-learn does."""
    epsilon = np.finfo(np.float64).eps
    loss: FloatArray = -np.log(np.clip(chance, epsilon, 1 - epsilon))
    return loss


def _row_log_loss(sample: Sample) -> FloatArray:
    scores = require_probabilities(sample)
    return clip_log(np.where(np.asarray(sample.label) == 1, scores, 1 - scores))


def _find_worst_log_loss(sample: Sample) -> float:
    scores = require_probabilities(sample)
    return float(clip_log(np.array([scores.min(), 1 - scores.max()])).max())


def _row_brier(sample: Sample) -> FloatArray:
    squares: FloatArray = np.square(require_probabilities(sample) - np.asarray(sample.label))
    return squares


def calibration_metric(task: Task, confidence: Callable[[Sample], tuple[FloatArray, Any]]) -> Metric:
    """Return the expected calibration error: how far confidence is from the hits, over ten equally wide bins."""
    return Metric(
        name="expected_calibration_error",
        label="expected calibration error",
        direction=Direction.LOWER,
        tasks=frozenset({task}),
        needs=SCORED,
        compute=lambda sample: _evaluate_calibration(*confidence(sample), sample.weight),
        lowest=0.0,
        highest=1.0,
        gateable=False,
        refusal="Its estimate is biased and its interval cannot be trusted; gate on brier_score or log_loss instead.",
    )


def _evaluate_calibration(confidence: FloatArray, hit: Any, weight: FloatArray | None, bins: int = 10) -> Evaluation:
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    weight = np.ones(len(confidence)) if weight is None else weight
    gap = np.bincount(index, weights=weight * (hit - confidence), minlength=bins)
    return Evaluation(float(np.abs(gap).sum() / weight.sum()), None)


def _confidence(sample: Sample) -> tuple[FloatArray, Any]:
    return require_probabilities(sample), np.asarray(sample.label)


def list_binary() -> tuple[Metric, ...]:
    """Return the metrics of two classes that need no parameter, main ones first."""
    first = ("accuracy", "f1")
    return (
        binary_confusion("accuracy"),
        _ranking("roc_auc", "ROC AUC", evaluate_auc),
        binary_confusion("f1"),
        mean_metric(
            "log_loss",
            "log loss",
            _row_log_loss,
            tasks=BINARY,
            needs=SCORED,
            lowest=0.0,
            row_range=LOG_LOSS_RANGE,
            find_worst=_find_worst_log_loss,
        ),
        _ranking("average_precision", "average precision", evaluate_average_precision),
        mean_metric(
            "brier_score",
            "Brier score",
            _row_brier,
            tasks=BINARY,
            needs=SCORED,
            lowest=0.0,
            highest=1.0,
            row_range=(0.0, 1.0),
        ),
        *(binary_confusion(name) for name in CONFUSION_NAMES if name not in first),
        calibration_metric("binary", _confidence),
    )
