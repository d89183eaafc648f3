"""How often policies block a pull request that changes nothing but the seed: three model families on the churn data."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metricgate.models.outcome import Direction
from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.contrast import Contrast, contrast
from metricgate.stats.registry import find_metric
from metricgate.stats.simultaneous import ContrastRows, family_bounds
from tests.stats.calibration.table import SEEDS as SEEDS_TABLE
from tests.stats.simulation import binary_sample

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
CHURN = Path(__file__).parents[3] / "examples" / "churn" / "data" / "telco-churn.csv"
TEST_SETS = 2000
TEST_ROWS = 10_000
SEEDS = 10
TAIL = 0.025
FAMILIES = ("random forest", "gradient boosting, stopped early", "neural network")


def _build(family: str, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # noqa: PLC0415 - slow to load
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    if family == "random forest":
        return RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=seed)
    if family == "neural network":
        network = MLPClassifier(hidden_layer_sizes=(16,), early_stopping=True, max_iter=100, random_state=seed)
        return make_pipeline(StandardScaler(), network)
    return HistGradientBoostingClassifier(learning_rate=0.05, early_stopping=True, random_state=seed)


def _read_churn() -> tuple[FloatArray, NDArray[np.int8]]:
    with CHURN.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    label = np.array([row["churn"] == "Yes" for row in rows], dtype=np.int8)
    names = [name for name in rows[0] if name not in {"rownames", "churn"}]
    columns = [np.unique([row[name] for row in rows], return_inverse=True)[1].astype(np.float64) for name in names]
    for position, name in enumerate(names):
        if name in {"tenure", "monthly_charges", "total_charges"}:
            columns[position] = np.array([float(row[name] or 0) for row in rows])
    return np.stack(columns, axis=1), label


@pytest.mark.parametrize("family", FAMILIES)
def test_seeds_alone(family: str, record_property: Record) -> None:
    """Two seeds' models differ truly; guardrails block no more than a rule on the bare numbers."""
    features, label = _read_churn()
    rng = np.random.default_rng(5)
    order = rng.permutation(len(label))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    scores = [
        _build(family, seed).fit(features[train], label[train]).predict_proba(features[test])[:, 1]
        for seed in range(SEEDS)
    ]
    outcomes = [_judge(_draw_pair(rng, label[test], scores)) for _ in range(TEST_SETS)]
    shares = {name: float(np.mean([outcome[name] for outcome in outcomes])) for name in outcomes[0]}
    record_property(SEEDS_TABLE, json.dumps([{"model": family, "shares": shares}]))

    assert shares["guardrails of a run without a policy"] <= shares["a drop of accuracy by more than 0.005"]


def _draw_pair(rng: np.random.Generator, label: NDArray[np.int8], scores: list[FloatArray]) -> SamplePair:
    one, other = rng.choice(len(scores), size=2, replace=False)
    rows = rng.integers(0, len(label), size=TEST_ROWS)
    return SamplePair(
        baseline=binary_sample(label[rows], scores[one][rows]),
        candidate=binary_sample(label[rows], scores[other][rows]),
    )


def _judge(pair: SamplePair) -> dict[str, bool]:
    """Say for each policy whether it blocks, and for the required gates whether they stay undecided."""
    accuracy, area, loss = (find_metric(name, task="binary") for name in ("accuracy", "roc_auc", "log_loss"))
    items = [contrast(pair, accuracy), contrast(pair, area), contrast(pair, loss), contrast(pair, loss, factor=1.05)]
    margins = [0.01, 0.01, np.inf, 0.0]
    places = [ContrastRows(total=pair.rows)] * len(items)
    bounds = family_bounds(items, places, margins=margins, tail=TAIL)
    harm = [_harm(item, bound.low, bound.high) for item, bound in zip(items, bounds, strict=True)]
    drop, area_drop, _, excess = (_estimate(item) for item in items)
    failed = [
        drop > 0.01 and harm[0] > 0,
        area_drop > 0.01 and harm[1] > 0,
        excess > 0 and (harm[2] > 0 or harm[3] > 0),
    ]
    largest = [_largest_loss(item) for item in items[:2]]
    required = any(failed[:2])
    return {
        "any drop of accuracy": drop > 0,
        "a drop of accuracy by more than 0.005": drop > 0.005,
        "guardrails of a run without a policy": any(failed),
        "accuracy and ROC AUC required, 0.01 each": required,
        "and inconclusive": not required and max(largest) > 0.01,
    }


def _estimate(item: Contrast) -> float:
    return -item.estimate if item.metric.direction is Direction.HIGHER else item.estimate


def _harm(item: Contrast, low: float, high: float) -> float:
    """Return the least loss that the bounds leave possible."""
    return -high if item.metric.direction is Direction.HIGHER else low


def _largest_loss(item: Contrast) -> float:
    low, high = item.interval(TAIL)
    return -low if item.metric.direction is Direction.HIGHER else high
