"""Gates on numbers of metrics files: for each number whose name says which way is better."""

import re
from collections.abc import Mapping

from metricgate.comparison.file_numbers import guess_direction, is_cost
from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Direction
from metricgate.models.snapshot import FileMetric
from metricgate.stats.registry import find_metric

MOST_GATES = 6
TRAINING = {"train", "training", "fit"}
# Names that people give to numbers, beside those of MetricGate's own metrics.
HIGHER = {
    "acc",
    "prec",
    "ap",
    "map",
    "auroc",
    "ndcg",
    "mrr",
    "dice",
    "ssim",
    "psnr",
    "hits",
    "correlation",
    "explained",
}
LOWER = {"nll", "fid", "ppl", "deviation"}


def suggest_gates(metrics: Mapping[str, tuple[FileMetric, ...]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return gates on the numbers, each a name and a margin, and the names of numbers that have none."""
    gates: list[tuple[str, str]] = []
    others: list[str] = []
    for file, found in metrics.items():
        for metric in found:
            direction, name = find_direction(metric.key), f"{file}:{metric.key}"
            if direction is None or metric.value is None or len(gates) == MOST_GATES:
                others.append(name)
            else:
                gates.append((name, _margin(metric.value, direction)))
    return gates, others


def _margin(value: float, direction: Direction) -> str:
    key = "max_drop" if direction is Direction.HIGHER else "max_increase"
    # A percentage of a number that is not positive means nothing.
    return f"{key}: {'5%' if value > 0 else f'{max(0.02, round(abs(value) * 0.05, 6)):g}'}"


def find_direction(key: str) -> Direction | None:
    """Return which way a number gets better, by the parts of its key: ``avg_prec.test``, ``test/roc_auc``.

    None for other names, for training data and for time and memory.
    """
    parts = [part for part in re.split(r"[./]", key.lower()) if part]
    words = {word for part in parts for word in re.split(r"[\W_]+", part)}
    if words & TRAINING or is_cost(key) or any(map(is_cost, parts)):
        return None
    return next(filter(None, map(_read_part, reversed(parts))), None)


def _read_part(part: str) -> Direction | None:
    for task in ("binary", "multiclass", "regression"):
        for name in (part, re.sub(r"^(test|val|valid|validation|eval|dev)_|_(test|val|valid|eval)$", "", part)):
            try:
                return find_metric(name, task=task).direction
            except ConfigurationError:
                continue
    words = set(re.split(r"[\W_]+", part))
    if words & LOWER:
        return Direction.LOWER
    return guess_direction(part) or (Direction.HIGHER if words & HIGHER else None)
