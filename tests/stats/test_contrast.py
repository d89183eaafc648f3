"""Paired differences: published numbers, invariances, degenerate rows."""

import numpy as np
import pytest

from metricgate.models.samples import SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.registry import find_metric, list_metrics
from metricgate.stats.tango import bound_paired_proportions
from tests.stats.simulation import simulate_binary, simulate_regression


def test_tango_interval_equals_published_ones() -> None:
    """Fagerland, Lydersen & Laake 2014 (airway hyper-responsiveness, 7 and 1 of 21); R's PropCIs::scoreci.mp."""
    assert bound_paired_proportions(1, 7, 21, 0.025) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert bound_paired_proportions(28, 25, 618, 0.05) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


@pytest.mark.parametrize(
    "pair", [simulate_binary(np.random.default_rng(1), 300), simulate_regression(np.random.default_rng(1), 300)]
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
