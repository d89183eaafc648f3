"""Which rows a metric can be judged on, by rules fixed beforehand."""

import numpy as np
import pytest

from metricgate.models.samples import Sample
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.registry import find_metric


def make_sample(positives: int, negatives: int, *, heavy: float | None = None) -> Sample:
    """Make a sample; ``heavy`` is the weight of the first row of each class, where all others weigh one."""
    label = np.repeat([1, 0], [positives, negatives])
    weight = None
    if heavy is not None:
        weight = np.ones(len(label))
        weight[[0, positives]] = heavy
    return Sample(
        task="binary",
        rows=len(label),
        label=label,
        prediction=label,
        scores=label.astype(np.float64),
        weight=weight,
        classes=("No", "Yes"),
    )


@pytest.mark.parametrize(
    ("sample", "metric", "expected"),
    [
        (make_sample(15, 14), "accuracy", "too few rows: 29, and 30 are needed"),
        (make_sample(15, 15), "accuracy", ""),
        (make_sample(9, 100), "recall", "too few rows: 9 with the label Yes, and 10 are needed"),
        (make_sample(100, 9), "roc_auc", "too few rows: 9 without the label Yes, and 10 are needed"),
        (make_sample(10, 100), "roc_auc", ""),
        (make_sample(9, 100), "accuracy", ""),
        (make_sample(60, 100, heavy=1.0), "recall", ""),
        (
            make_sample(60, 100, heavy=5.0),
            "recall",
            "too few rows: weights leave 49 effective ones with the label Yes, and 50 are needed",
        ),
        (make_sample(60, 100, heavy=5.0), "roc_auc", ""),
        (make_sample(60, 100, heavy=5.0), "accuracy", ""),
        (
            make_sample(60, 100, heavy=30.0),
            "accuracy",
            "too few rows: weights leave 24 effective ones, and 30 are needed",
        ),
        (
            make_sample(20, 1000, heavy=30.0),
            "log_loss",
            "",
        ),
        (
            make_sample(20, 1000, heavy=30.0),
            "roc_auc",
            "too few rows: weights leave 3 effective ones with the label Yes, and 10 are needed",
        ),
    ],
)
def test_an_obstacle_is_named_by_what_there_is_and_what_is_needed(sample: Sample, metric: str, expected: str) -> None:
    assert find_obstacle(sample, find_metric(metric, task="binary")) == expected


@pytest.mark.parametrize(
    "metric",
    [
        *("f1", "balanced_accuracy", "precision", "recall", "specificity", "matthews_corrcoef", "cohen_kappa"),
        *("jaccard", "fbeta@2", "f1@0.3", "recall@0.3", "roc_auc", "average_precision", "precision@10%"),
    ],
)
def test_a_metric_of_two_classes_needs_rows_of_both(metric: str) -> None:
    found = find_metric(metric, task="binary")

    assert find_obstacle(make_sample(9, 100), found) == "too few rows: 9 with the label Yes, and 10 are needed"
    assert find_obstacle(make_sample(100, 9), found) == "too few rows: 9 without the label Yes, and 10 are needed"
    assert find_obstacle(make_sample(10, 20), found) == ""


@pytest.mark.parametrize("metric", ["accuracy", "accuracy@0.3", "log_loss", "brier_score"])
def test_a_metric_of_all_rows_needs_none_of_either_class(metric: str) -> None:
    assert find_obstacle(make_sample(1, 29), find_metric(metric, task="binary")) == ""
