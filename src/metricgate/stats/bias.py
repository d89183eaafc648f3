"""The absolute mean error, whose interval near zero has to allow for either sign.

|a| - |b| is the smaller of a - b and a + b where a is positive, and the smaller of their negatives where it is not. So
a difference is refused only where both signs of a refuse it. Influence values, which take the observed signs for the
true ones, let a bias of exactly the margin pass in 6 to 15 % of test sets near zero.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.interval import Bounds, bound_by_student
from metricgate.stats.metric import Evaluation, Metric, evaluate_mean
from metricgate.stats.spread import Difference, Spread, know_variance
from metricgate.stats.squares import find_errors


@dataclass(frozen=True, kw_only=True)
class BiasMetric(Metric):
    """The absolute value of the mean error."""

    def bound_difference(self, pair: SamplePair, difference: Difference) -> tuple[Bounds, str]:
        own, other = evaluate_mean(find_errors(pair.candidate), pair.candidate), _scale(pair, difference.factor)
        spread = self.find_spread(pair.candidate)
        apart, together = (_bound(own, other, sign, spread) for sign in (-1.0, 1.0))
        sign = _bound(other, other, 0.0, spread)

        def bounds(tail: float) -> tuple[float, float]:
            low, high = sign(tail)
            tail = tail / 2 if low < 0 < high else tail  # two bounds decide where the baseline's sign is unknown
            (least, most), (below, above) = apart(tail), together(tail)
            return -max(min(-least, above), min(-below, most)), max(min(most, above), min(-below, -least))

        return bounds, "Student's t for either sign"


def _scale(pair: SamplePair, factor: float) -> Evaluation:
    mean = evaluate_mean(find_errors(pair.baseline), pair.baseline)
    return Evaluation(factor * mean.value, factor * np.asarray(mean.influence))


def _bound(own: Evaluation, other: Evaluation, sign: float, spread: Spread) -> Bounds:
    """Return the bounds of own plus ``sign`` times other."""
    influence: FloatArray = np.asarray(own.influence) + sign * np.asarray(other.influence)
    freedom = min(spread.freedom, know_variance(influence))
    return partial(bound_by_student, own.value + sign * other.value, spread.measure(influence), freedom)


def evaluate_bias(sample: Sample) -> Evaluation:
    """Evaluate the absolute mean error."""
    mean = evaluate_mean(find_errors(sample), sample)
    return Evaluation(abs(mean.value), (-1.0 if mean.value < 0 else 1.0) * np.asarray(mean.influence))
