"""Which rows limit what a metric can tell: classes of a ranking, and labels with heavy tails."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.registry import find_metric
from tests.stats.simulation import binary_sample, regression_sample, simulate_multiclass

TAIL = 0.025


def test_a_ranking_of_one_class_of_several_is_that_of_two_classes() -> None:
    pair = simulate_multiclass(np.random.default_rng(5), 200, loss=0.3)

    def against_rest(sample: Sample) -> Sample:
        return binary_sample(
            (np.asarray(sample.label) == 2).astype(np.int8), np.ascontiguousarray(np.asarray(sample.scores)[:, 2])
        )

    of_class = contrast(pair, find_metric("roc_auc[c]", task="multiclass", classes=("a", "b", "c")))
    two = SamplePair(baseline=against_rest(pair.baseline), candidate=against_rest(pair.candidate))
    of_two = contrast(two, find_metric("roc_auc", task="binary"))
    assert of_class.interval(TAIL) == pytest.approx(of_two.interval(TAIL), rel=1e-12)
    assert of_class.se == pytest.approx(of_two.se, rel=1e-12)


def test_a_ranking_of_all_classes_has_one_divisor_and_the_freedom_of_the_smallest_class() -> None:
    sample = simulate_multiclass(np.random.default_rng(5), 200).candidate
    metric = find_metric("roc_auc", task="multiclass")
    influence = np.asarray(metric.evaluate(sample).influence)

    spread = metric.find_spread(sample)

    assert spread.count == np.bincount(np.asarray(sample.label)).min()
    assert spread.measure(influence) == pytest.approx(sqrt(float(influence @ influence) * 200 / 199) / 200)


def make_labels(rows: int, relative_error: float) -> FloatArray:
    """Make labels of ±1 and one pair ±a, whose variance has this relative standard error."""

    def stretch(largest: float) -> FloatArray:
        return np.array([1.0, -1.0] * (rows // 2 - 1) + [largest, -largest])

    def exceed(largest: float) -> float:
        squares = np.square(stretch(largest))
        return float(squares.std(ddof=1) / sqrt(rows) / squares.mean()) - relative_error

    return stretch(float(brentq(exceed, 1.0, 100.0)))


@pytest.mark.parametrize(
    ("metric", "rows", "relative_error", "is_refused"),
    [
        ("mse", 498, 0.149, False),
        ("mse", 498, 0.151, True),
        ("mse", 2000, 0.151, True),
        ("r2", 498, 0.299, False),
        ("r2", 498, 0.301, True),
        ("r2", 2000, 0.301, True),
        ("rmse", 498, 0.299, False),
        ("rmse", 498, 0.301, True),
        ("mae", 498, 0.301, False),
    ],
)
def test_squared_errors_are_not_judged_where_a_few_labels_carry_them(
    metric: str, rows: int, relative_error: float, *, is_refused: bool
) -> None:
    label = make_labels(rows, relative_error)
    noise = np.random.default_rng(1).standard_normal((2, rows))
    baseline = regression_sample(label, label + noise[0])

    item = contrast(
        SamplePair(baseline=baseline, candidate=replace(baseline, prediction=label + noise[1])),
        find_metric(metric, task="regression"),
    )

    assert ("extreme labels" in item.inconclusive) is is_refused
