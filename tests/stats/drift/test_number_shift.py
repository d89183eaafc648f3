"""The Kolmogorov-Smirnov distance and Wasserstein's, by hand and against scipy."""

from collections.abc import Callable
from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from metricgate.models.samples import FloatArray
from metricgate.stats.drift import number_shift
from metricgate.stats.drift.number_shift import NumberShift, measure_numbers


def measure(reference: FloatArray, current: FloatArray) -> NumberShift:
    return measure_numbers(np.sort(reference), np.sort(current))


def test_two_small_samples_by_hand() -> None:
    """1 2 3 4 against 3 4 5 5: at 2 the shares below differ by 1/2; the pairs (1, 3), (2, 4), (3, 5), (4, 5) by 7/4."""
    found = measure(np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 3.0, 4.0, 5.0]))

    assert found.moved.value == 0.5
    assert found.distance is not None
    assert found.distance.value == pytest.approx(1.75 / sqrt(1.25))


def test_bounds_of_the_distance_by_hand() -> None:
    found = measure(np.arange(100.0), np.arange(100.0) + 30)
    low, high = found.moved.interval.bounds(0.025)

    scale = sqrt(2 / 100)
    assert low == pytest.approx(0.3 - scale * sqrt(log(2 / 0.025) / 2))
    assert high == pytest.approx(0.3 + 1.959964 * scale / 2)


@pytest.mark.parametrize("block", [1, 7, 1 << 12])
@pytest.mark.parametrize("kind", ["normal", "ties", "constant", "disjoint", "heavy"])
def test_values_are_those_of_scipy_whatever_the_blocks(kind: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_shift, "BLOCK", block)
    rng = np.random.default_rng(5)
    draws: dict[str, Callable[[int], FloatArray]] = {
        "normal": lambda size: rng.normal(size=size),
        "ties": lambda size: np.floor(rng.exponential(size=size)),
        "constant": lambda size: np.append(np.ones(size - 1), 2.0),
        "disjoint": lambda size: rng.normal(size=size) + size,
        "heavy": lambda size: rng.pareto(1.5, size),
    }
    draw = draws[kind]
    reference, current = draw(83), draw(131) * 1.1

    found = measure(reference, current)

    assert found.moved.value == pytest.approx(stats.ks_2samp(reference, current).statistic, abs=1e-12)
    assert found.distance is not None
    expected = stats.wasserstein_distance(reference, current) / reference.std()
    assert found.distance.value == pytest.approx(expected)


def test_error_of_the_distance_is_its_spread_over_repeated_samples() -> None:
    """Its standard deviation over 400 pairs is within 10 % of the mean standard error (Monte Carlo error 3.5 %)."""
    rng = np.random.default_rng(6)
    found = [measure(rng.normal(size=400), rng.normal(0.5, 1.2, 600)).distance for _ in range(400)]
    values = [one.value for one in found if one]
    errors = [one.interval.se for one in found if one]

    assert np.std(values) == pytest.approx(np.mean(errors), rel=0.1)


def test_bias_is_what_equal_distributions_show() -> None:
    rng = np.random.default_rng(7)
    found = [measure(rng.normal(size=300), rng.normal(size=500)) for _ in range(400)]

    assert np.mean([one.moved.value for one in found]) == pytest.approx(found[0].moved.expected, rel=0.06)
    distances = [one.distance for one in found if one.distance]
    assert np.mean([one.value for one in distances]) == pytest.approx(
        np.mean([one.expected for one in distances]), rel=0.06
    )


def test_infinities_and_the_largest_numbers_count_as_values() -> None:
    """A distance of infinite numbers does not exist; the share of rows below a value does."""
    reference = np.array([-np.inf, 0.0, 1.0, 2.0])

    assert measure(reference, np.array([0.0, 1.0, 2.0, np.inf])).moved.value == 0.25
    assert measure(np.array([0.0, 1.0]), np.array([1.0, np.inf])).distance is None
    assert measure(np.array([-1e308, 1e308]), np.array([1e308, 1e308])).moved.value == 0.5


def test_constant_reference_has_no_distance_in_standard_deviations() -> None:
    found = measure(np.ones(50), np.append(np.ones(40), np.zeros(10)))

    assert found.distance is None
    assert found.moved.value == pytest.approx(0.2)


def test_interval_at_the_point_of_the_largest_difference_would_miss_the_promise() -> None:
    """A difference of 0.05 below almost any value: that interval is wrong in more than 10 % of pairs, ours in at most 2.5."""
    rng = np.random.default_rng(8)
    rows, moved, pairs = 1000, 0.05, 300
    wrong = naive = 0
    for _ in range(pairs):
        reference, current = rng.random(rows), rng.random(rows)
        current[current < moved] += 1
        found = measure(reference, current).moved
        wrong += found.interval.bounds(0.025)[0] > moved
        values = np.sort(np.concatenate([reference, current]))
        below = [np.searchsorted(np.sort(side), values, side="right") / rows for side in (reference, current)]
        place = int(np.argmax(np.abs(below[0] - below[1])))
        variance = sum(float(share[place] * (1 - share[place])) / rows for share in below)
        naive += found.value - 1.96 * sqrt(variance) > moved

    assert wrong <= 0.025 * pairs
    assert naive > 0.1 * pairs
