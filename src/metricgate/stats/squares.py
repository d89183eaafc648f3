"""R² and RMSE, with contrasts as linear contrasts of squared errors; and labels whose tails are too heavy to judge by.

R² and RMSE are smooth functions of means of squares, which are skewed: intervals from influence values miss up to 25 %
on skewed targets. So the question "is the contrast d?" is put as "is this mean of squares zero?", whose t statistic is
well behaved, and the interval holds every d that is not refused (E. C. Fieller, J. R. Stat. Soc. B 16, 1954).
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.distributions import find_root, student_quantile
from metricgate.stats.interval import Bounds
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, evaluate_mean, relative_weight
from metricgate.stats.spread import Difference

LEAST_EFFECTIVE_SHARE = 0.2
"""Of rows, where each counts as 1 / |label|: 0.4 of log-normal labels, 0.07 of 200 normal ones (infinite MAPE)."""
_FURTHEST = 0.9  # keeps the quadratic solvable in far tails; it is then ten times wider than near the middle
_METHOD = "linear contrast of squares"


@dataclass(frozen=True, kw_only=True)
class SquareRootMetric(Metric):
    """RMSE: the square root of the mean squared error."""

    def bound_difference(self, pair: SamplePair, difference: Difference) -> tuple[Bounds, str]:
        return bound_root(pair, difference.factor, difference.freedom), _METHOD


@dataclass(frozen=True, kw_only=True)
class DeterminationMetric(Metric):
    """R²: one minus the squared errors as a share of the labels' squared deviations."""

    def bound_difference(self, pair: SamplePair, difference: Difference) -> tuple[Bounds, str]:
        return bound_determination(pair, difference.factor, difference.freedom), _METHOD


def find_errors(sample: Sample) -> FloatArray:
    """Return prediction minus label of each row, shape (n,)."""
    errors: FloatArray = np.asarray(sample.prediction) - np.asarray(sample.label)
    return errors


def row_squared_error(sample: Sample) -> FloatArray:
    """Return the squared error of each row, shape (n,)."""
    return np.square(find_errors(sample))


def row_squared_deviation(sample: Sample) -> FloatArray:
    """Return the squared distance of each label from their weighted mean."""
    label = np.asarray(sample.label, dtype=np.float64)
    squares: FloatArray = np.square(label - np.average(label, weights=sample.weight))
    return squares


def evaluate_root(sample: Sample) -> Evaluation:
    square = evaluate_mean(row_squared_error(sample), sample)
    root = float(np.sqrt(square.value))
    influence = np.asarray(square.influence)
    return Evaluation(root, influence / (2 * root) if root > 0 else np.zeros_like(influence))


def evaluate_determination(sample: Sample) -> Evaluation:
    error = evaluate_mean(row_squared_error(sample), sample)
    spread = evaluate_mean(row_squared_deviation(sample), sample)
    if spread.value == 0:
        raise MetricUndefined("All labels are equal, so R² is undefined.", code="constant")
    ratio = error.value / spread.value
    influence = (ratio * np.asarray(spread.influence) - np.asarray(error.influence)) / spread.value
    return Evaluation(1 - ratio, influence)


def find_heavy_squares(sample: Sample, *, max_relative_error: float) -> str:
    """Return why squared errors cannot be judged where a few extreme labels carry them; empty where they can.

    Parameters
    ----------
    max_relative_error : of the labels' variance: 0.1 with 200 normal labels, 0.35 with 200 log-normal ones, 0.2 with
        1,000 of those.
    """
    (spread,), covariance = _find_moments([row_squared_deviation(sample)], sample)
    if spread > 0 and sqrt(covariance[0, 0]) / spread <= max_relative_error:
        return ""
    return "a few extreme labels carry most of the variance, so squared errors cannot be compared; MAE often can"


def find_labels_near_zero(sample: Sample) -> str:
    """Return why MAPE cannot be judged where the labels nearest to zero decide alone; empty where they do not."""
    weight = relative_weight(sample)
    sizes = np.abs(np.asarray(sample.label))
    scale = sizes.min() / sizes
    if weight is not None:
        scale = scale * weight
    squares = float(scale @ scale)
    if squares > 0 and float(scale.sum()) ** 2 / squares >= LEAST_EFFECTIVE_SHARE * sample.rows:
        return ""
    return "a few labels near zero carry most of the percentage error, so it cannot be compared; MAE can"


def _find_moments(columns: list[FloatArray], sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Return the weighted means of columns, and the covariance matrix of those means."""
    weight = relative_weight(sample)
    table = np.stack(columns)
    means = table.mean(axis=1) if weight is None else (table * weight).mean(axis=1)
    centred = table - means[:, None]
    if weight is not None:
        centred *= weight
    covariance: FloatArray = centred @ centred.T / (sample.rows * max(sample.rows - 1, 1))
    return means, covariance


def bound_determination(pair: SamplePair, factor: float, freedom: float) -> Bounds:
    """Bound R² of the candidate minus factor times R² of the baseline.

    The difference is 1 - factor + U / V, with U the mean of factor * e_baseline² - e_candidate², V the labels' variance. A ratio q
    is refused where the t statistic of U - q V is too large, which is a quadratic in q.
    """
    saved = factor * row_squared_error(pair.baseline) - row_squared_error(pair.candidate)
    (gain, spread), covariance = _find_moments([saved, row_squared_deviation(pair.candidate)], pair.candidate)

    # Two labels of equal distance from their mean have no spread of it: then the variance is known.
    furthest = _FURTHEST * spread**2 / covariance[1, 1] if covariance[1, 1] > 0 else inf

    def bounds(tail: float) -> tuple[float, float]:
        square = min(student_quantile(tail, freedom) ** 2, furthest)
        leading = spread**2 - square * covariance[1, 1]
        middle = gain * spread - square * covariance[0, 1]
        constant = gain**2 - square * covariance[0, 0]
        reach = sqrt(max(middle**2 - leading * constant, 0.0))
        return 1 - factor + (middle - reach) / leading, 1 - factor + (middle + reach) / leading

    return bounds


def bound_root(pair: SamplePair, factor: float, freedom: float) -> Bounds:
    """Bound RMSE of the candidate minus factor times RMSE of the baseline.

    With A and B the mean squared errors of candidate and baseline and b = factor² B, a difference d is refused where
    the t statistics of A - (d + √b)² and of (√A - d)² - b both are too large: two, so that swapping the models only
    flips the sign.
    """
    errors = [row_squared_error(pair.candidate), factor**2 * row_squared_error(pair.baseline)]
    means, covariance = _find_moments(errors, pair.candidate)
    own, other = means.tolist()
    own_part, other_part, shared = float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])
    roots = sqrt(own), sqrt(other)
    estimate = roots[0] - roots[1]

    def measure(distance: float, own_slope: float, other_slope: float) -> float:
        variance = own_slope**2 * own_part + other_slope**2 * other_part + 2 * own_slope * other_slope * shared
        if variance <= 0:
            return distance * inf if distance else 0.0
        return distance / sqrt(variance)

    def from_candidate(difference: float) -> float:
        reached = difference + roots[1]
        if reached < 0:
            return inf
        return measure(own - reached**2, 1.0, -reached / roots[1] if roots[1] > 0 else 0.0)

    def from_baseline(difference: float) -> float:
        reached = roots[0] - difference
        if reached < 0:
            return -inf
        return measure(reached**2 - other, reached / roots[0] if roots[0] > 0 else 0.0, -1.0)

    def bounds(tail: float) -> tuple[float, float]:
        quantile = student_quantile(tail, freedom)
        reach = 10 * (roots[0] + roots[1])
        low = find_root(lambda d: min(from_candidate(d), from_baseline(d)) - quantile, estimate - reach, estimate)
        high = find_root(lambda d: max(from_candidate(d), from_baseline(d)) + quantile, estimate, estimate + reach)
        return low, high

    return bounds
