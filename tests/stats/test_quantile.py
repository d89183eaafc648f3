"""Quantiles of absolute errors: the density at the quantile, by hand."""

from math import ceil

import numpy as np
import pytest
from scipy.stats import norm

from metricgate.stats.registry import find_metric
from tests.stats.simulation import regression_sample

ROWS = 1000


@pytest.mark.parametrize(("level", "bandwidth"), [(0.5, 0.09716), (0.9, 0.03460), (0.2, 0.05717)])
def test_the_density_at_a_quantile_is_taken_at_the_bandwidth_of_hall_and_sheather(
    level: float, bandwidth: float
) -> None:
    """n^(-1/3) z^(2/3) (1.5 f² / (2 x² + 1))^(1/3), with z = 1.96, x the normal quantile and f its density."""
    errors = np.exp(np.linspace(0, 5, ROWS))  # whose quotient of quantiles changes with the bandwidth
    x, density = norm.ppf(level), norm.pdf(norm.ppf(level))
    half = ROWS ** (-1 / 3) * norm.ppf(0.975) ** (2 / 3) * (1.5 * density**2 / (2 * x**2 + 1)) ** (1 / 3)
    assert half == pytest.approx(bandwidth, abs=5e-6)

    metric = find_metric(f"quantile_absolute_error@{level:g}", task="regression")
    evaluation = metric.evaluate(regression_sample(np.zeros(ROWS), errors))

    low, high = (errors[ceil(ROWS * (level + side * half)) - 1] for side in (-1, 1))
    reached = np.mean(errors < evaluation.value) + np.mean(errors == evaluation.value) / 2
    assert np.asarray(evaluation.influence)[-1] == pytest.approx(reached * (high - low) / (2 * half))
