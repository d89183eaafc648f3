"""Test sets that break intervals: few rows differ, few are positive, few carry most, or rows come in groups.

Each pair has a candidate that is truly worse, or with ``harmless`` one that differs as much and is not.
"""

import numpy as np

from metricgate.models.samples import FloatArray, Sample, SamplePair
from tests.stats.simulation import binary_sample, regression_sample, simulate_binary, simulate_regression

Rng = np.random.Generator


def spoil_binary(rng: Rng, rows: int, share: float, *, harmless: bool, weight: FloatArray | None = None) -> SamplePair:
    """One model, but that a share of rows chosen by lot is answered wrongly, and surely so."""
    base = simulate_binary(rng, rows, weight=weight).baseline
    label = np.asarray(base.label)

    def spoil(part: float) -> Sample:
        chosen = rng.random(rows) < part
        return binary_sample(label, np.where(chosen, 0.98 - 0.96 * label, np.asarray(base.scores)), weight=weight)

    parts = (share / 2, share / 2) if harmless else (0.0, share)
    return SamplePair(baseline=spoil(parts[0]), candidate=spoil(parts[1]))


def spoil_numbers(rng: Rng, rows: int, share: float, *, harmless: bool) -> SamplePair:
    """One model, but that a share of predicted numbers is far off."""
    base = simulate_regression(rng, rows).baseline
    label = np.asarray(base.label)

    def spoil(part: float) -> Sample:
        chosen = rng.random(rows) < part
        return regression_sample(label, np.asarray(base.prediction) + chosen * rng.normal(scale=4.0, size=rows))

    parts = (share / 2, share / 2) if harmless else (0.0, share)
    return SamplePair(baseline=spoil(parts[0]), candidate=spoil(parts[1]))


def spoil_groups(rng: Rng, groups: int, size: float, share: float, *, harmless: bool) -> SamplePair:
    """A share of groups is newly answered wrongly in all of their rows; sizes vary about their mean."""
    sizes = 1 + rng.poisson(size - 1, groups)
    group = np.repeat(np.arange(groups), sizes)
    base = simulate_binary(rng, len(group)).baseline
    label = np.asarray(base.label)

    def spoil(part: float) -> Sample:
        chosen = (rng.random(groups) < part)[group]
        return binary_sample(label, np.where(chosen, 0.98 - 0.96 * label, np.asarray(base.scores)))

    parts = (share / 2, share / 2) if harmless else (0.0, share)
    return SamplePair(baseline=spoil(parts[0]), candidate=spoil(parts[1]), group=group)


def err_in_groups(rng: Rng, groups: int, size: int, *, harmless: bool) -> SamplePair:
    """The error of each group is its own: 3 % on average for the baseline, 6 % for a worse candidate."""
    group = np.repeat(np.arange(groups), size)
    label = (rng.random(len(group)) < 0.5).astype(np.int8)
    sides = []
    for error in (0.03, 0.03 if harmless else 0.06):
        own = rng.beta(30 * error, 30 * (1 - error), groups)[group]
        sides.append(binary_sample(label, np.where(rng.random(len(group)) < own, 1.0 - label, label)))
    return SamplePair(baseline=sides[0], candidate=sides[1], group=group)


def rank_few_positives(rng: Rng, rows: int, positives: int, *, harmless: bool) -> SamplePair:
    """ROC AUC near 0.98, with few positive rows."""
    return simulate_binary(rng, rows, signal=2.9, prevalence=positives / rows, loss=0.0 if harmless else 0.3)


def draw_heavy_tails(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """Log-normal labels, sigma 1.5, with errors in proportion."""
    label, shared = np.exp(1.5 * rng.standard_normal(rows)), rng.standard_normal(rows)
    return _err(rng, label, 0.3 * label, shared, harmless=harmless)


def draw_t_errors(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """Errors with Student's t of three degrees of freedom, whose fourth moment is infinite."""
    return _err(rng, rng.standard_normal(rows), np.full(rows, 0.5), rng.standard_t(3, rows), harmless=harmless)


def count_zero_inflated(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """Seven of ten targets are zero, the others Poisson counts; a worse candidate predicts 5 % too much."""
    rate = rng.gamma(1.0, 3.0, rows)
    label = np.where(rng.random(rows) < 0.7, 0, rng.poisson(rate)).astype(np.float64)
    factors = (1.0, 1.0 if harmless else 1.05)
    sides = [regression_sample(label, 0.3 * rate * factor + rng.normal(scale=0.02, size=rows)) for factor in factors]
    return SamplePair(baseline=sides[0], candidate=sides[1])


def shift_bias(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """A mean error near zero, of either sign."""
    pair = simulate_regression(rng, rows)
    moved = np.asarray(pair.candidate.prediction) + (0.0 if harmless else 0.02)
    return SamplePair(baseline=pair.baseline, candidate=regression_sample(np.asarray(pair.candidate.label), moved))


def score_hits(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """Scores of 0 and 1, 97 % of them 1 for the baseline."""
    before = (rng.random(rows) < 0.97).astype(np.float64)
    lost, gained = rng.random(rows) < 0.03, rng.random(rows) < (0.97 if harmless else 0.0)
    after = np.where(before == 1, 1.0 - lost, gained)
    sides = [Sample(task="score", rows=rows, columns={"hit": values}) for values in (before, after)]
    return SamplePair(baseline=sides[0], candidate=sides[1])


def score_levels(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """Scores of three levels, so that many rows are tied at any cut."""
    pair = simulate_binary(rng, rows, loss=0.0 if harmless else 0.3)
    sides = [
        binary_sample(np.asarray(side.label), np.digitize(np.asarray(side.scores), [0.2, 0.6]) / 2)
        for side in (pair.baseline, pair.candidate)
    ]
    return SamplePair(baseline=sides[0], candidate=sides[1])


def take_slice_of_zipf(rng: Rng, rows: int, *, harmless: bool) -> SamplePair:
    """The third most frequent of many values, whose number of rows is itself by chance; 2 % of rows differ."""
    pair = spoil_binary(rng, rows, 0.02, harmless=harmless)
    return pair.take(rng.zipf(1.5, rows) == 3)


def _err(rng: Rng, label: FloatArray, scale: FloatArray, shared: FloatArray, *, harmless: bool) -> SamplePair:
    sides = []
    for extra in (1.0, 1.0 if harmless else 1.1):
        noise = np.sqrt(0.8) * shared + np.sqrt(0.2) * rng.standard_normal(len(label))
        sides.append(regression_sample(label, label + extra * scale * noise))
    return SamplePair(baseline=sides[0], candidate=sides[1])
