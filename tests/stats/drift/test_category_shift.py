"""Total variation, new values and shares, by hand and by enumeration."""

from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from metricgate.models.column_counts import CategoryCounts
from metricgate.stats.drift.category_shift import measure_moved_categories, measure_new_values
from metricgate.stats.drift.share_shift import bound_unpaired_shares, measure_share


def count(reference: list[int], current: list[int]) -> CategoryCounts:
    ones = np.ones(len(reference), dtype=np.int64)
    return CategoryCounts(
        reference=np.array(reference, dtype=np.int64), current=np.array(current, dtype=np.int64), categories=ones
    )


def test_total_variation_by_hand() -> None:
    """Shares .5 .3 .2 against .4 .3 .3: a tenth of the rows changed category."""
    found = measure_moved_categories(count([50, 30, 20], [80, 60, 60]))

    assert found.value == pytest.approx(0.1)
    low, high = found.interval.bounds(0.025)
    scale = sqrt(1 / 100 + 1 / 200)
    assert low == pytest.approx(max(0.1 - found.expected - scale * sqrt(log(40) / 2), 0))
    assert high == pytest.approx(0.1 + 1.959964 * scale / 2)


def test_what_chance_shows_is_the_exact_mean_deviation() -> None:
    """Two categories with 7 and 12 rows, of 8 and 11: the mean of |X/n - (c - X)/m| over a binomial, in full."""
    reference, current = 8, 11
    share = reference / (reference + current)
    mean = 0.0
    for size in (7, 12):
        hits = np.arange(size + 1)
        weights = stats.binom.pmf(hits, size, share)
        mean += float(weights @ np.abs(hits / reference - (size - hits) / current))

    found = measure_moved_categories(count([3, 5], [4, 7]))

    assert found.expected == pytest.approx(mean / 2)


def test_ids_that_never_repeat_have_not_moved() -> None:
    """Total variation is 1 by definition, and chance alone shows as much."""
    ones, zeros = [1] * 1000, [0] * 1000
    found = measure_moved_categories(count([*ones, *zeros], [*zeros, *ones]))

    assert found.value == 1
    assert found.expected == pytest.approx(1)
    assert found.interval.bounds(0.025)[0] == 0


def test_new_values_are_those_beyond_what_the_reference_leads_one_to_expect() -> None:
    """30 of 100 rows in values seen once: 30 % new ones are no news, 60 % are 30 points too many."""
    reference = [1] * 30 + [35, 35]
    expected = measure_new_values(count([*reference, 0], [*([0] * 30), 35, 35, 30]))
    more = measure_new_values(count([*reference, 0], [*([0] * 30), 20, 20, 60]))

    assert expected.value == pytest.approx(0, abs=1e-12)
    assert more.value == pytest.approx(0.3)
    assert more.interval.bounds(0.025)[0] > 0.1
    assert expected.interval.bounds(0.025)[0] == 0


def test_share_is_newcombes_published_example() -> None:
    """56/70 - 48/80 = 0.2: (0.0524, 0.3339), Newcombe (1998), table II (a), method 10."""
    low, high = bound_unpaired_shares((48, 56), (80, 70), 0.025)

    assert low == pytest.approx(0.0524, abs=5e-5)
    assert high == pytest.approx(0.3339, abs=5e-5)


def test_share_moves_in_either_direction() -> None:
    up, down = measure_share((50, 100), (1000, 1000)), measure_share((100, 50), (1000, 1000))

    assert up.value == down.value == pytest.approx(0.05)
    assert up.interval.bounds(0.025) == pytest.approx(down.interval.bounds(0.025))
    assert measure_share((10, 10), (1000, 1000)).interval.bounds(0.025)[0] == 0
