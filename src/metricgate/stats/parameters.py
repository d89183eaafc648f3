"""Metrics with a parameter after an @, by task and name. A parameter that cannot be taken is a ValueError."""

from collections.abc import Callable
from functools import partial

from metricgate.models.samples import Task
from metricgate.stats.binary import CONFUSION_NAMES, binary_confusion, binary_fbeta, top_precision
from metricgate.stats.metric import Metric
from metricgate.stats.multiclass import top_accuracy
from metricgate.stats.regression import absolute_error_quantile, pinball_loss

_LARGEST_BETA = 1000.0


def _require(value: float, *, low: float, high: float) -> float:
    if not low < value < high:
        raise ValueError(value)
    return value


def _require_count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def _build_precision(text: str) -> Metric:
    """Read ``0.7`` as a threshold, ``100`` as a number of rows with the highest scores, ``10%`` as a share of them."""
    if text.endswith("%"):
        share = _require(float(text.removesuffix("%")) / 100, low=0, high=1)
        return top_precision(f"precision@{text}", f"precision in the top {text}", share=share)
    if "." in text:
        return _build_at_threshold("precision", text)
    count = _require_count(text)
    return top_precision(f"precision@{count}", f"precision in the top {count}", count=count)


def _build_at_threshold(name: str, text: str) -> Metric:
    return binary_confusion(name, threshold=float(text))


def _build_fbeta(text: str) -> Metric:
    return binary_fbeta(_require(float(text), low=0, high=_LARGEST_BETA))


def _build_top_accuracy(text: str) -> Metric:
    return top_accuracy(_require_count(text))


def _build_pinball(text: str) -> Metric:
    return pinball_loss(_require(float(text), low=0, high=1))


def _build_quantile(text: str) -> Metric:
    level = _require(float(text), low=0, high=1)
    return absolute_error_quantile(
        f"quantile_absolute_error@{level:g}", f"{level:.4g} quantile of absolute error", level
    )


BUILDERS: dict[tuple[Task, str], Callable[[str], Metric]] = {
    **{("binary", name): partial(_build_at_threshold, name) for name in CONFUSION_NAMES},
    ("binary", "precision"): _build_precision,
    ("binary", "fbeta"): _build_fbeta,
    ("multiclass", "top_k_accuracy"): _build_top_accuracy,
    ("regression", "mean_pinball_loss"): _build_pinball,
    ("regression", "quantile_absolute_error"): _build_quantile,
}
