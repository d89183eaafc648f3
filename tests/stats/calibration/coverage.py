"""How often an interval holds the true difference, over thousands of simulated test sets."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric, MetricUndefined

TEST_SETS = 2000
TAIL = 0.025
Simulate = Callable[[np.random.Generator, int], SamplePair]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What became of one metric's interval in one setting.

    ``passed_wrongly``: a loss of exactly the margin would have been shown not to exceed it. ``failed_wrongly``: a loss
    would have been shown where the true one is no larger. Both, like ``covered``, as shares of the judged test sets.
    """

    kind: str
    setting: str
    rows: int
    metric: str
    judged: float
    covered: float
    passed_wrongly: float
    failed_wrongly: float

    def as_dict(self) -> dict[str, str | int | float]:
        return asdict(self)


def measure_coverage(
    kind: str,
    setting: str,
    rows: int,
    simulate: Simulate,
    *,
    metrics: Sequence[Metric],
    truth: dict[str, float],
    test_sets: int = TEST_SETS,
) -> list[Coverage]:
    """Simulate test sets and count the misses of each metric's 95 % interval on either side."""
    rng = np.random.default_rng(20_000 + rows)
    above, below, judged = (dict.fromkeys((metric.name for metric in metrics), 0) for _ in range(3))
    for _ in range(test_sets):
        pair = simulate(rng, rows)
        for metric in metrics:
            bounds = _bound(pair, metric)
            if bounds is not None:
                judged[metric.name] += 1
                above[metric.name] += bounds[0] > truth[metric.name] + 1e-12
                below[metric.name] += bounds[1] < truth[metric.name] - 1e-12
    results = []
    for metric in metrics:
        count, misses = max(judged[metric.name], 1), (above[metric.name], below[metric.name])
        too_good, too_bad = misses if metric.direction is Direction.HIGHER else misses[::-1]
        results.append(
            Coverage(
                kind=kind,
                setting=setting,
                rows=rows,
                metric=metric.name,
                judged=judged[metric.name] / test_sets,
                covered=1 - sum(misses) / count,
                passed_wrongly=too_good / count,
                failed_wrongly=too_bad / count,
            )
        )
    return results


def _bound(pair: SamplePair, metric: Metric) -> tuple[float, float] | None:
    if find_obstacle(pair.candidate, metric):
        return None
    try:
        item = contrast(pair, metric)
    except MetricUndefined:
        return None
    return None if item.inconclusive else item.interval(TAIL)


def find_truth(simulate: Simulate, metrics: Sequence[Metric], *, rows: int = 2_000_000) -> dict[str, float]:
    """Return each metric's difference on very many rows; its own error is a few percent of a test set's."""
    pair = simulate(np.random.default_rng(1), rows)
    return {
        metric.name: metric.evaluate(pair.candidate).value - metric.evaluate(pair.baseline).value for metric in metrics
    }
