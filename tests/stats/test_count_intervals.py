"""Bounds of counts and shares against published and hand-computed ones."""

from itertools import pairwise
from math import sqrt

import pytest
from scipy.stats import chi2, norm, t

from metricgate.stats.count_intervals import Cumulants, bound_counted, bound_paired_proportions, bound_with_added_rows
from metricgate.stats.interval import Own, recover_bounds
from metricgate.stats.registry import find_metric

Z = float(norm.isf(0.025))


def test_one_poisson_count_has_the_score_interval() -> None:
    """The rates that a z test of 10 events does not refuse: 5.43 to 18.41 (Rao's score, z² / 2 + 10 ± …)."""
    low, high = bound_counted(10, Cumulants(variance=10, third=10, fourth=10), 0.025)

    reach = Z * sqrt(10 + Z**2 / 4)
    assert high == pytest.approx(10 + Z**2 / 2 + reach)
    assert high == pytest.approx(18.41, abs=0.005)
    assert low == pytest.approx(10 - Z * sqrt(10))  # the plain bound is the more careful one on this side
    assert 10 + Z**2 / 2 - reach == pytest.approx(5.43, abs=0.005)


def test_without_a_lean_it_is_students_interval_with_the_freedom_of_the_counts() -> None:
    """Twelve discordant rows, six either way: Satterthwaite's 2 * 12² / 12 = 24 degrees of freedom."""
    low, high = bound_counted(0, Cumulants(variance=12, third=0, fourth=12), 0.025)

    assert high == pytest.approx(float(t.isf(0.025, 24)) * sqrt(12))
    assert low == pytest.approx(-high)


def test_bounds_move_out_as_the_error_shrinks_and_hold_the_estimate() -> None:
    cumulants = Cumulants(variance=3.0, third=-2.5, fourth=4.0)

    bounds = [bound_counted(1.0, cumulants, tail) for tail in (0.2, 0.025, 0.001)]

    assert all(outer[0] < inner[0] < 1.0 < inner[1] < outer[1] for inner, outer in pairwise(bounds))


def test_nothing_that_varies_has_no_width() -> None:
    assert bound_counted(0.5, Cumulants(variance=0.0, third=0.0, fourth=0.0), 0.025) == (0.5, 0.5)


def test_added_rows_by_hand() -> None:
    """1 gained and 7 lost of 21: -6 / 23, with 9 discordant rows of 23."""
    low, high = bound_with_added_rows(1, 7, 21, 0.025)

    reach = Z * sqrt((9 - 36 / 23) / 23**2)
    assert (low, high) == pytest.approx((-6 / 23 - reach, -6 / 23 + reach))


@pytest.mark.parametrize(
    ("only_one", "only_other", "rows", "statistic"),
    [
        (121, 59, 314, 21.355556),  # the table [[101, 121], [59, 33]] of R's mcnemar.test, without correction
        (150, 86, 1600, 17.35593),  # Agresti, Categorical Data Analysis: approval of the prime minister
    ],
)
def test_the_error_at_which_a_bound_reaches_zero_is_mcnemars(
    only_one: int, only_other: int, rows: int, statistic: float
) -> None:
    tail = float(chi2.sf(statistic, 1)) / 2

    low, _ = bound_paired_proportions(only_one, only_other, rows, tail)

    assert low == pytest.approx(0, abs=1e-6)


def test_recovered_bounds_equal_newcombes_published_ones() -> None:
    """56 of 70 against 48 of 80, unpaired: 0.0524 to 0.3339 (Newcombe, Statistics in Medicine 17 (1998), 873, method 10)."""
    share = find_metric("precision@10%", task="binary")  # one whose own interval is Wilson's

    bounds = recover_bounds(
        share, Own(48 / 80, 0.0, 80), Own(56 / 70, 0.0, 70), correlation=0.0, factor=1.0, freedom=1e9
    )

    assert bounds(0.025) == pytest.approx((0.0524, 0.3339), abs=5e-5)
