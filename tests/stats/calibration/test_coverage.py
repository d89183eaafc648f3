"""Calibration of the pointwise 95 % interval of each metric's difference."""

import json
from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
import pytest

from metricgate.models.samples import FloatArray, Sample, SamplePair, Task
from metricgate.stats.metric import Metric
from metricgate.stats.registry import find_metric, list_metrics
from metricgate.stats.spread import MIN_EFFECTIVE_GROUPS
from tests.stats.calibration.coverage import Simulate, find_truth, measure_coverage
from tests.stats.calibration.table import COVERAGE
from tests.stats.simulation import simulate_binary, simulate_multiclass, simulate_regression

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
SIZES = (200, 1000, 5000)
OF_CLASS = (
    "balanced_accuracy",
    "cohen_kappa",
    "f1",
    "fbeta@2",
    "jaccard",
    "matthews_corrcoef",
    "precision",
    "recall",
    "recall@0.3",
    "specificity",
)
SCARCE_GROUPS = 20
PERCENTAGE = "mean_absolute_percentage_error"
PARAMETERS: dict[Task, tuple[str, ...]] = {
    "binary": ("f2", "recall@0.3", "precision@10%"),
    "multiclass": ("f1[b]", "roc_auc[c]", "top_2_accuracy"),
    "regression": ("quantile_absolute_error@0.9", "mean_pinball_loss@0.9"),
    "score": (),
}


def choose_metrics(pair: SamplePair) -> list[Metric]:
    sample = pair.candidate
    listed = [metric for metric in list_metrics(sample) if metric.gateable]
    return listed + [find_metric(name, task=sample.task, classes=sample.classes) for name in PARAMETERS[sample.task]]


def calibrate(
    kind: str,
    setting: str,
    rows: int,
    simulate: Simulate,
    *,
    equal: bool,
    record: Record,
    refused: Collection[str] = (),
) -> None:
    """Measure a setting, hand its rows to the table, and hold each metric to its promise.

    ``refused``: the metrics that the rules answer with skipped or undecided here; all others must be judged.
    """
    metrics = choose_metrics(simulate(np.random.default_rng(0), 200))
    judged = [metric for metric in metrics if metric.name not in refused]
    truth = dict.fromkeys((metric.name for metric in metrics), 0.0)
    truth |= {} if equal else find_truth(simulate, judged, rows=rows)
    results = measure_coverage(kind, setting, rows, simulate, metrics=metrics, truth=truth)
    record(COVERAGE, json.dumps([result.as_dict() for result in results]))
    broken = [result for result in results if not result.keeps_promise]

    assert not broken, "\n".join(str(result) for result in broken)
    assert {result.metric for result in results if not result.is_judged} == set(refused)


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("prevalence", [0.05, 0.27, 0.5])
@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_binary(rows: int, prevalence: float, loss: float, record_property: Record) -> None:
    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return simulate_binary(rng, rows, prevalence=prevalence, loss=loss)

    setting = f"{prevalence:.0%} positive, {'unequal' if loss else 'equal'}"
    calibrate(
        "Two classes, 5, 27 and 50 % positive, equal and unequal models",
        setting,
        rows,
        simulate,
        equal=not loss,
        record=record_property,
    )


@pytest.mark.parametrize("rows", [200, 1000])
def test_binary_near_perfect(rows: int, record_property: Record) -> None:
    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return simulate_binary(rng, rows, signal=3.0, loss=0.4)

    calibrate(
        "Two classes, near perfect models (ROC AUC 0.98), unequal",
        "",
        rows,
        simulate,
        equal=False,
        record=record_property,
    )


@pytest.mark.parametrize("rows", [200, 1000])
def test_binary_weighted(rows: int, record_property: Record) -> None:
    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return simulate_binary(rng, rows, loss=0.3, weight=rng.exponential(size=rows) + 0.2)

    calibrate(
        "Two classes, weighted rows, unequal models",
        "",
        rows,
        simulate,
        equal=False,
        record=record_property,
        refused=OF_CLASS if rows < 1000 else (),
    )


@pytest.mark.parametrize(("rows", "loss"), [(200, 0.0), (1000, 0.0), (1000, 0.3), (5000, 0.3)])
def test_multiclass_with_a_rare_class(rows: int, loss: float, record_property: Record) -> None:
    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return simulate_multiclass(rng, rows, shares=(0.5, 0.3, 0.17, 0.03), loss=loss)

    setting = "unequal" if loss else "equal"
    calibrate(
        "Four classes, the rarest of 3 %, equal and unequal models",
        setting,
        rows,
        simulate,
        equal=not loss,
        record=record_property,
    )


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_regression(rows: int, loss: float, record_property: Record, *, skewed: bool) -> None:
    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return simulate_regression(rng, rows, loss=loss, skewed=skewed)

    kind = f"Numbers: {'log-normal' if skewed else 'normal'} targets, equal and unequal models"
    refused = ["mean_squared_error"] if skewed and rows < 500 else []
    calibrate(
        kind,
        "unequal" if loss else "equal",
        rows,
        simulate,
        equal=not loss,
        record=record_property,
        refused=refused if skewed else [PERCENTAGE],  # normal labels come so near to zero that there is no true one
    )


@pytest.mark.parametrize("groups", [5, 10, 20, 30, 50])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_groups_of_unequal_size(task: Task, groups: int, record_property: Record) -> None:
    """With few groups the answer is that there are too few."""

    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return _simulate_groups(rng, rows, groups, task)

    kind = "5 and 10 groups: too few" if groups < MIN_EFFECTIVE_GROUPS else "20, 30 and 50 groups of unequal size"
    metrics = choose_metrics(simulate(np.random.default_rng(0), 200))
    if groups < MIN_EFFECTIVE_GROUPS:
        refused = [metric.name for metric in metrics]
    elif task == "regression":
        # Squares leave fewer effective groups than rows do, so 20 unequal groups hold 15 of them too seldom.
        refused = [PERCENTAGE, *(["mean_squared_error", "root_mean_squared_error"] if groups == SCARCE_GROUPS else [])]
    else:  # 20 groups of unequal size hold 15 effective ones of all rows seldom, and of one class's more seldom still
        refused = [metric.name for metric in metrics if metric.per_class_rows and groups == SCARCE_GROUPS]
    calibrate(
        f"{kind} ({task}), equal models",
        f"{groups} groups",
        1000,
        simulate,
        equal=True,
        record=record_property,
        refused=refused,
    )


def _simulate_groups(rng: np.random.Generator, rows: int, groups: int, task: Task) -> SamplePair:
    """Rows of a group share a shift of either model's scores or errors; the largest groups are many times the least."""
    shares = rng.lognormal(sigma=0.7, size=groups)
    group = np.unique(rng.choice(groups, size=rows, p=shares / shares.sum()), return_inverse=True)[1]
    if task == "binary":
        pair = simulate_binary(rng, rows)
        shifts = rng.normal(scale=0.5, size=(2, groups))
        sides = [
            _shift_logit(side, shift[group])
            for side, shift in zip((pair.baseline, pair.candidate), shifts, strict=True)
        ]
    else:
        pair = simulate_regression(rng, rows)
        shifts = rng.normal(scale=0.3, size=(2, groups))
        sides = [
            replace(side, prediction=np.asarray(side.prediction) + shift[group])
            for side, shift in zip((pair.baseline, pair.candidate), shifts, strict=True)
        ]
    return SamplePair(baseline=sides[0], candidate=sides[1], group=group)


def _shift_logit(sample: Sample, shift: FloatArray) -> Sample:
    scores = np.asarray(sample.scores)
    moved = 1 / (1 + np.exp(-(np.log(scores / (1 - scores)) + shift)))
    return replace(sample, scores=moved, prediction=(moved >= 0.5).astype(np.int8))
