"""Few differing rows, or groups, are few observations; and equality needs evidence."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from metricgate.models.samples import Sample, SamplePair
from metricgate.stats.bounded_mean import bound_bounded_mean
from metricgate.stats.contrast import contrast
from metricgate.stats.registry import find_metric
from tests.stats.simulation import binary_sample, regression_sample, simulate_binary, simulate_regression

TAIL = 0.025


def spoil_scores(rows: int, spoilt: int) -> SamplePair:
    """Two equal models, but that the candidate is wrong, and sure of it, on the first rows, which were right."""
    base = simulate_binary(np.random.default_rng(1), rows).baseline
    scores, label = np.asarray(base.scores).copy(), np.asarray(base.label)
    chosen = np.flatnonzero((scores >= 0.5) == label)[:spoilt]
    scores[chosen] = np.where(label[chosen] == 1, 0.02, 0.98)
    return SamplePair(baseline=base, candidate=binary_sample(label, scores))


def find_loss_ruled_out(pair: SamplePair, name: str) -> float:
    """Return the smallest margin that passes; infinite where there is no verdict."""
    metric = find_metric(name, task=pair.candidate.task, columns=tuple(pair.candidate.columns))
    item = contrast(pair, metric)
    low, high = item.interval(TAIL)
    return float("inf") if item.inconclusive else max(-low if metric.direction == "higher" else high, 0.0)


@pytest.mark.parametrize("name", ["accuracy", "brier_score", "roc_auc"])
def test_five_worse_rows_of_ten_thousand_pass_a_margin_of_a_hundredth_and_of_a_thousand_do_not(name: str) -> None:
    assert find_loss_ruled_out(spoil_scores(10_000, 5), name) < 0.01
    assert find_loss_ruled_out(spoil_scores(1000, 5), name) > 0.01


def move_rows(moved: int, jitter: float = 0.0) -> SamplePair:
    """Two equal models of 1,000 rows, or nearly, but that the candidate predicts 3 too much on the first rows."""
    rng = np.random.default_rng(1)
    pair = simulate_regression(rng, 1000)
    prediction = np.asarray(pair.baseline.prediction) + jitter * rng.standard_normal(1000)
    prediction[:moved] += 3.0
    return replace(pair, candidate=regression_sample(np.asarray(pair.baseline.label), prediction))


@pytest.mark.parametrize("jitter", [0.0, 0.01])
@pytest.mark.parametrize("name", ["rmse", "mse", "mae", "r2", "mean_bias"])
def test_one_worse_row_decides_nothing_about_errors_of_any_size(name: str, jitter: float) -> None:
    metric = find_metric(name, task="regression")

    assert contrast(move_rows(1, jitter), metric).inconclusive.startswith("too few rows carry the difference: 1.0 of")
    assert not contrast(move_rows(1000), metric).inconclusive


@pytest.mark.parametrize("name", ["rmse", "mse", "mae", "r2"])
def test_five_worse_rows_rule_out_what_eleven_like_them_would_lose(name: str) -> None:
    """With 5 events seen, 11.7 may be expected (Garwood, Biometrika 28 (1936) 437), and others may be larger."""
    pair = move_rows(5)
    lost = abs(contrast(pair, find_metric(name, task="regression")).estimate)

    assert 2.3 * lost < find_loss_ruled_out(pair, name) < 5 * lost


@pytest.mark.parametrize("rows", [360, 370])
def test_equal_shares_on_370_rows_rule_out_a_loss_of_a_hundredth(rows: int) -> None:
    """None of n: 1 - 0.025^(1/n). Rounded to few values, equal scores are no proof that the models are one."""
    values = np.round(np.random.default_rng(1).random(rows), 1)
    sides = [Sample(task="score", rows=rows, columns={"grade": values.copy()}) for _ in range(2)]

    assert (find_loss_ruled_out(SamplePair(baseline=sides[0], candidate=sides[1]), "mean(grade)") <= 0.01) is (
        rows == 370
    )


def test_no_group_that_differs_is_no_proof() -> None:
    """Twenty rows of each of 50 customers: 50 observations, 3.7 / 50 = 0.07."""
    base = simulate_binary(np.random.default_rng(1), 1000).baseline
    pair = SamplePair(baseline=base, candidate=replace(base), group=np.repeat(np.arange(50), 20))

    assert 0.06 < find_loss_ruled_out(pair, "accuracy") < 0.08
    assert find_loss_ruled_out(pair, "f1") == float("inf")
    assert find_loss_ruled_out(replace(pair, same_model=True), "f1") == 0.0


def test_two_newly_wrong_groups_of_200_do_not_pass_for_a_hundredth() -> None:
    base = simulate_binary(np.random.default_rng(1), 1000).baseline
    wrong = np.asarray(base.scores).copy()
    wrong[:10] = 1 - np.asarray(base.label)[:10]
    pair = SamplePair(
        baseline=base,
        candidate=binary_sample(np.asarray(base.label), wrong),
        group=np.repeat(np.arange(200), 5),
    )

    assert find_loss_ruled_out(pair, "accuracy") > 0.02


def test_equal_continuous_scores_are_one_model_and_equal_labels_are_not() -> None:
    base = simulate_binary(np.random.default_rng(1), 500).baseline
    pair = SamplePair(baseline=base, candidate=replace(base))
    labels = SamplePair(baseline=replace(base, scores=None), candidate=replace(base, scores=None))
    accuracy = find_metric("accuracy", task="binary")

    assert contrast(pair, accuracy).interval(TAIL) == (0, 0)
    assert contrast(pair, accuracy, part=True).interval(TAIL) != (0, 0)
    assert contrast(labels, accuracy).interval(TAIL) != (0, 0)
    assert contrast(replace(labels, same_model=True), accuracy).interval(TAIL) == (0, 0)


def test_an_unchanged_order_is_an_unchanged_ranking() -> None:
    base = simulate_binary(np.random.default_rng(1), 500).baseline
    pair = SamplePair(baseline=base, candidate=binary_sample(np.asarray(base.label), np.asarray(base.scores) ** 2))

    for name, identical in (("roc_auc", True), ("average_precision", True), ("log_loss", False), ("accuracy", False)):
        assert contrast(pair, find_metric(name, task="binary")).identical is identical


@pytest.mark.parametrize(("hits", "rows"), [(0, 370), (5, 1000), (40, 200), (3, 50)])
def test_two_values_have_clopper_and_pearsons_bounds(hits: int, rows: int) -> None:
    values = np.zeros(rows)
    values[:hits] = 1.0

    low, high = bound_bounded_mean(values, 0.0, 1.0, TAIL)

    assert high == pytest.approx(beta.ppf(1 - TAIL, hits + 1, rows - hits), rel=0.003)
    assert low == pytest.approx(beta.ppf(TAIL, hits, rows - hits + 1) if hits else 0.0, rel=0.003)


def test_bounds_of_a_bounded_mean_are_quantiles_under_evenly_drawn_weights() -> None:
    rng = np.random.default_rng(1)
    values = np.zeros(300)
    values[:8] = rng.uniform(-0.5, 1, 8)
    weights = rng.exponential(size=(40_000, 301))
    weights /= weights.sum(axis=1, keepdims=True)

    low, high = bound_bounded_mean(values, -1.0, 1.0, TAIL)

    assert high == pytest.approx(np.quantile(weights @ np.append(values, 1.0), 1 - TAIL), rel=0.02)
    assert low == pytest.approx(np.quantile(weights @ np.append(values, -1.0), TAIL), rel=0.06)


def test_many_distinct_values_keep_their_mean_and_widen_no_more_than_a_little() -> None:
    values = np.random.default_rng(1).uniform(-0.1, 0.1, 20_000)

    low, high = bound_bounded_mean(values, -1.0, 1.0, TAIL)

    assert values.mean() - low == pytest.approx(1.96 * values.std() / np.sqrt(20_000), rel=0.3)
    assert low < values.mean() < high


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_a_value_at_the_end_of_its_range_has_no_further_bound(value: float) -> None:
    low, high = bound_bounded_mean(np.full(50, value), -1.0, 1.0, TAIL)

    assert -1.0 <= low <= value <= high <= 1.0
    assert low < -0.8 if value == -1.0 else low < value


def test_top_rows_tied_at_the_cut_are_refused() -> None:
    pair = simulate_binary(np.random.default_rng(1), 1000, loss=0.3)
    sides = [
        binary_sample(np.asarray(side.label), np.digitize(np.asarray(side.scores), [0.2, 0.6]) / 2)
        for side in (pair.baseline, pair.candidate)
    ]
    metric = find_metric("precision@5%", task="binary")

    assert "tied at the cut" in contrast(SamplePair(baseline=sides[0], candidate=sides[1]), metric).inconclusive
    assert not contrast(pair, metric).inconclusive
