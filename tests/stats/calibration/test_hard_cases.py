"""Calibration where few rows differ, few are positive, or few carry most: a loss of the margin does not pass.

Error rates are shares of all test sets, as the promise is one about pull requests; those without a verdict pass nothing.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from metricgate.models.outcome import Direction
from metricgate.models.samples import SamplePair, Task
from metricgate.stats import few_units
from metricgate.stats.contrast import contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.registry import find_metric
from tests.stats import hard_cases
from tests.stats.calibration.table import HARD

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
Draw = Callable[..., SamplePair]
TEST_SETS, AGAIN, HARMLESS = 600, 3000, 100
TAIL, MOST_WRONG = 0.025, 0.035
NO_RULE: dict[str, Any] = {"MIN_CARRIERS": 0, "WIDEN_BELOW": 0, "WIDEN_SPARSE_BELOW": 0, "HEAVY_TAIL": np.inf}
OF_SCORES = ("accuracy", "f1", "roc_auc", "average_precision", "log_loss", "brier_score")
OF_NUMBERS = ("mae", "mse", "rmse", "r2", "mean_bias", "median_absolute_error")


def hold_promise(
    setting: str, draw: Draw, names: tuple[str, ...], record: Record, *, many: Draw, task: Task = "binary"
) -> None:
    """Measure each metric; ``many`` draws enough rows for the true loss, which is the margin of harmless changes."""
    metrics = [find_metric(name, task=task, columns=("hit",)) for name in names]
    losses = _find_losses(many, metrics)
    results, broken = [], []
    for metric, loss in zip(metrics, losses, strict=True):
        wrong = _count_wrong(draw, metric, loss, TEST_SETS, seed=1)
        if max(wrong[:2]) > MOST_WRONG:
            wrong = _count_wrong(draw, metric, loss, AGAIN, seed=2)
        broken += [metric.name] if max(wrong[:2]) > MOST_WRONG else []
        now = _share_settled(draw, metric, loss)
        with patch.multiple(few_units, **NO_RULE):
            before = _share_settled(draw, metric, loss)
        results.append(
            {"setting": setting, "metric": metric.name, "passed": wrong[0], "failed": wrong[1], "judged": wrong[2]}
            | {"harmless": now, "harmless_without": before}
        )
    record(HARD, json.dumps(results))

    assert not broken, results


def _find_losses(many: Draw, metrics: list[Metric]) -> list[float]:
    rng = np.random.default_rng(9)
    pairs = [many(rng, harmless=False) for _ in range(4)]
    return [
        float(np.mean([metric.evaluate(pair.candidate).value - metric.evaluate(pair.baseline).value for pair in pairs]))
        for metric in metrics
    ]


def _bound(pair: SamplePair, metric: Metric) -> tuple[float, float] | None:
    if find_obstacle(pair.candidate, metric):
        return None
    try:
        item = contrast(pair, metric)
    except MetricUndefined:
        return None
    return None if item.inconclusive else item.interval(TAIL)


def _count_wrong(draw: Draw, metric: Metric, loss: float, test_sets: int, *, seed: int) -> tuple[float, float, float]:
    """Return the shares of test sets wrongly passed and failed, and that of judged ones."""
    rng = np.random.default_rng(seed)
    bounds = [_bound(draw(rng, harmless=False), metric) for _ in range(test_sets)]
    judged = [each for each in bounds if each is not None]
    above = sum(low > loss + 1e-12 for low, _ in judged) / test_sets
    below = sum(high < loss - 1e-12 for _, high in judged) / test_sets
    wrong = (above, below) if metric.direction is Direction.HIGHER else (below, above)
    return (*wrong, len(judged) / test_sets)


def _share_settled(draw: Draw, metric: Metric, loss: float) -> float:
    """Return how many harmless changes pass a margin of twice the loss of the harmful ones."""
    rng = np.random.default_rng(3)
    bounds = [_bound(draw(rng, harmless=True), metric) for _ in range(HARMLESS)]
    margin = 2 * abs(loss)
    higher = metric.direction is Direction.HIGHER
    settled = [each for each in bounds if each and (each[0] >= -margin if higher else each[1] <= margin)]
    return len(settled) / HARMLESS


@pytest.mark.parametrize(("share", "rows"), [(0.005, 1000), (0.001, 20_000), (0.02, 1000)])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_loss_of_the_margin_does_not_pass_where_few_rows_differ(
    share: float, rows: int, task: Task, record_property: Record
) -> None:
    spoil, names = (hard_cases.spoil_binary, OF_SCORES) if task == "binary" else (hard_cases.spoil_numbers, OF_NUMBERS)
    hold_promise(
        f"{share:.1%} of {rows:,} rows differ",
        partial(spoil, rows=rows, share=share),
        names,
        record_property,
        many=partial(spoil, rows=600_000, share=share),
        task=task,
    )


@pytest.mark.parametrize(("groups", "share"), [(200, 0.01), (200, 0.05)])
def test_a_loss_of_the_margin_does_not_pass_where_few_groups_are_newly_wrong(
    groups: int, share: float, record_property: Record
) -> None:
    hold_promise(
        f"{share:.0%} of {groups} groups of 5 are newly wrong",
        partial(hard_cases.spoil_groups, groups=groups, size=5, share=share),
        ("accuracy", "f1", "log_loss", "brier_score"),
        record_property,
        many=partial(hard_cases.spoil_groups, groups=120_000, size=5, share=share),
    )


def test_a_loss_of_the_margin_does_not_pass_where_errors_come_in_groups(record_property: Record) -> None:
    hold_promise(
        "50 groups of 20, error 3 to 6 %",
        partial(hard_cases.err_in_groups, groups=50, size=20),
        ("accuracy", "f1", "recall"),
        record_property,
        many=partial(hard_cases.err_in_groups, groups=40_000, size=20),
    )


@pytest.mark.parametrize(("rows", "positives"), [(4000, 20), (1000, 20), (1000, 50)])
def test_a_loss_of_the_margin_does_not_pass_with_few_positives(
    rows: int, positives: int, record_property: Record
) -> None:
    hold_promise(
        f"{positives} positives of {rows:,}, ROC AUC 0.98",
        partial(hard_cases.rank_few_positives, rows=rows, positives=positives),
        ("roc_auc", "average_precision", "log_loss"),
        record_property,
        many=partial(hard_cases.rank_few_positives, rows=1_000_000, positives=positives * 1_000_000 // rows),
    )


@pytest.mark.parametrize(
    ("setting", "draw", "rows"),
    [
        ("log-normal labels, sigma 1.5", hard_cases.draw_heavy_tails, 1000),
        ("t₃ errors", hard_cases.draw_t_errors, 5000),
        ("zero-inflated counts", hard_cases.count_zero_inflated, 500),
        ("mean bias near zero", hard_cases.shift_bias, 500),
    ],
)
def test_a_loss_of_the_margin_does_not_pass_where_few_rows_carry_most(
    setting: str, draw: Draw, rows: int, record_property: Record
) -> None:
    hold_promise(
        f"{setting}, n = {rows:,}",
        partial(draw, rows=rows),
        OF_NUMBERS[:5],
        record_property,
        many=partial(draw, rows=2_000_000),
        task="regression",
    )


@pytest.mark.parametrize("rows", [50, 100, 500])
def test_a_loss_of_the_margin_does_not_pass_for_means_of_hits(rows: int, record_property: Record) -> None:
    hold_promise(
        f"scores of 0 and 1, base 0.97, n = {rows}",
        partial(hard_cases.score_hits, rows=rows),
        ("mean(hit)",),
        record_property,
        many=partial(hard_cases.score_hits, rows=2_000_000),
        task="score",
    )


def test_a_loss_of_the_margin_does_not_pass_where_scores_are_tied(record_property: Record) -> None:
    hold_promise(
        "scores of three levels, n = 1,000",
        partial(hard_cases.score_levels, rows=1000),
        ("roc_auc", "average_precision"),
        record_property,
        many=partial(hard_cases.score_levels, rows=1_000_000),
    )


def test_a_loss_of_the_margin_does_not_pass_on_slices_of_a_long_tail(record_property: Record) -> None:
    hold_promise(
        "third value of a Zipf column, n = 5,000, 2 % of rows differ",
        partial(hard_cases.take_slice_of_zipf, rows=5000),
        ("accuracy", "roc_auc", "log_loss", "brier_score"),
        record_property,
        many=partial(hard_cases.spoil_binary, rows=1_000_000, share=0.02),
    )


def test_a_loss_of_the_margin_does_not_pass_where_few_weighted_rows_differ(record_property: Record) -> None:
    def draw(rng: np.random.Generator, *, harmless: bool, rows: int = 1000) -> SamplePair:
        weight = rng.exponential(size=rows) + 0.2
        return hard_cases.spoil_binary(rng, rows, 0.01, harmless=harmless, weight=weight)

    hold_promise(
        "1 % of 1,000 weighted rows differ",
        draw,
        ("accuracy", "f1", "log_loss", "brier_score"),
        record_property,
        many=partial(draw, rows=600_000),
    )
