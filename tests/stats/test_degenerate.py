"""Rows that leave little to compute: a value or a named reason, never an interval that is no interval."""

from dataclasses import replace
from math import isfinite, isnan
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metricgate.models.samples import Sample, SamplePair, Task
from metricgate.stats.contrast import Contrast, contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.registry import find_metric, list_metrics
from tests.stats.simulation import binary_sample, multiclass_sample, regression_sample

CODES = {"one_class", "too_few_rows", "zero_label", "never_predicted", "constant", "zero_weight", "not_finite"}


def draw_pair(task: Task, rows: int, rng: np.random.Generator) -> SamplePair:
    """Draw both models' answers from so few values that ties, single classes and equal columns are common."""
    weight = None if rng.random() < 0.5 else rng.integers(0, 3, rows).astype(np.float64)
    levels = int(rng.integers(1, 4))
    label: NDArray[Any]
    if task == "binary":
        label = rng.integers(0, 2, rows).astype(np.int8)
        sides = [binary_sample(label, rng.integers(0, levels, rows) / 2, weight=weight) for _ in range(2)]
    elif task == "multiclass":
        label = rng.integers(0, 3, rows)
        scores = [rng.integers(1, 1 + levels, (rows, 3)).astype(np.float64) for _ in range(2)]
        sides = [multiclass_sample(label, part / part.sum(axis=1, keepdims=True), weight=weight) for part in scores]
    else:
        label = rng.integers(0, levels, rows).astype(np.float64)
        sides = [
            regression_sample(label, rng.integers(0, levels, rows).astype(np.float64), weight=weight) for _ in range(2)
        ]
    return SamplePair(baseline=sides[0], candidate=sides[1])


def _contrast_or_code(pair: SamplePair, metric: Metric) -> Contrast | str:
    try:
        return contrast(pair, metric)
    except MetricUndefined as undefined:
        return undefined.code


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_metric_has_an_interval_around_its_difference_or_a_reason(task: Task, seed: int) -> None:
    """One to fourteen rows, also with weights of zero: too few to judge, and shown all the same."""
    rng = np.random.default_rng(seed)
    for rows in range(1, 15):
        pair = draw_pair(task, rows, rng)
        for metric in list_metrics(pair.candidate):
            assert find_obstacle(pair.candidate, metric).startswith("too few rows")
            item = _contrast_or_code(pair, metric)
            if isinstance(item, str):
                assert item in CODES
                continue
            assert isfinite(item.estimate)
            for tail in (0.2, 0.025, 1e-6):
                low, high = item.interval(tail)
                assert low <= item.estimate + 1e-9, metric.name
                assert high >= item.estimate - 1e-9, metric.name
                assert not any(isnan(bound) for bound in item.candidate_interval(tail))


def test_two_rows() -> None:
    """One of each class, ranked rightly by one model and wrongly by the other: AUC 0 and 1, and far too few rows."""
    label = np.array([0, 1], dtype=np.int8)
    pair = SamplePair(
        baseline=binary_sample(label, np.array([0.2, 0.8])), candidate=binary_sample(label, np.array([0.8, 0.2]))
    )

    item = contrast(pair, find_metric("roc_auc", task="binary"))

    assert (item.baseline, item.candidate) == (1.0, 0.0)
    assert item.interval(0.025)[0] < -0.9
    assert find_obstacle(pair.candidate, item.metric) == "too few rows: 2, and 30 are needed"


def test_a_model_that_scores_all_rows_alike_ranks_as_chance_does() -> None:
    """Its area is 0.5 and its average precision the share of positive rows, with an interval for the difference."""
    rng = np.random.default_rng(1)
    label = (rng.random(400) < 0.3).astype(np.int8)
    alike = binary_sample(label, np.full(400, 0.4))
    scores = 0.3 * label.astype(np.float64) + 0.5 * rng.random(400)
    pair = SamplePair(baseline=binary_sample(label, scores), candidate=alike)

    for name, value in (("roc_auc", 0.5), ("average_precision", label.mean())):
        item = contrast(pair, find_metric(name, task="binary"))
        assert item.candidate == pytest.approx(value)
        assert item.interval(0.025)[1] < 0


def test_never_predicting_a_class_leaves_no_precision_and_a_recall_of_zero() -> None:
    label = np.repeat([0, 1], [60, 40]).astype(np.int8)
    good = binary_sample(label, np.where(label == 1, 0.9, 0.0))
    never = binary_sample(label, np.full(100, 0.1))
    pair = SamplePair(baseline=good, candidate=never)

    with pytest.raises(MetricUndefined) as caught:
        contrast(pair, find_metric("precision", task="binary"))

    assert (caught.value.side, caught.value.code) == ("candidate", "never_predicted")
    assert contrast(pair, find_metric("recall", task="binary")).candidate == 0


def test_rows_without_weight_are_no_rows() -> None:
    """Adding rows of weight zero changes neither a value nor the rows that count."""
    rng = np.random.default_rng(2)
    label = (rng.random(200) < 0.4).astype(np.int8)
    scores = [0.3 * label + 0.6 * rng.random(200) for _ in range(2)]
    weight = np.repeat([1.0, 0.0], 100)

    def make(rows: slice, weights: np.ndarray | None) -> SamplePair:
        sides: list[Sample] = [binary_sample(label[rows], score[rows], weight=weights) for score in scores]
        return SamplePair(baseline=sides[0], candidate=sides[1])

    padded, bare = make(slice(None), weight), make(slice(100), None)
    equal = SamplePair(
        baseline=replace(bare.baseline, weight=np.ones(100)), candidate=replace(bare.candidate, weight=np.ones(100))
    )
    for metric in list_metrics(bare.candidate):
        one, other = contrast(padded, metric), contrast(equal, metric)
        assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
        assert one.se == pytest.approx(other.se, rel=0.03)  # but for n / (n - 1)
