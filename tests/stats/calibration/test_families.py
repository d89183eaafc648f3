"""Calibration of "failed": a pull request that makes nothing worse, judged by ten metrics, all rows and twenty slices."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from metricgate.models.outcome import Direction
from metricgate.models.samples import IntArray, SamplePair
from metricgate.stats.contrast import Contrast, contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.registry import find_metric
from metricgate.stats.simultaneous import ContrastRows, family_bounds
from tests.stats.calibration.table import FAMILIES
from tests.stats.simulation import simulate_binary

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
TEST_SETS = 2000
MOST = 0.035
METRICS = tuple(
    find_metric(name, task="binary")
    for name in (
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "mcc",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier_score",
    )
)
COLUMNS, VALUES = 5, 4
PARTS = 4  # of the test sets of one setting of slices, so that two cores share them evenly


def _has_failure(
    pair: SamplePair, subsets: list[tuple[IntArray | None, SamplePair]], metrics: tuple[Metric, ...]
) -> tuple[bool, int]:
    """Judge a family with a margin of zero; say whether any loss was shown, and how many gates were judged."""
    judged: list[tuple[Contrast, IntArray | None]] = []
    for own, part in subsets:
        for metric in metrics:
            item = _contrast(part, metric, is_part=own is not None)
            if item is not None:
                judged.append((item, own))
    if not judged:
        return False, 0
    items, rows = zip(*judged, strict=True)
    places = [ContrastRows(total=pair.rows, own=own) for own in rows]
    bounds = family_bounds(items, places, margins=[0.0] * len(items))
    shown = (
        bound.high < 0 if item.metric.direction is Direction.HIGHER else bound.low > 0
        for item, bound in zip(items, bounds, strict=True)
    )
    return any(shown), len(judged)


def _contrast(pair: SamplePair, metric: Metric, *, is_part: bool) -> Contrast | None:
    if find_obstacle(pair.candidate, metric):
        return None
    try:
        item = contrast(pair, metric, part=is_part)
    except MetricUndefined:
        return None
    return None if item.inconclusive else item


@pytest.mark.parametrize(("rows", "prevalence"), [(1000, 0.27), (1000, 0.036), (5000, 0.27)])
def test_all_rows(rows: int, prevalence: float, record_property: Record) -> None:
    rng = np.random.default_rng(rows)
    outcomes = []
    for _ in range(TEST_SETS):
        pair = simulate_binary(rng, rows, prevalence=prevalence)
        outcomes.append(_has_failure(pair, [(None, pair)], METRICS))
    _report("ten metrics over all rows", rows, prevalence, outcomes, record_property)


@pytest.mark.parametrize(("rows", "prevalence"), [(1000, 0.27), (1000, 0.036), (5000, 0.27)])
@pytest.mark.parametrize("share", range(PARTS))
def test_twenty_slices(rows: int, prevalence: float, share: int, record_property: Record) -> None:
    """Four values in each of five columns; ten metrics on each slice."""
    rng = np.random.default_rng(rows + share)
    outcomes = []
    for _ in range(TEST_SETS // PARTS):
        pair = simulate_binary(rng, rows, prevalence=prevalence)
        columns = rng.integers(0, VALUES, size=(COLUMNS, rows))
        chosen = [np.flatnonzero(column == value) for column in columns for value in range(VALUES)]
        outcomes.append(_has_failure(pair, [(own, pair.take(own)) for own in chosen], METRICS))
    _report("ten metrics on twenty slices", rows, prevalence, outcomes, record_property)


def _report(family: str, rows: int, prevalence: float, outcomes: list[tuple[bool, int]], record: Record) -> None:
    failures = sum(failed for failed, _ in outcomes) / len(outcomes)
    row = {
        "family": family,
        "rows": rows,
        "prevalence": prevalence,
        "judged": float(np.mean([count for _, count in outcomes])),
        "failed": failures,
        "test_sets": len(outcomes),
    }
    record(FAMILIES, json.dumps([row]))

    assert failures <= MOST
