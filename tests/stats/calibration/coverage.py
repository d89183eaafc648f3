"""How often an interval holds the true difference, over thousands of simulated test sets."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from metricgate.models.outcome import Direction
from metricgate.models.samples import SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.eligibility import find_obstacle
from metricgate.stats.metric import Metric, MetricUndefined

TEST_SETS = 2000
AGAIN = 10_000
"""Fresh test sets for what misses its aim in the first ones: at 2.5 %, 2,000 are 0.35 points unsure, these 0.16."""
TAIL = 0.025
LEAST_COVERED, MOST_WRONG = 0.935, 0.035
MIN_JUDGED = 0.15
"""A metric judged in fewer of the test sets, 300 of 2,000, has too few cases to tell 93.5 % from 95."""
_AT_ONCE = 2_000_000
Simulate = Callable[[np.random.Generator, int], SamplePair]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What became of one metric's interval in one setting.

    ``passed_wrongly``: a loss of exactly the margin would have been shown not to exceed it. ``failed_wrongly``: a loss
    would have been shown where the true one is no larger. Both as shares of all test sets, since the promise is one about
    pull requests; ``covered`` as a share of the judged ones.
    """

    kind: str
    setting: str
    rows: int
    metric: str
    judged: float
    covered: float
    passed_wrongly: float
    failed_wrongly: float
    test_sets: int

    @property
    def is_judged(self) -> bool:
        return self.judged >= MIN_JUDGED

    @property
    def keeps_promise(self) -> bool:
        worst = max(self.passed_wrongly, self.failed_wrongly)
        return not self.is_judged or (self.covered >= LEAST_COVERED and worst <= MOST_WRONG)

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
) -> list[Coverage]:
    """Measure each metric's 95 % interval, and on fresh test sets again those whose misses may be the luck of the draw."""
    measure = partial(_measure, kind, setting, rows, simulate, truth=truth)
    results = measure(metrics, test_sets=TEST_SETS, seed=20_000 + rows)
    doubtful = {result.metric for result in results if not result.keeps_promise}
    again = measure([metric for metric in metrics if metric.name in doubtful], test_sets=AGAIN, seed=50_000 + rows)
    settled = {result.metric: result for result in again}
    return [settled.get(result.metric, result) for result in results]


def _measure(
    kind: str,
    setting: str,
    rows: int,
    simulate: Simulate,
    metrics: Sequence[Metric],
    *,
    truth: dict[str, float],
    test_sets: int,
    seed: int,
) -> list[Coverage]:
    if not metrics:
        return []
    rng = np.random.default_rng(seed)
    misses = {metric.name: Misses() for metric in metrics}
    for _ in range(test_sets):
        pair = simulate(rng, rows)
        for metric in metrics:
            misses[metric.name].count(_bound(pair, metric), truth[metric.name])
    return [
        misses[metric.name].describe(metric, kind=kind, setting=setting, rows=rows, test_sets=test_sets)
        for metric in metrics
    ]


@dataclass
class Misses:
    """Counts of judged test sets, and of those whose interval lies above or below the truth."""

    judged: int = 0
    above: int = 0
    below: int = 0

    def count(self, bounds: tuple[float, float] | None, truth: float) -> None:
        if bounds is not None:
            self.judged += 1
            self.above += bounds[0] > truth + 1e-12
            self.below += bounds[1] < truth - 1e-12

    @property
    def shares(self) -> tuple[float, float]:
        """The shares of judged test sets whose interval lies above the truth, and below it."""
        return self.above / max(self.judged, 1), self.below / max(self.judged, 1)

    def describe(self, metric: Metric, *, kind: str, setting: str, rows: int, test_sets: int) -> Coverage:
        too_good, too_bad = self.shares[:: 1 if metric.direction is Direction.HIGHER else -1]
        return Coverage(
            kind=kind,
            setting=setting,
            rows=rows,
            metric=metric.name,
            judged=self.judged / test_sets,
            covered=1 - too_good - too_bad,
            passed_wrongly=too_good * self.judged / test_sets,
            failed_wrongly=too_bad * self.judged / test_sets,
            test_sets=test_sets,
        )


def _bound(pair: SamplePair, metric: Metric) -> tuple[float, float] | None:
    if find_obstacle(pair.candidate, metric):
        return None
    try:
        item = contrast(pair, metric)
    except MetricUndefined:
        return None
    return None if item.inconclusive else item.interval(TAIL)


def find_truth(simulate: Simulate, metrics: Sequence[Metric], *, rows: int) -> dict[str, float]:
    """Return each metric's difference on a thousand times the rows: its own error is 3 % of a test set's."""
    parts = max(-(-1000 * rows // _AT_ONCE), 1)
    rng = np.random.default_rng(1)
    sums = dict.fromkeys((metric.name for metric in metrics), 0.0)
    for _ in range(parts):
        pair = simulate(rng, max(1000 * rows // parts, _AT_ONCE // 4))
        for metric in metrics:
            sums[metric.name] += metric.evaluate(pair.candidate).value - metric.evaluate(pair.baseline).value
    return {name: total / parts for name, total in sums.items()}
