"""Values equal scikit-learn's; influence values equal the finite difference of scikit-learn's weighted metric."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from metricgate.models.samples import FloatArray, Sample, Task
from metricgate.stats.registry import find_metric, list_metrics
from tests.stats.simulation import simulate_binary, simulate_regression

Oracle = Callable[..., Any]


def _on(part: str, function: Oracle, **options: Any) -> Callable[[Sample, FloatArray | None], float]:
    def compute(sample: Sample, weight: FloatArray | None) -> float:
        return float(function(sample.label, getattr(sample, part), sample_weight=weight, **options))

    return compute


BINARY = {
    "accuracy": _on("prediction", oracle.accuracy_score),
    "f1": _on("prediction", oracle.f1_score),
    "roc_auc": _on("scores", oracle.roc_auc_score),
    "average_precision": _on("scores", oracle.average_precision_score),
    "log_loss": _on("scores", oracle.log_loss),
}
REGRESSION = {
    "mean_absolute_error": _on("prediction", oracle.mean_absolute_error),
    "root_mean_squared_error": _on("prediction", oracle.root_mean_squared_error),
}
CASES = [("binary", name, function) for name, function in BINARY.items()]
CASES += [("regression", name, function) for name, function in REGRESSION.items()]


def make_sample(task: Task, *, weighted: bool, rows: int = 120) -> Sample:
    rng = np.random.default_rng(7)
    weight = rng.exponential(size=rows) + 0.1 if weighted else None
    if task == "binary":
        return simulate_binary(rng, rows, weight=weight, decimals=1).candidate  # one decimal: many ties
    return simulate_regression(rng, rows, weight=weight).candidate


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("task", "name", "compute"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_value_and_influence_equal_scikit_learn(task: Task, name: str, compute: Oracle, *, weighted: bool) -> None:
    """Both to rounding, with ties in the scores, with and without weights."""
    sample = make_sample(task, weighted=weighted)
    metric = find_metric(name, task=task)

    evaluation = metric.evaluate(sample)

    assert evaluation.value == pytest.approx(compute(sample, sample.weight), abs=1e-9)
    assert evaluation.influence is not None
    weight = np.ones(sample.rows) if sample.weight is None else sample.weight
    np.testing.assert_allclose(evaluation.influence, _differentiate(compute, sample, weight), atol=2e-5)
    assert evaluation.influence.sum() == pytest.approx(0, abs=1e-8)


def _differentiate(compute: Oracle, sample: Sample, weight: FloatArray) -> FloatArray:
    step = 1e-5
    slope = np.empty(sample.rows)
    for row in range(sample.rows):
        up, down = weight.copy(), weight.copy()
        up[row] *= 1 + step
        down[row] *= 1 - step
        slope[row] = (compute(sample, up) - compute(sample, down)) / (2 * step)
    return slope * sample.rows


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_no_metric_depends_on_the_order_of_rows(task: Task) -> None:
    sample = make_sample(task, weighted=True)
    order = np.random.default_rng(3).permutation(sample.rows)

    for metric in list_metrics(sample):
        value = metric.evaluate(sample)
        moved = metric.evaluate(sample.take(order))

        assert moved.value == pytest.approx(value.value, rel=1e-12)
        if value.influence is not None:
            assert moved.influence is not None
            np.testing.assert_allclose(moved.influence, value.influence[order], atol=1e-9)


def test_scores_outside_zero_to_one_allow_no_log_loss() -> None:
    sample = make_sample("binary", weighted=False)
    logits = replace(sample, scores=np.log(np.clip(np.asarray(sample.scores), 0.01, 0.99)))

    names = [metric.name for metric in list_metrics(logits)]

    assert "log_loss" not in names
    assert "roc_auc" in names
