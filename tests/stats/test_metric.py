"""Values equal scikit-learn's; influence values equal the finite difference of scikit-learn's weighted metric."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from metricgate.models.samples import FloatArray, Sample, SamplePair, Task
from metricgate.stats.contrast import contrast, single_interval
from metricgate.stats.metric import MetricUndefined
from metricgate.stats.registry import find_metric, list_metrics
from tests.stats.simulation import binary_sample, simulate_binary, simulate_multiclass, simulate_regression

Oracle = Callable[..., Any]


def _on(part: str, function: Oracle, **options: Any) -> Oracle:
    def compute(sample: Sample, weight: FloatArray | None) -> float:
        return float(function(sample.label, getattr(sample, part), sample_weight=weight, **options))

    return compute


def _at(threshold: float, function: Oracle, **options: Any) -> Oracle:
    def compute(sample: Sample, weight: FloatArray | None) -> float:
        chosen = np.asarray(sample.scores) >= threshold
        return float(function(sample.label, chosen, sample_weight=weight, **options))

    return compute


def _of_class(function: Oracle, index: int) -> Oracle:
    def compute(sample: Sample, weight: FloatArray | None) -> float:
        scores = np.asarray(sample.scores)[:, index]
        return float(function(np.asarray(sample.label) == index, scores, sample_weight=weight))

    return compute


def _bias(sample: Sample, weight: FloatArray | None) -> float:
    return float(abs(np.average(np.asarray(sample.prediction) - np.asarray(sample.label), weights=weight)))


CONFUSION = {
    "accuracy": oracle.accuracy_score,
    "balanced_accuracy": oracle.balanced_accuracy_score,
    "precision": oracle.precision_score,
    "recall": oracle.recall_score,
    "f1": oracle.f1_score,
    "matthews_corrcoef": oracle.matthews_corrcoef,
    "cohen_kappa": oracle.cohen_kappa_score,
    "jaccard": oracle.jaccard_score,
}
AVERAGED = {name: CONFUSION[name] for name in ("precision", "recall", "f1", "jaccard")}
BINARY = {
    **{name: _on("prediction", function) for name, function in CONFUSION.items()},
    **{f"{name}@0.3": _at(0.3, function) for name, function in CONFUSION.items()},
    "specificity": _on("prediction", oracle.recall_score, pos_label=0),
    "f2": _on("prediction", oracle.fbeta_score, beta=2),
    "fbeta@0.5": _on("prediction", oracle.fbeta_score, beta=0.5),
    "roc_auc": _on("scores", oracle.roc_auc_score),
    "average_precision": _on("scores", oracle.average_precision_score),
    "neg_log_loss": _on("scores", oracle.log_loss),
    "neg_brier_score": _on("scores", oracle.brier_score_loss),
}
MULTICLASS = {
    **{
        f"{name}_{average}": _on("prediction", function, average=average)
        for name, function in AVERAGED.items()
        for average in ("macro", "micro", "weighted")
    },
    **{f"{name}[b]": _on("prediction", function, labels=[1], average="macro") for name, function in AVERAGED.items()},
    "accuracy": _on("prediction", oracle.accuracy_score),
    "balanced_accuracy": _on("prediction", oracle.balanced_accuracy_score),
    "mcc": _on("prediction", oracle.matthews_corrcoef),
    "kappa": _on("prediction", oracle.cohen_kappa_score),
    "roc_auc_ovr": _on("scores", oracle.roc_auc_score, multi_class="ovr"),
    "roc_auc[c]": _of_class(oracle.roc_auc_score, 2),
    "average_precision[c]": _of_class(oracle.average_precision_score, 2),
    "log_loss": _on("scores", oracle.log_loss),
    "brier_score": _on("scores", oracle.brier_score_loss),
    "top_2_accuracy": _on("scores", oracle.top_k_accuracy_score, k=2),
}
REGRESSION = {
    "mae": _on("prediction", oracle.mean_absolute_error),
    "mse": _on("prediction", oracle.mean_squared_error),
    "rmse": _on("prediction", oracle.root_mean_squared_error),
    "r2": _on("prediction", oracle.r2_score),
    "mape": _on("prediction", oracle.mean_absolute_percentage_error),
    "mean_pinball_loss@0.9": _on("prediction", oracle.mean_pinball_loss, alpha=0.9),
    "mean_bias": _bias,
}
ORACLES: dict[Task, dict[str, Oracle]] = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}
CASES = [(task, name) for task, oracles in ORACLES.items() for name in oracles]


def make_pair(task: Task, *, weighted: bool, rows: int = 90) -> SamplePair:
    rng = np.random.default_rng(7)
    weight = rng.exponential(size=rows) + 0.1 if weighted else None
    if task == "binary":
        return simulate_binary(rng, rows, weight=weight, decimals=1)  # one decimal: many ties
    if task == "multiclass":
        return simulate_multiclass(rng, rows, weight=weight)
    return simulate_regression(rng, rows, weight=weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("task", "name"), CASES)
def test_value_and_influence_equal_scikit_learn(task: Task, name: str, *, weighted: bool) -> None:
    """Both to rounding, with ties in the scores, with and without weights."""
    sample, compute = make_pair(task, weighted=weighted).candidate, ORACLES[task][name]
    metric = find_metric(name, task=task, classes=sample.classes)

    evaluation = metric.evaluate(sample)

    assert evaluation.value == pytest.approx(compute(sample, sample.weight), abs=1e-9)
    assert evaluation.influence is not None
    weight = np.ones(sample.rows) if sample.weight is None else sample.weight
    rows = np.random.default_rng(1).choice(sample.rows, 25, replace=False)
    expected = _differentiate(compute, sample, weight, rows)
    np.testing.assert_allclose(evaluation.influence[rows], expected, rtol=1e-4, atol=2e-5)
    assert evaluation.influence.sum() == pytest.approx(0, abs=1e-8)


def _differentiate(compute: Oracle, sample: Sample, weight: FloatArray, rows: Any) -> list[float]:
    step = 1e-5
    slopes = []
    for row in rows:
        up, down = weight.copy(), weight.copy()
        up[row] *= 1 + step
        down[row] *= 1 - step
        slopes.append((compute(sample, up) - compute(sample, down)) / (2 * step) * sample.rows)
    return slopes


@pytest.mark.parametrize("weighted", [False, True])
def test_quantiles_of_absolute_error_equal_scikit_learn_and_numpy(*, weighted: bool) -> None:
    sample = make_pair("regression", weighted=weighted).candidate
    errors = np.abs(np.asarray(sample.prediction) - np.asarray(sample.label))
    median, upper = (
        find_metric(name, task="regression") for name in ("median_absolute_error", "quantile_absolute_error@0.9")
    )

    expected = oracle.median_absolute_error(sample.label, sample.prediction, sample_weight=sample.weight)
    assert median.evaluate(sample).value == pytest.approx(expected, abs=1e-9)
    if weighted:
        expected = np.quantile(errors, 0.9, weights=sample.weight, method="inverted_cdf")
    else:
        expected = np.quantile(errors, 0.9, method="averaged_inverted_cdf")
    assert upper.evaluate(sample).value == pytest.approx(expected, abs=1e-9)


BOOTSTRAPPED = [
    ("regression", "median_absolute_error", 0.15),
    ("regression", "quantile_absolute_error@0.9", 0.15),
    ("binary", "precision@100", 0.1),
    ("binary", "precision@10%", 0.1),
]


@pytest.mark.parametrize(("task", "name", "tolerance"), BOOTSTRAPPED)
def test_standard_error_equals_the_bootstraps_where_there_is_no_derivative(
    task: Task, name: str, tolerance: float
) -> None:
    """A density or a rate near the cut is estimated, so the standard error agrees within its noise only."""
    rng = np.random.default_rng(11)
    sample = (simulate_binary(rng, 1000) if task == "binary" else simulate_regression(rng, 1000)).candidate
    metric = find_metric(name, task=task)

    influence = np.asarray(metric.evaluate(sample).influence)
    draws = [metric.evaluate(sample.take(rng.integers(0, 1000, 1000))).value for _ in range(500)]

    assert np.sqrt((influence**2).sum()) / 1000 == pytest.approx(np.std(draws), rel=tolerance)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_metric_is_held_to_scikit_learn_or_to_a_bootstrap(task: Task) -> None:
    sample = make_pair(task, weighted=False).candidate
    names = [*ORACLES[task], *(name for kind, name, _ in BOOTSTRAPPED if kind == task)]
    checked = {find_metric(name, task=task, classes=sample.classes).name for name in names}

    unchecked = {metric.name for metric in list_metrics(sample)} - checked

    assert unchecked <= {"expected_calibration_error"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_no_metric_depends_on_the_order_of_rows(task: Task) -> None:
    sample = make_pair(task, weighted=True).candidate
    order = np.random.default_rng(3).permutation(sample.rows)
    metrics = list_metrics(sample)

    assert len(metrics) >= 7
    for metric in metrics:
        value, moved = metric.evaluate(sample), metric.evaluate(sample.take(order))
        assert moved.value == pytest.approx(value.value, rel=1e-12)
        if value.influence is not None:
            assert moved.influence is not None
            np.testing.assert_allclose(moved.influence, value.influence[order], atol=1e-9)


def test_scores_outside_zero_to_one_allow_no_log_loss() -> None:
    sample = make_pair("binary", weighted=False).candidate
    logits = replace(sample, scores=np.log(np.clip(np.asarray(sample.scores), 0.01, 0.99)))

    names = {metric.name for metric in list_metrics(logits)}

    assert names.isdisjoint({"log_loss", "brier_score", "expected_calibration_error"})
    assert "roc_auc" in names


def test_top_precision_counts_tied_rows_in_part() -> None:
    """Scores 3 2 2 2 1, positives at 3 and at one of the 2s: the top two hold one and a third."""
    sample = _binary(label=[1, 0, 1, 0, 0], scores=[3, 2, 2, 2, 1])

    value = find_metric("precision@2", task="binary").evaluate(sample).value

    assert value == pytest.approx((1 + 1 / 3) / 2)


def test_calibration_error_by_hand() -> None:
    """Two bins: 0.2 predicted, half hit, two rows; 0.9 predicted, all hit, one row: (2 * 0.3 + 0.1) / 3."""
    sample = _binary(label=[1, 0, 1], scores=[0.2, 0.2, 0.9])
    metric = find_metric("ece", task="binary")

    evaluation = metric.evaluate(sample)

    assert evaluation.value == pytest.approx(0.7 / 3)
    assert evaluation.influence is None
    assert not metric.gateable
    assert "brier_score" in metric.refusal
    assert "log_loss" in metric.refusal


def _binary(label: list[int], scores: list[float]) -> Sample:
    values = np.array(scores, dtype=np.float64)
    return Sample(
        task="binary",
        rows=len(label),
        label=np.array(label, dtype=np.int8),
        prediction=(values >= 0.5).astype(np.int8),
        scores=values,
        classes=("0", "1"),
    )


UNDEFINED = [
    ("roc_auc", [1, 1, 1], [0.1, 0.2, 0.3], "one_class"),
    ("average_precision", [0, 0, 0], [0.1, 0.2, 0.3], "one_class"),
    ("balanced_accuracy", [1, 1, 1], [0.1, 0.7, 0.3], "one_class"),
    ("f1", [0, 0, 0], [0.1, 0.7, 0.3], "one_class"),
    ("recall", [0, 0, 0], [0.1, 0.7, 0.3], "one_class"),
    ("specificity", [1, 1, 1], [0.1, 0.7, 0.3], "one_class"),
    ("precision", [0, 1, 1], [0.1, 0.2, 0.3], "never_predicted"),
    ("log_loss", [0, 1, 1], [0.1, 1.2, 0.3], "not_probabilities"),
    ("precision@4", [0, 1, 1], [0.1, 0.2, 0.3], "too_few_rows"),
]


@pytest.mark.parametrize(("name", "label", "scores", "code"), UNDEFINED)
def test_degenerate_rows_leave_a_metric_undefined_and_say_why(
    name: str, label: list[int], scores: list[float], code: str
) -> None:
    with pytest.raises(MetricUndefined) as caught:
        find_metric(name, task="binary").evaluate(_binary(label, scores))

    assert caught.value.code == code
    assert caught.value.reason.endswith(".")


def test_two_rows_and_ties_have_the_values_they_must() -> None:
    tied = _binary(label=[0, 1], scores=[0.5, 0.5])

    assert find_metric("auc", task="binary").evaluate(tied).value == 0.5
    assert find_metric("accuracy", task="binary").evaluate(tied).value == 0.5


def test_a_zero_label_refuses_mape_and_equal_labels_refuse_r2() -> None:
    zeros = Sample(task="regression", rows=3, label=np.array([0.0, 1, 2]), prediction=np.ones(3))
    equal = replace(zeros, label=np.ones(3))

    for name, sample, code in (("mape", zeros, "zero_label"), ("r2", equal, "constant")):
        with pytest.raises(MetricUndefined) as caught:
            find_metric(name, task="regression").evaluate(sample)
        assert caught.value.code == code


def test_rare_classes_are_left_out_of_macro_averages_and_named() -> None:
    sample = make_pair("multiclass", weighted=False).candidate
    rare = np.flatnonzero(np.asarray(sample.label) == 2)[9:]
    few = sample.take(np.setdiff1d(np.arange(sample.rows), rare))

    evaluation = find_metric("f1_macro", task="multiclass").evaluate(few)

    expected = oracle.f1_score(few.label, few.prediction, labels=[0, 1], average="macro")
    assert evaluation.value == pytest.approx(expected)
    assert evaluation.notes == ("Left out of the average, fewer than 10 rows: c.",)


def test_weights_of_zero_everywhere_are_refused() -> None:
    sample = replace(make_pair("binary", weighted=False).candidate, weight=np.zeros(90))

    with pytest.raises(MetricUndefined) as caught:
        find_metric("accuracy", task="binary").evaluate(sample)

    assert caught.value.code == "zero_weight"


@pytest.mark.parametrize("name", ["mcc", "kappa"])
def test_a_constant_candidate_is_uncorrelated_with_the_labels_as_in_scikit_learn(name: str) -> None:
    label = np.repeat([0, 1], [240, 160]).astype(np.int8)
    sides = [binary_sample(label, np.asarray(scores, np.float64)) for scores in (0.2 + 0.5 * label, np.full(400, 0.2))]

    item = contrast(SamplePair(baseline=sides[0], candidate=sides[1]), find_metric(name, task="binary"))

    assert (item.baseline, item.candidate) == (1.0, 0.0)
    assert item.interval(0.025)[1] < -0.5


@pytest.mark.parametrize("name", ["log_loss", "brier_score"])
def test_one_row_alone_bounds_nothing(name: str) -> None:
    sample = binary_sample(np.array([1], dtype=np.int8), np.array([0.9]))
    metric = find_metric(name, task="binary")

    assert single_interval(sample, metric, tail=0.025) == metric.value_range
