"""Paired differences: published numbers, invariances, degenerate rows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_rel

from metricgate.models.samples import Sample, SamplePair
from metricgate.stats.contrast import contrast, single_interval
from metricgate.stats.count_intervals import bound_paired_proportions
from metricgate.stats.metric import MetricUndefined
from metricgate.stats.registry import find_metric, list_metrics
from metricgate.stats.spread import know_variance
from tests.stats.simulation import (
    binary_sample,
    regression_sample,
    simulate_binary,
    simulate_multiclass,
    simulate_regression,
)


def test_tango_interval_equals_published_ones() -> None:
    """Fagerland, Lydersen & Laake 2014 (airway hyper-responsiveness, 7 and 1 of 21); R's PropCIs::scoreci.mp."""
    assert bound_paired_proportions(1, 7, 21, 0.025) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert bound_paired_proportions(28, 25, 618, 0.05) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


@pytest.mark.parametrize(
    "pair",
    [
        simulate_binary(np.random.default_rng(1), 300),
        simulate_binary(np.random.default_rng(1), 300, weight=np.random.default_rng(2).exponential(size=300)),
        simulate_multiclass(np.random.default_rng(1), 300),
        simulate_regression(np.random.default_rng(1), 300),
    ],
)
def test_swapping_the_models_flips_the_interval(pair: SamplePair) -> None:
    swapped = SamplePair(baseline=pair.candidate, candidate=pair.baseline)

    for metric in list_metrics(pair.candidate):
        one, other = contrast(pair, metric), contrast(swapped, metric)

        assert other.estimate == pytest.approx(-one.estimate)
        low, high = one.interval(0.025)
        assert other.interval(0.025) == pytest.approx((-high, -low))
        assert low <= one.estimate <= high


def test_identical_predictions_differ_by_exactly_nothing() -> None:
    pair = simulate_binary(np.random.default_rng(1), 200)
    same = SamplePair(baseline=pair.candidate, candidate=pair.candidate)

    for metric in list_metrics(pair.candidate):
        item = contrast(same, metric)

        assert item.identical
        assert item.estimate == 0
        assert item.interval(0.001) == (0, 0)


def test_a_slice_without_a_discordant_row_is_no_proof_of_equality() -> None:
    pair = simulate_binary(np.random.default_rng(1), 200)
    same = SamplePair(baseline=pair.candidate, candidate=pair.candidate)

    low, high = contrast(same, find_metric("accuracy", task="binary"), part=True).interval(0.025)

    assert -0.025 < low < -0.015  # Tango: z^2 / (n + z^2)
    assert high == pytest.approx(-low)


PAIRED_TABLE = {  # label, first test, second test: R package DTComPair, data Paired1
    (1, 1, 1): 319,
    (1, 1, 0): 22,
    (1, 0, 1): 78,
    (1, 0, 0): 32,
    (0, 1, 1): 31,
    (0, 1, 0): 22,
    (0, 0, 1): 53,
    (0, 0, 0): 155,
}


def make_paired_tests() -> SamplePair:
    rows = np.array([cell for cell, count in PAIRED_TABLE.items() for _ in range(count)])
    sides = [
        Sample(
            task="binary", rows=len(rows), label=rows[:, 0], prediction=rows[:, side], classes=("healthy", "diseased")
        )
        for side in (1, 2)
    ]
    return SamplePair(baseline=sides[0], candidate=sides[1])


@pytest.mark.parametrize(
    ("name", "baseline", "candidate", "se"),
    [
        ("recall", 0.7560976, 0.8802661, 0.02139),
        ("specificity", 0.7969349, 0.6781609, None),
        ("precision", 0.8654822, 0.8253638, 0.01680),
        ("balanced_accuracy", None, None, 0.01939),
        ("f1", None, None, 0.01544),
        ("mcc", None, None, 0.03784),
        ("kappa", None, None, 0.03837),
        ("accuracy", None, None, 0.01853),
    ],
)
def test_paired_diagnostic_tests_equal_the_published_example(
    name: str, baseline: float | None, candidate: float | None, se: float | None
) -> None:
    """DTComPair's README has the shares; the standard errors agree with a multinomial bootstrap within 1.3 %."""
    item = contrast(make_paired_tests(), find_metric(name, task="binary"))

    if baseline is not None and candidate is not None:
        assert (item.baseline, item.candidate) == pytest.approx((baseline, candidate), abs=5e-8)
    if se is not None:
        assert item.se == pytest.approx(se, rel=0.02)
        influence = item.influence
        assert np.sqrt(influence @ influence) / item.rows == pytest.approx(se, rel=0.003)


# DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988); the 43 complete rows printed in SAS/STAT's documentation of
# PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves": albumin, total protein, K-G score, benefit.
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1
3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0
2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0
3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1
3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


@pytest.mark.parametrize(
    ("candidate", "area", "difference", "se"),
    [("albumin", 0.7366, 0.0108, 0.0953), ("protein", 0.6478, -0.0780, 0.1046)],
)
def test_auc_difference_equals_delongs_published_example(
    candidate: str, area: float, difference: float, se: float
) -> None:
    """Against the K-G score, 0.7258, as SAS prints them."""
    rows = np.array(OVARIAN.split(), dtype=np.float64).reshape(-1, 4)
    label = rows[:, 3].astype(np.int8)
    sides = {
        "albumin": binary_sample(label, rows[:, 0]),
        "protein": binary_sample(label, rows[:, 1]),
        "score": binary_sample(label, 10 - rows[:, 2]),
    }

    pair = SamplePair(baseline=sides["score"], candidate=sides[candidate])
    item = contrast(pair, find_metric("roc_auc", task="binary"))

    assert (item.baseline, item.candidate) == pytest.approx((0.7258, area), abs=5e-5)
    assert (item.estimate, item.se) == pytest.approx((difference, se), abs=5e-5)
    low, high = item.interval(0.025)
    assert low <= difference - 1.96 * se
    assert high >= difference + 1.96 * se


def test_a_mean_differs_as_in_a_paired_t_test() -> None:
    pair = simulate_regression(np.random.default_rng(4), 60)
    losses = [np.abs(np.asarray(side.prediction) - np.asarray(side.label)) for side in (pair.candidate, pair.baseline)]
    expected = ttest_rel(*losses)

    item = contrast(pair, find_metric("mae", task="regression"))

    assert item.estimate / item.se == pytest.approx(expected.statistic)
    low, high = item.interval(0.025)
    assert low <= expected.confidence_interval(0.95).low
    assert high >= expected.confidence_interval(0.95).high


def test_a_percentage_is_tested_on_both_estimates() -> None:
    """Candidate - 0.95 baseline: for a mean, the same as the mean of that difference."""
    pair = simulate_regression(np.random.default_rng(4), 60)
    losses = [np.abs(np.asarray(side.prediction) - np.asarray(side.label)) for side in (pair.candidate, pair.baseline)]
    tested = losses[0] - 0.95 * losses[1]

    item = contrast(pair, find_metric("mae", task="regression"), factor=0.95)

    assert item.estimate == pytest.approx(tested.mean())
    assert item.se == pytest.approx(tested.std(ddof=1) / np.sqrt(60))


def test_equal_weights_change_nothing_and_a_doubled_row_counts_twice() -> None:
    pair = simulate_binary(np.random.default_rng(6), 150)
    equal = SamplePair(
        baseline=replace(pair.baseline, weight=np.full(150, 2.0)),
        candidate=replace(pair.candidate, weight=np.full(150, 2.0)),
    )

    for metric in list_metrics(pair.candidate):
        plain, weighted = contrast(pair, metric), contrast(equal, metric)
        assert weighted.estimate == pytest.approx(plain.estimate)
        if not metric.gateable:
            continue
        np.testing.assert_allclose(weighted.influence, plain.influence, atol=1e-12)


def test_one_row_that_carries_the_variance_is_named() -> None:
    pair = simulate_regression(np.random.default_rng(4), 60)
    moved = np.asarray(pair.candidate.prediction).copy()
    moved[7] += 1000

    wild = SamplePair(baseline=pair.baseline, candidate=replace(pair.candidate, prediction=moved))
    item = contrast(wild, find_metric("mae", task="regression"))

    assert item.notes == ("One row carries 98% of the variance of the difference.",)
    assert item.interval(0.025)[0] < 0 < item.interval(0.025)[1]


def test_extreme_labels_leave_squared_errors_undecided() -> None:
    rng = np.random.default_rng(4)
    label = np.exp(2 * rng.standard_normal(200))
    sides = [regression_sample(label, label * (1 + 0.1 * rng.standard_normal(200))) for _ in range(2)]
    pair = SamplePair(baseline=sides[0], candidate=sides[1])

    for name in ("r2", "mse"):
        assert "a few extreme labels" in contrast(pair, find_metric(name, task="regression")).inconclusive
    assert not contrast(pair, find_metric("median_absolute_error", task="regression")).inconclusive


def test_a_metric_without_an_interval_says_so() -> None:
    pair = simulate_binary(np.random.default_rng(6), 150)
    item = contrast(pair, find_metric("ece", task="binary"))

    assert not item.has_interval
    assert "brier_score" in item.inconclusive
    with pytest.raises(MetricUndefined) as caught:
        single_interval(pair.candidate, item.metric, tail=0.025)
    assert caught.value.code == "no_interval"


def test_the_side_without_a_value_is_named() -> None:
    pair = simulate_binary(np.random.default_rng(6), 150)
    never = replace(pair.candidate, prediction=np.zeros(150, dtype=np.int8))

    for baseline, candidate, side in ((pair.baseline, never, "candidate"), (never, pair.baseline, "baseline")):
        with pytest.raises(MetricUndefined) as caught:
            contrast(SamplePair(baseline=baseline, candidate=candidate), find_metric("precision", task="binary"))
        assert (caught.value.side, caught.value.code) == (side, "never_predicted")


@pytest.mark.parametrize(("hits", "rows", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611)])
def test_one_proportion_has_wilsons_interval(hits: int, rows: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I."""
    label = np.zeros(rows, dtype=np.int8)
    label[:hits] = 1
    sample = binary_sample(label, np.ones(rows))

    assert single_interval(sample, find_metric("accuracy", task="binary"), tail=0.025) == pytest.approx(
        (low, high), abs=5e-5
    )


def test_a_models_own_interval_stays_in_the_range_of_the_metric() -> None:
    sample = simulate_binary(np.random.default_rng(6), 40, signal=4.0).candidate

    for metric in list_metrics(sample):
        if metric.gateable:
            low, high = single_interval(sample, metric, tail=0.0001)
            assert metric.lowest <= low <= metric.evaluate(sample).value <= high <= metric.highest


def test_few_groups_are_no_evidence_and_many_equal_ones_are_a_t_test() -> None:
    rng = np.random.default_rng(8)
    pair = simulate_regression(rng, 400)
    metric = find_metric("mae", task="regression")
    losses = np.abs(np.asarray(pair.candidate.prediction) - np.asarray(pair.candidate.label))
    losses -= np.abs(np.asarray(pair.baseline.prediction) - np.asarray(pair.baseline.label))
    means = losses.reshape(40, 10).mean(axis=1)

    grouped = replace(pair, group=np.repeat(np.arange(40), 10))
    item = contrast(grouped, metric)
    few = contrast(replace(pair, group=np.repeat(np.arange(10), 40)), metric)

    assert item.se == pytest.approx(means.std(ddof=1) / np.sqrt(40), rel=1e-9)
    (low, high), expected = item.interval(0.025), ttest_1samp(means, 0).confidence_interval(0.95)
    assert low <= expected.low + 1e-9
    assert high >= expected.high - 1e-9
    assert high - low < 1.1 * (expected.high - expected.low)
    assert not item.inconclusive
    assert few.inconclusive == "only 10.0 effective groups, 15 are needed"


def test_equal_predicted_labels_of_models_whose_scores_differ_prove_no_equality() -> None:
    pair = simulate_binary(np.random.default_rng(1), 200)
    softer = replace(pair.candidate, scores=np.asarray(pair.candidate.scores) * 0.999)
    labels_only = SamplePair(
        baseline=replace(pair.candidate, scores=None), candidate=replace(pair.candidate, scores=None)
    )

    for name in ("accuracy", "f1"):
        metric = find_metric(name, task="binary")
        low, high = contrast(SamplePair(baseline=pair.candidate, candidate=softer), metric).interval(0.025)
        assert low < -0.005
        assert high > 0.005
        low, high = contrast(labels_only, metric).interval(0.025)
        assert low < 0 < high
        assert contrast(replace(labels_only, same_model=True), metric).interval(0.025) == (0, 0)


def test_a_perfect_score_still_has_an_interval() -> None:
    """All positives above all negatives, by different scores: DeLong's variance is zero, the doubt is not."""
    label = np.repeat([0, 1], [40, 20]).astype(np.int8)
    sides = [binary_sample(label, label * 0.5 + np.random.default_rng(seed).random(60) * 0.4) for seed in (1, 2)]
    pair = SamplePair(baseline=sides[0], candidate=sides[1])

    for name, most in (("roc_auc", 0.4), ("average_precision", 1.0), ("precision@10", 1.0)):
        metric = find_metric(name, task="binary")
        low, high = contrast(pair, metric).interval(0.025)
        assert -most <= low < -0.1
        assert 0.1 < high <= most
        assert single_interval(sides[0], metric, tail=0.025)[0] < 0.9


def test_four_discordant_rows_all_lost_show_no_loss() -> None:
    """McNemar's exact test gives one side 1 / 16; Tango's bound alone would call it a loss."""
    label = np.ones(100, dtype=np.int8)
    scores = np.ones(100)
    worse = scores.copy()
    worse[:4] = 0.0
    pair = SamplePair(baseline=binary_sample(label, scores), candidate=binary_sample(label, worse))

    _, high = contrast(pair, find_metric("accuracy", task="binary")).interval(0.025)

    assert bound_paired_proportions(0, 4, 100, 0.025)[1] < 0
    assert high > 0


def test_extreme_rows_leave_few_degrees_of_freedom() -> None:
    """A mean whose variance hangs on ten of 1,000 rows: kurtosis 100, 2,000 / 99 = 20.2 degrees of freedom."""
    extreme = np.zeros(1000)
    extreme[:10] = np.tile([1.0, -1.0], 5)

    assert know_variance(extreme) == pytest.approx(2000 / 99)
    assert know_variance(extreme, np.random.default_rng(1).standard_normal(1000)) == know_variance(extreme)
    assert know_variance(np.tile([1.0, -1.0], 500)) == np.inf


def test_labels_near_zero_leave_percentage_errors_undecided() -> None:
    rng = np.random.default_rng(4)
    metric = find_metric("mape", task="regression")
    for label, is_decided in ((rng.standard_normal(1000), False), (np.exp(rng.standard_normal(1000)), True)):
        sides = [regression_sample(label, label * (1 + 0.1 * rng.standard_normal(1000))) for _ in range(2)]
        pair = SamplePair(baseline=sides[0], candidate=sides[1])

        for each in (pair, replace(pair, group=np.repeat(np.arange(50), 20))):
            assert ("labels near zero" in contrast(each, metric).inconclusive) is not is_decided


def test_models_ranked_by_several_metrics_are_sorted_once() -> None:
    """The order is kept on the sample, in the narrowest type, and serves ROC AUC and average precision alike."""
    pair = simulate_binary(np.random.default_rng(6), 150)
    expected = [contrast(pair, find_metric(name, task="binary")).estimate for name in ("auc", "ap")]
    shuffled = np.random.default_rng(1).permutation(150)
    moved = pair.take(shuffled)

    assert pair.candidate.order.dtype == np.uint8
    assert np.all(np.diff(np.asarray(pair.candidate.scores)[pair.candidate.order]) >= 0)
    again = [contrast(moved, find_metric(name, task="binary")).estimate for name in ("auc", "ap")]
    assert again == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("factor", [1.0, 0.95, -0.5])
def test_an_interval_does_not_go_beyond_what_the_range_allows(factor: float) -> None:
    pair = simulate_binary(np.random.default_rng(1), 12, prevalence=0.5, loss=1.4)

    for metric in list_metrics(pair.candidate):
        if not metric.gateable:
            continue
        item = contrast(pair, metric, factor=factor)
        (low, high), (lowest, highest) = item.interval(1e-4), metric.value_range

        assert lowest <= item.candidate_interval(1e-4)[0] <= item.candidate_interval(1e-4)[1] <= highest
        possible = [own - factor * other for own in metric.value_range for other in metric.value_range]
        assert min(possible) <= low <= item.estimate <= high <= max(possible)
