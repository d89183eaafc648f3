"""Each metric on a handful of rows, computed by hand."""

from math import log, sqrt

import numpy as np
import pytest

from metricgate.models.samples import Sample, Task
from metricgate.stats.registry import find_metric, list_metrics

# Five positive rows, of which three score 0.5 or more, and five negative ones, of which one does.
BINARY_SCORES = [0.9, 0.8, 0.6, 0.4, 0.2, 0.7, 0.3, 0.3, 0.1, 0.1]
BINARY = {
    "accuracy": 7 / 10,
    "balanced_accuracy": (3 / 5 + 4 / 5) / 2,
    "precision": 3 / 4,
    "recall": 3 / 5,
    "specificity": 4 / 5,
    "f1": 6 / 9,
    "fbeta@2": 5 * 3 / (4 * 5 + 4),
    "fbeta@0.5": 1.25 * 3 / (0.25 * 5 + 4),
    "matthews_corrcoef": (3 * 4 - 1 * 2) / sqrt(4 * 5 * 5 * 6),
    "cohen_kappa": (0.7 - 0.5) / (1 - 0.5),  # by chance (4 * 5 + 6 * 5) / 100 agree
    "jaccard": 3 / 6,
    "roc_auc": (5 + 5 + 4 + 4 + 2) / 25,  # negatives below each positive
    "average_precision": (1 / 1 + 2 / 2 + 3 / 4 + 4 / 5 + 5 / 8) / 5,
    "log_loss": -sum(map(log, [0.9, 0.8, 0.6, 0.4, 0.2, 0.3, 0.7, 0.7, 0.9, 0.9])) / 10,
    "brier_score": (0.01 + 0.04 + 0.16 + 0.36 + 0.64 + 0.49 + 2 * 0.09 + 2 * 0.01) / 10,
    "expected_calibration_error": (0.1 + 0.2 + 0.4 + 0.6 + 0.8 + 0.7 + 2 * 0.3 + 2 * 0.1)
    / 10,  # no two labels share a bin
    "recall@0.3": 4 / 5,
    "precision@0.7": 2 / 3,
    "precision@2": 2 / 2,
    "precision@40%": 3 / 4,
}
# Rows by label a, b, c and prediction: 8 2 0, 1 6 3, 0 4 16. A hit has the score 0.6, a missed label 0.3.
COUNTS = [[8, 2, 0], [1, 6, 3], [0, 4, 16]]
F1_A, F1_B, F1_C = 16 / 19, 12 / 22, 32 / 39
MULTICLASS = {
    "accuracy": 30 / 40,
    "balanced_accuracy": (0.8 + 0.6 + 0.8) / 3,
    "recall_macro": (0.8 + 0.6 + 0.8) / 3,
    "precision_macro": (8 / 9 + 6 / 12 + 16 / 19) / 3,
    "f1_macro": (F1_A + F1_B + F1_C) / 3,
    "jaccard_macro": (8 / 11 + 6 / 16 + 16 / 23) / 3,
    "recall_weighted": 30 / 40,
    "precision_weighted": (10 * 8 / 9 + 10 * 6 / 12 + 20 * 16 / 19) / 40,
    "f1_weighted": (10 * F1_A + 10 * F1_B + 20 * F1_C) / 40,
    "jaccard_weighted": (10 * 8 / 11 + 10 * 6 / 16 + 20 * 16 / 23) / 40,
    **dict.fromkeys(("recall_micro", "precision_micro", "f1_micro"), 30 / 40),
    "jaccard_micro": 30 / 50,
    "f1[b]": F1_B,
    "precision[b]": 6 / 12,
    "recall[b]": 6 / 10,
    "jaccard[b]": 6 / 16,
    "cohen_kappa": (0.75 - 590 / 1600) / (1 - 590 / 1600),  # by chance (10 * 9 + 10 * 12 + 20 * 19) / 1600
    "matthews_corrcoef": (30 * 40 - 590) / sqrt((1600 - 600) * (1600 - 81 - 144 - 361)),
    "log_loss": -(30 * log(0.6) + 10 * log(0.3)) / 40,
    "brier_score": (30 * (0.16 + 0.09 + 0.01) + 10 * (0.49 + 0.36 + 0.01)) / 40,
    "expected_calibration_error": 0.75 - 0.6,  # every row is sure by 0.6
    "top_k_accuracy@1": 30 / 40,
    "top_k_accuracy@2": 40 / 40,
    # Its own rows score class a 0.6 (8) and 0.3 (2), the other 30 do 0.6 (1), 0.3 (22) and 0.1 (7).
    "roc_auc[a]": (8 * (29 + 1 / 2) + 2 * (7 + 22 / 2)) / 300,
    # Of those ten rows, eight are found among nine, all ten among 33.
    "average_precision[a]": (8 * 8 / 9 + 2 * 10 / 33) / 10,
}
# Predicted less true: 1, 0, -1, -4.
LABELS, PREDICTIONS = [1.0, 2.0, 4.0, 8.0], [2.0, 2.0, 3.0, 4.0]
REGRESSION = {
    "mean_absolute_error": 6 / 4,
    "mean_squared_error": 18 / 4,
    "root_mean_squared_error": sqrt(18 / 4),
    "r2": 1 - 18 / (2.75**2 + 1.75**2 + 0.25**2 + 4.25**2),
    "mean_absolute_percentage_error": (1 / 1 + 0 / 2 + 1 / 4 + 4 / 8) / 4,
    "median_absolute_error": 1.0,
    "quantile_absolute_error@0.75": (1 + 4) / 2,
    "quantile_absolute_error@0.9": 4.0,
    "mean_bias": 4 / 4,
    "mean_pinball_loss@0.9": (0.1 * 1 + 0.9 * 1 + 0.9 * 4) / 4,
}


def make_binary() -> Sample:
    scores = np.array(BINARY_SCORES)
    prediction = (scores >= 0.5).astype(np.int8)
    label = np.repeat([1, 0], 5).astype(np.int8)
    return Sample(task="binary", rows=10, label=label, prediction=prediction, scores=scores, classes=("No", "Yes"))


def make_multiclass() -> Sample:
    cells = [
        (label, predicted) for label in range(3) for predicted in range(3) for _ in range(COUNTS[label][predicted])
    ]
    label, predicted = np.array(cells).T
    scores = np.full((len(cells), 3), 0.1)
    second = np.where(label == predicted, np.where(label == 0, 1, 0), label)
    scores[np.arange(len(cells)), predicted] = 0.6
    scores[np.arange(len(cells)), second] = 0.3
    return Sample(
        task="multiclass", rows=len(cells), label=label, prediction=predicted, scores=scores, classes=("a", "b", "c")
    )


def make_regression() -> Sample:
    return Sample(task="regression", rows=4, label=np.array(LABELS), prediction=np.array(PREDICTIONS))


SAMPLES = {"binary": make_binary(), "multiclass": make_multiclass(), "regression": make_regression()}
TABLES: dict[Task, dict[str, float]] = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}
CASES = [(task, name, value) for task, table in TABLES.items() for name, value in table.items()]


@pytest.mark.parametrize(("task", "name", "value"), CASES)
def test_values_by_hand(task: Task, name: str, value: float) -> None:
    sample = SAMPLES[task]
    metric = find_metric(name, task=task, classes=sample.classes)

    assert metric.name == name
    assert metric.evaluate(sample).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("task", list(TABLES))
def test_no_metric_is_left_out(task: Task) -> None:
    """Of several classes, the mean of the areas is checked against scikit-learn alone."""
    listed = {metric.name for metric in list_metrics(SAMPLES[task])}

    assert listed - TABLES[task].keys() == ({"roc_auc_ovr"} if task == "multiclass" else set())
