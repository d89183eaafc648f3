"""Speed of paired intervals, as ratios measured in this run: against resampling, and against computing the metric.

Run it with ``python scripts/bench_stats.py``, about four minutes. ``--resamples`` shortens the slow side while the
bench is changed; its time is then scaled up.
"""

import argparse
import gc
import os
import time
from collections.abc import Callable
from dataclasses import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # CPU seconds of one thread, on both sides

import numpy as np
from scipy.stats import bootstrap
from sklearn import metrics as oracle

from metricgate.models.samples import FloatArray, IntArray, Sample, SamplePair
from metricgate.stats.contrast import Contrast, contrast
from metricgate.stats.metric import Metric
from metricgate.stats.registry import find_metric

ROWS_RESAMPLED = 10_000
ROWS_LARGE = 1_000_000
RESAMPLES = 9_999
GOAL_RESAMPLED = 1_000
GOAL_LARGE = 2.0
METRICS = ("accuracy", "f1", "roc_auc")


def make_pair(rows: int) -> SamplePair:
    """Draw two models that share most of their errors."""
    rng = np.random.default_rng(1)
    label = (rng.random(rows) < 0.27).astype(np.int8)
    shared = rng.standard_normal(rows)
    sides = []
    for _ in range(2):
        scores = 1 / (1 + np.exp(-(1.5 * label + 0.9 * shared + 0.4 * rng.standard_normal(rows) - 1.5)))
        prediction = (scores >= 0.5).astype(np.int8)
        sides.append(Sample(task="binary", rows=rows, label=label, prediction=prediction, scores=scores))
    return SamplePair(baseline=sides[0], candidate=sides[1])


def compare(pair: SamplePair, metric: Metric) -> Contrast:
    """Compare as if for the first time: a pair keeps the order of its scores and its table for other metrics."""
    return contrast(SamplePair(baseline=replace(pair.baseline), candidate=replace(pair.candidate)), metric)


def measure_cpu(work: Callable[[], object], *, at_least: float = 0.5) -> float:
    """Return the CPU seconds of one call: the best of three averages over enough calls."""
    work()
    gc.disable()
    best = float("inf")
    for _ in range(3):
        calls, start = 0, time.process_time()
        while time.process_time() - start < at_least or not calls:
            work()
            calls += 1
        best = min(best, (time.process_time() - start) / calls)
        if best > at_least:
            break
    gc.enable()
    return best


def measure_once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def difference_of_accuracy(label: IntArray, baseline: IntArray, candidate: IntArray, axis: int) -> FloatArray:
    difference: FloatArray = (candidate == label).mean(axis=axis) - (baseline == label).mean(axis=axis)
    return difference


def difference_of_f1(label: IntArray, baseline: IntArray, candidate: IntArray, axis: int) -> FloatArray:
    sides = []
    for prediction in (candidate, baseline):
        hits = (label & prediction).sum(axis=axis)
        sides.append(2 * hits / (label.sum(axis=axis) + prediction.sum(axis=axis)))
    difference: FloatArray = sides[0] - sides[1]
    return difference


def difference_of_auc(label: IntArray, baseline: FloatArray, candidate: FloatArray) -> float:
    return float(oracle.roc_auc_score(label, candidate) - oracle.roc_auc_score(label, baseline))


def compare_with_resampling(name: str, pair: SamplePair, resamples: int) -> float:
    """Return how many times the CPU of MetricGate's interval scipy's paired bootstrap takes, scaled to 9,999 resamples.

    Accuracy and F1 are given to it as the quickest NumPy expressions, in batches of 50; ROC AUC as scikit-learn's.
    """
    metric = find_metric(name, task="binary")
    part = "scores" if name == "roc_auc" else "prediction"
    statistic = {"accuracy": difference_of_accuracy, "f1": difference_of_f1, "roc_auc": difference_of_auc}[name]
    data = (pair.candidate.label, getattr(pair.baseline, part), getattr(pair.candidate, part))
    options = {"paired": True, "vectorized": name != "roc_auc", "n_resamples": resamples, "batch": 50, "rng": 1}
    theirs = measure_once(lambda: bootstrap(data, statistic, method="percentile", **options)) * RESAMPLES / resamples
    ours = measure_cpu(lambda: compare(pair, metric).interval(0.025))
    print(
        f"| {name}, n = {pair.rows:,} | {ours * 1e3:.2f} ms | scipy bootstrap {theirs:.1f} s "
        f"| {theirs / ours:,.0f} times |"
    )
    return theirs / ours


def compare_with_metric(pair: SamplePair) -> float:
    """Return how many times the CPU of two calls of roc_auc_score MetricGate's paired AUC interval takes."""
    metric = find_metric("roc_auc", task="binary")
    ours = measure_cpu(lambda: compare(pair, metric).interval(0.025))
    label = pair.candidate.label
    theirs = measure_cpu(lambda: [oracle.roc_auc_score(label, side.scores) for side in (pair.baseline, pair.candidate)])
    print(
        f"| roc_auc, n = {pair.rows:,} | {ours:.2f} s | two roc_auc_score {theirs:.2f} s | {ours / theirs:.2f} of it |"
    )
    return ours / theirs


def show_growth() -> None:
    """Print the CPU time for ten times the rows, which n log n makes a little more than ten times as long."""
    metrics = [
        find_metric(name, task="binary") for name in ("accuracy", "f1", "log_loss", "roc_auc", "average_precision")
    ]
    for rows in (10_000, 100_000, 1_000_000):
        pair = make_pair(rows)
        times = [
            f"{metric.name} {measure_cpu(lambda metric=metric, pair=pair: compare(pair, metric)) * 1e3:.1f}"
            for metric in metrics
        ]
        print(f"n = {rows:,}: {', '.join(times)} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    arguments = parser.parse_args()
    print("| paired 95 % interval | MetricGate, CPU | compared with, CPU | ratio |\n|---|--:|--:|--:|")
    pair = make_pair(ROWS_RESAMPLED)
    ratios = [compare_with_resampling(name, pair, arguments.resamples) for name in METRICS]
    reached = min(ratios) >= GOAL_RESAMPLED
    reached &= compare_with_metric(make_pair(ROWS_LARGE)) <= GOAL_LARGE
    show_growth()
    print("goals reached" if reached else "a goal is missed: at least 1,000 times less, at most 2 times as long")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
