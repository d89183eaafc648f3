"""Finding a metric by the name that a policy or a person gives it."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache

from metricgate.errors import ConfigurationError
from metricgate.models.samples import Sample, Task
from metricgate.stats.binary import list_binary
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.regression import list_regression

ALIASES = {
    "auc": "roc_auc",
    "ap": "average_precision",
    "logloss": "log_loss",
    "cross_entropy": "log_loss",
    "mae": "mean_absolute_error",
    "rmse": "root_mean_squared_error",
}
_MAIN: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "roc_auc", "log_loss"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error"),
    "score": (),
}


@cache
def _plain_metrics() -> tuple[Metric, ...]:
    return (*list_binary(), *list_regression())


def find_metric(name: str, *, task: Task, classes: tuple[str, ...] = (), columns: Collection[str] = ()) -> Metric:  # noqa: ARG001 - for metrics of one class and formulas
    """Return the metric of this name for this task.

    Parameters
    ----------
    name : as a person writes it: a canonical name, with or without scikit-learn's ``neg_``, or an alias.
    classes : the label values, for metrics of one class.
    columns : the numeric columns, for formulas.

    Raises
    ------
    ConfigurationError
        Names the nearest match and what exists for the task.
    """
    canonical = _canonical_name(name)
    for metric in _plain_metrics():
        if metric.name == canonical and task in metric.tasks:
            return metric
    raise _unknown_metric(name, canonical, task)


def _canonical_name(name: str) -> str:
    plain = name.strip().lower().removeprefix("neg_")
    return ALIASES.get(plain, plain)


def _unknown_metric(name: str, canonical: str, task: Task) -> ConfigurationError:
    known = [metric.name for metric in _plain_metrics() if task in metric.tasks]
    close = get_close_matches(canonical, [*known, *ALIASES], n=1)
    elsewhere = sorted({kind for metric in _plain_metrics() if metric.name == canonical for kind in metric.tasks})
    reason = f" It exists for the task {' and '.join(elsewhere)}." if elsewhere else ""
    return ConfigurationError(
        f"There is no metric {name!r} for the task {task}.{reason}",
        expected=f"one of {', '.join(known)}.",
        fix=f"Perhaps you meant {close[0]!r}?" if close else "Correct the metric's name in the gate.",
    )


def list_metrics(sample: Sample) -> tuple[Metric, ...]:
    """Return every metric that the columns of the sample allow, main ones first, in a fixed order."""
    return tuple(metric for metric in _plain_metrics() if sample.task in metric.tasks and _is_allowed(metric, sample))


def _is_allowed(metric: Metric, sample: Sample) -> bool:
    if any(getattr(sample, part) is None for part in metric.needs):
        return False
    if metric.name not in {"log_loss", "brier_score"}:
        return True
    try:
        metric.evaluate(sample)
    except MetricUndefined as undefined:
        return undefined.code != "not_probabilities"
    return True


def main_metrics(task: Task) -> tuple[str, ...]:
    """Return the names of the task's main metrics, which a run without a policy watches."""
    return _MAIN[task]
