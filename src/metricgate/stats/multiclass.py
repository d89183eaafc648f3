"""Metrics of several classes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats import averages
from metricgate.stats.binary import LOG_LOSS_RANGE, SCORED, calibration_metric, clip_log, require_probabilities
from metricgate.stats.confusion import ConfusionMetric, confusion_metric
from metricgate.stats.margins import MIN_CLASS_ROWS, name_left_out
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, mean_metric, relative_weight
from metricgate.stats.ranking import RankMetric, Scored, rank_auc, rank_average_precision

MULTICLASS: frozenset[Task] = frozenset({"multiclass"})
_SUM_TOLERANCE = 0.01  # probabilities written with few digits do not sum to one exactly
_PER_CLASS: dict[str, tuple[str, averages.ClassFormula]] = {
    "f1": ("F1", averages.class_fbeta(1)),
    "precision": ("precision", averages.class_precision),
    "recall": ("recall", averages.class_recall),
    "jaccard": ("Jaccard", averages.class_jaccard),
}
_RANK = {"roc_auc": ("ROC AUC", rank_auc), "average_precision": ("average precision", rank_average_precision)}
PER_CLASS_NAMES = (*_PER_CLASS, *_RANK)


def averaged(name: str, average: str) -> ConfusionMetric:
    """Return precision, recall, F1 or Jaccard averaged over classes: macro, weighted, or micro (pooled rows)."""
    label, formula = _PER_CLASS[name]
    if average == "macro":
        pooled = averages.macro_average(formula)
    elif average == "weighted":
        pooled = averages.weighted_average(formula)
    else:
        pooled = averages.of_class(_pool(formula), 0)
    full = f"{name}_{average}"
    is_share = average == "micro" and name != "jaccard"
    return confusion_metric(
        full, f"{label} ({average})", pooled, tasks=MULTICLASS, macro=average == "macro", is_share=is_share
    )


def _pool(formula: averages.ClassFormula) -> averages.ClassFormula:
    """Apply a formula to the sums over all classes, as one class."""
    return lambda margins: formula(type(margins)(*(part.sum(-1, keepdims=True) for part in margins)))


def one_class(name: str, classes: tuple[str, ...], chosen: str) -> Metric:
    """Return a metric of one class against all others: ``f1[Fiber]``."""
    index = classes.index(chosen)
    full = f"{name}[{chosen}]"
    if name in _RANK:
        label, rank = _RANK[name]
        return _ranking(full, f"{label} of {chosen}", lambda sample: rank(_one_against_rest(sample, index)), index)
    label, formula = _PER_CLASS[name]
    checks = {"precision": averages.require_predicted(index, chosen)}
    return confusion_metric(
        full,
        f"{label} of {chosen}",
        averages.of_class(formula, index),
        tasks=MULTICLASS,
        check=checks.get(name, averages.require_actual(index, chosen)),
        of_class=index,
        is_share=name == "recall",
        share_of_class=index,
    )


def _one_against_rest(sample: Sample, index: int) -> Scored:
    scores = np.asarray(sample.scores)[:, index]
    return Scored(scores, np.argsort(scores), np.asarray(sample.label) == index, relative_weight(sample))


def _ranking(name: str, label: str, compute: Callable[[Sample], Evaluation], of_class: int | None = None) -> Metric:
    return RankMetric(
        name=name,
        label=label,
        direction=Direction.HIGHER,
        tasks=MULTICLASS,
        needs=SCORED,
        compute=compute,
        lowest=0.0,
        highest=1.0,
        is_area="roc_auc" in name,
        of_class=of_class,
    )


def _evaluate_mean_auc(sample: Sample) -> Evaluation:
    """Evaluate the one-versus-rest AUC averaged over classes with enough rows; influences average likewise."""
    size = np.asarray(sample.scores).shape[1]
    kept = np.bincount(np.asarray(sample.label), minlength=size) >= MIN_CLASS_ROWS
    if np.count_nonzero(kept) < 2:
        raise MetricUndefined(f"Fewer than two classes have {MIN_CLASS_ROWS} rows.", code="too_few_rows")
    value, influence = 0.0, np.zeros(sample.rows)
    for index in np.flatnonzero(kept).tolist():
        one = rank_auc(_one_against_rest(sample, index))
        value += one.value
        influence += np.asarray(one.influence)
    count = int(np.count_nonzero(kept))
    return Evaluation(value / count, influence / count, name_left_out(sample, kept))


def _label_scores(sample: Sample) -> FloatArray:
    scores: FloatArray = np.asarray(sample.scores)[np.arange(sample.rows), np.asarray(sample.label)]
    return scores


def _require_distribution(sample: Sample) -> FloatArray:
    scores = require_probabilities(sample)
    if np.abs(scores.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        raise MetricUndefined("The scores of a row do not sum to one.", code="not_probabilities")
    return scores


def _row_log_loss(sample: Sample) -> FloatArray:
    _require_distribution(sample)
    return clip_log(_label_scores(sample))


def _row_brier(sample: Sample) -> FloatArray:
    scores = _require_distribution(sample)
    own = _label_scores(sample)
    loss: FloatArray = np.square(scores).sum(axis=1) - np.square(own) + np.square(1 - own)
    return loss


def top_accuracy(count: int) -> Metric:
    """Return how often the label is among the ``count`` highest scores; a tie at the cut counts in part."""

    def row_values(sample: Sample) -> FloatArray:
        scores, own = np.asarray(sample.scores), _label_scores(sample)[:, None]
        above = np.count_nonzero(scores > own, axis=1)
        level = np.count_nonzero(scores == own, axis=1)
        hits: FloatArray = np.clip((count - above) / level, 0.0, 1.0)
        return hits

    return mean_metric(
        f"top_k_accuracy@{count}",
        f"top-{count} accuracy",
        row_values,
        tasks=MULTICLASS,
        needs=SCORED,
        direction=Direction.HIGHER,
        lowest=0.0,
        highest=1.0,
        row_range=(0.0, 1.0),
    )


def _confidence(sample: Sample) -> tuple[FloatArray, Any]:
    scores = _require_distribution(sample)
    return scores.max(axis=1), scores.argmax(axis=1) == np.asarray(sample.label)


def list_multiclass() -> tuple[Metric, ...]:
    """Return the metrics of several classes that need no parameter, main ones first."""
    recall = averages.macro_average(averages.class_recall)
    return (
        confusion_metric("accuracy", "accuracy", averages.accuracy, tasks=MULTICLASS, is_share=True),
        averaged("f1", "macro"),
        mean_metric(
            "log_loss",
            "log loss",
            _row_log_loss,
            tasks=MULTICLASS,
            needs=SCORED,
            lowest=0.0,
            row_range=LOG_LOSS_RANGE,
            find_worst=lambda sample: float(clip_log(_require_distribution(sample).min())),
        ),
        _ranking("roc_auc_ovr", "ROC AUC (one against the rest)", _evaluate_mean_auc),
        confusion_metric("balanced_accuracy", "balanced accuracy", recall, tasks=MULTICLASS, macro=True),
        mean_metric(
            "brier_score",
            "Brier score",
            _row_brier,
            tasks=MULTICLASS,
            needs=SCORED,
            lowest=0.0,
            highest=2.0,
            row_range=(0.0, 2.0),
        ),
        *_list_correlations(),
        *(averaged(name, "macro") for name in _PER_CLASS if name != "f1"),
        *(averaged(name, average) for average in ("micro", "weighted") for name in _PER_CLASS),
        calibration_metric("multiclass", _confidence),
    )


def _list_correlations() -> tuple[Metric, ...]:
    check = averages.require_variety
    return (
        confusion_metric("matthews_corrcoef", "MCC", averages.matthews, tasks=MULTICLASS, check=check, lowest=-1.0),
        confusion_metric("cohen_kappa", "Cohen's kappa", averages.kappa, tasks=MULTICLASS, check=check, lowest=-1.0),
    )
