"""Few groups: leaving one out, as here, beside Bell & McCaffrey's correction, on the same test sets."""

import json
from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from metricgate.models.samples import FloatArray, IntArray, Sample, SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.distributions import student_quantile
from metricgate.stats.registry import find_metric
from tests.stats.calibration.table import CLUSTERS

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
TEST_SETS = 3000
TAIL, MOST_WRONG = 0.025, 0.035
MEAN = find_metric("mean(grade)", task="score", columns=("grade",))


def bound_as_bell_and_mccaffrey(values: FloatArray, group: IntArray) -> tuple[float, float]:
    """Bound a mean of grouped rows: the CR2 variance of an intercept, and Satterthwaite's degrees of freedom.

    Source
    ------
    Bell & McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples", Survey
    Methodology 28 (2002) 169, with independent rows as the working model.
    """
    sizes = np.bincount(group).astype(np.float64)
    rows, mean = len(values), float(values.mean())
    rest = 1 - sizes / rows
    sums = np.bincount(group, values - mean)
    variance = float((sums**2 / rest).sum()) / rows**2
    form = (np.diag(sizes) - np.outer(sizes, sizes) / rows) / np.sqrt(np.outer(rest, rest))
    freedom = float(np.trace(form)) ** 2 / float((form * form).sum())
    reach = student_quantile(TAIL, freedom) * sqrt(variance)
    return mean - reach, mean + reach


def draw_groups(rng: np.random.Generator, groups: int, spread: float, *, skewed: bool) -> tuple[FloatArray, IntArray]:
    """Changes of rows in groups of unequal size, with a mean of zero; a fifth of their variance is the group's."""
    sizes = np.maximum(np.round(20 * np.exp(spread * rng.standard_normal(groups))), 1).astype(np.int64)
    group = np.repeat(np.arange(groups), sizes)
    own = rng.exponential(size=groups) - 1 if skewed else rng.standard_normal(groups)
    return sqrt(0.2) * own[group] + sqrt(0.8) * rng.standard_normal(len(group)), group


@pytest.mark.parametrize("effects", ["symmetric", "skewed"])
@pytest.mark.parametrize(("groups", "spread"), [(15, 0.0), (20, 0.5), (50, 1.0)])
def test_few_groups_miss_no_more_often_than_with_bell_and_mccaffrey(
    groups: int, spread: float, effects: str, record_property: Record
) -> None:
    rng, skewed = np.random.default_rng(groups), effects == "skewed"
    ours, theirs, widths, judged = np.zeros(2), np.zeros(2), [], 0
    for _ in range(TEST_SETS):
        changes, group = draw_groups(rng, groups, spread, skewed=skewed)
        sides = [
            Sample(task="score", rows=len(group), columns={"grade": each}) for each in (np.zeros_like(changes), changes)
        ]
        item = contrast(SamplePair(baseline=sides[0], candidate=sides[1], group=group), MEAN)
        other = bound_as_bell_and_mccaffrey(changes, group)
        theirs += [other[0] > 0, other[1] < 0]
        if item.inconclusive:
            continue
        judged += 1
        own = item.interval(TAIL)
        ours += [own[0] > 0, own[1] < 0]
        widths.append((own[1] - own[0]) / (other[1] - other[0]))

    setting = f"{groups} groups, sizes log-normal ({spread:g}){', skewed' if skewed else ''}"
    shares = {"ours": (ours / TEST_SETS).tolist(), "theirs": (theirs / TEST_SETS).tolist()}
    row = {"setting": setting, "judged": judged / TEST_SETS, "width": float(np.median(widths)) if widths else 0.0}
    record_property(CLUSTERS, json.dumps([row | shares]))
    assert max(shares["ours"]) <= max(shares["theirs"]) + 0.003, row | shares
    if not skewed:
        assert max(shares["ours"]) <= MOST_WRONG, row | shares
