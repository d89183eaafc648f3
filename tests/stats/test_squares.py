"""R² and RMSE: a bound is where the t test that Fieller proposes just refuses."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.registry import find_metric
from metricgate.stats.squares import bound_determination, bound_root
from tests.stats.simulation import simulate_regression

ROWS, TAIL = 120, 0.025
QUANTILE = float(t.isf(TAIL, ROWS - 1))


def make_pair() -> SamplePair:
    return simulate_regression(np.random.default_rng(3), ROWS, loss=0.1)


def square_errors(pair: SamplePair) -> tuple[FloatArray, FloatArray]:
    label = np.asarray(pair.candidate.label)
    errors = [np.square(np.asarray(side.prediction) - label) for side in (pair.baseline, pair.candidate)]
    return errors[0], errors[1]


@pytest.mark.parametrize("factor", [1.0, 0.95])
def test_bounds_of_r2_are_where_a_t_test_of_the_linear_contrast_just_refuses(factor: float) -> None:
    """Refused: a ratio q of saved squared error to the labels' variance for which saved - q * deviation has no mean 0."""
    pair = make_pair()
    baseline, candidate = square_errors(pair)
    label = np.asarray(pair.candidate.label)
    deviation = np.square(label - label.mean())

    low, high = bound_determination(pair, factor, ROWS - 1)(TAIL)

    for bound, side in ((low, 1), (high, -1)):
        ratio = bound - 1 + factor
        statistic = ttest_1samp(factor * baseline - candidate - ratio * deviation, 0).statistic
        assert statistic == pytest.approx(side * QUANTILE, rel=1e-6)


def test_bounds_of_rmse_are_where_both_t_tests_refuse() -> None:
    """The candidate's mean square against the square that a difference d asks for, and the baseline's likewise."""
    pair = make_pair()
    baseline, candidate = square_errors(pair)
    roots = np.sqrt(baseline.mean()), np.sqrt(candidate.mean())

    low, high = bound_root(pair, 1.0, ROWS - 1)(TAIL)

    for bound, side in ((low, 1), (high, -1)):
        asked, left = roots[0] + bound, roots[1] - bound
        of_candidate = candidate - asked**2 - asked / roots[0] * (baseline - baseline.mean())
        of_baseline = left**2 - baseline + left / roots[1] * (candidate - candidate.mean())
        statistics = [side * ttest_1samp(values, 0).statistic for values in (of_candidate, of_baseline)]
        assert min(statistics) == pytest.approx(QUANTILE, rel=1e-6)


def test_both_agree_with_influence_values_where_rows_are_many() -> None:
    pair = simulate_regression(np.random.default_rng(3), 200_000, loss=0.1)

    for name, bound in (("r2", bound_determination), ("rmse", bound_root)):
        item = contrast(pair, find_metric(name, task="regression"))
        low, high = bound(pair, 1.0, pair.rows - 1)(TAIL)
        assert (high - low) / 2 == pytest.approx(1.959964 * item.se, rel=0.01)
