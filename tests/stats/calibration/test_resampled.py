"""Our interval of confusion metrics against the percentile bootstrap of the same joint table, on the same test sets.

Resampling rows with replacement is one multinomial draw of the joint counts, exactly; so the bootstrap is cheap too.
What decides is how often either misses.
"""

import json
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from metricgate.models.samples import FloatArray, SamplePair
from metricgate.stats.confusion import ConfusionMetric
from metricgate.stats.contrast import contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.joint import JointTable
from metricgate.stats.margins import Margins
from metricgate.stats.metric import MetricUndefined
from metricgate.stats.registry import find_metric
from tests.stats.calibration.coverage import MOST_WRONG, TAIL, TEST_SETS, Misses, find_truth
from tests.stats.calibration.table import RESAMPLED
from tests.stats.simulation import simulate_binary

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
Bounds = tuple[float, float]
DRAWS = 1999
METHODS = ("percentile", "ours")
SETTINGS = {
    "5 % positive, unequal": (0.05, 0.3),
    "27 % positive, equal": (0.27, 0.0),
    "27 % positive, unequal": (0.27, 0.3),
}


def _bound_by_percentile(
    table: JointTable, metric: ConfusionMetric, draws: FloatArray, tail: float
) -> tuple[float, float]:
    """Bound candidate minus baseline by percentiles of its value on resampled tables, shape (draws, cells)."""
    label, *predictions = table.cells.T
    classes = np.arange(table.size)
    values = []
    for predicted in predictions:
        parts = [np.where(label == predicted, label, -1), label, predicted]
        hit, actual, chosen = (draws @ (part[:, None] == classes) for part in parts)
        values.append(metric.formula(Margins(hit, actual, chosen)))
    low, high = np.quantile(values[1] - values[0], [tail, 1 - tail])
    return float(low), float(high)


def _resample(table: JointTable, rng: np.random.Generator) -> FloatArray:
    draws: FloatArray = rng.multinomial(table.rows, table.weight / table.rows, size=DRAWS).astype(np.float64)
    return draws


def _bound_both(
    pair: SamplePair, metrics: Sequence[ConfusionMetric], rng: np.random.Generator
) -> Iterator[tuple[str, tuple[Bounds, Bounds]]]:
    """Bound each metric that can be judged by both methods, all by the same resampled tables."""
    draws: FloatArray | None = None
    for metric in metrics:
        try:
            ours = None if find_obstacle(pair.candidate, metric) else contrast(pair, metric).interval(TAIL)
        except MetricUndefined:
            ours = None
        if ours is not None:
            table = metric.count_jointly(pair)
            draws = _resample(table, rng) if draws is None else draws
            yield metric.name, (_bound_by_percentile(table, metric, draws, TAIL), ours)


@pytest.mark.parametrize("rows", [200, 1000])
@pytest.mark.parametrize("setting", SETTINGS)
def test_percentile_bootstrap_side_by_side(setting: str, rows: int, record_property: Record) -> None:
    prevalence, loss = SETTINGS[setting]

    def simulate(rng: np.random.Generator, rows: int) -> SamplePair:
        return simulate_binary(rng, rows, prevalence=prevalence, loss=loss)

    found = [find_metric(name, task="binary") for name in ("f1", "balanced_accuracy", "precision", "mcc")]
    metrics = [metric for metric in found if isinstance(metric, ConfusionMetric)]
    truth = find_truth(simulate, metrics, rows=rows) if loss else dict.fromkeys((m.name for m in metrics), 0.0)
    rng = np.random.default_rng(rows)
    misses = {(metric.name, method): Misses() for metric in metrics for method in METHODS}
    widths = dict.fromkeys(misses, 0.0)
    for _ in range(TEST_SETS):
        for name, both in _bound_both(simulate(rng, rows), metrics, rng):
            for method, bounds in zip(METHODS, both, strict=True):
                misses[name, method].count(bounds, truth[name])
                widths[name, method] += bounds[1] - bounds[0]
    results = [
        {
            "setting": setting,
            "rows": rows,
            "metric": metric.name,
            "width": widths[metric.name, "ours"] / widths[metric.name, "percentile"],
            **{method: misses[metric.name, method].shares for method in METHODS},
        }
        for metric in metrics
    ]
    record_property(RESAMPLED, json.dumps(results))

    assert len(metrics) == 4
    assert max(max(misses[metric.name, "ours"].shares) for metric in metrics) <= MOST_WRONG
