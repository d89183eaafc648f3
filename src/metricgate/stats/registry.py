"""Finding a metric by the name that a policy or a person gives it.

A name is scikit-learn's, without ``neg_``. ``name@parameter`` fixes a parameter: ``recall@0.3`` (at a threshold),
``precision@100`` and ``precision@10%`` (among the highest scores), ``fbeta@2``, ``top_k_accuracy@3``,
``mean_pinball_loss@0.9``, ``quantile_absolute_error@0.9``. ``name[class]`` is about one class: ``f1[Fiber]``. Anything
with brackets ``()`` is a formula of columns.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from keyword import iskeyword

from metricgate.errors import ConfigurationError
from metricgate.models.samples import Sample, Task
from metricgate.stats.binary import list_binary
from metricgate.stats.formula import is_formula, parse_formula
from metricgate.stats.metric import Metric, MetricUndefined
from metricgate.stats.multiclass import PER_CLASS_NAMES, list_multiclass, one_class
from metricgate.stats.parameters import BUILDERS
from metricgate.stats.regression import list_regression
from metricgate.stats.shares import find_success, is_success

ALIASES = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "ap": "average_precision",
    "pr_auc": "average_precision",
    "logloss": "log_loss",
    "cross_entropy": "log_loss",
    "brier": "brier_score",
    "brier_score_loss": "brier_score",
    "ece": "expected_calibration_error",
    "mcc": "matthews_corrcoef",
    "kappa": "cohen_kappa",
    "cohen_kappa_score": "cohen_kappa",
    "sensitivity": "recall",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "mape": "mean_absolute_percentage_error",
    "r2_score": "r2",
    "bias": "mean_bias",
    "pinball_loss": "mean_pinball_loss",
    "top_k_accuracy_score": "top_k_accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
}
_OF_SEVERAL = {"roc_auc": "roc_auc_ovr"}  # what a binary name means for several classes, where that is not in doubt
_MAIN: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "roc_auc", "log_loss"),
    "multiclass": ("accuracy", "f1_macro", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error"),
    "score": (),
}
_WITH_PARAMETER: dict[Task, tuple[str, ...]] = {
    "binary": ("recall@0.3", "precision@0.7", "precision@100", "precision@10%", "fbeta@2"),
    "multiclass": ("top_k_accuracy@3", "f1[CLASS]", "precision[CLASS]", "recall[CLASS]", "roc_auc[CLASS]"),
    "regression": ("mean_pinball_loss@0.9", "quantile_absolute_error@0.9"),
    "score": ("mean(COLUMN)", "sum(COLUMN)/sum(COLUMN)", "pass@3", "pass^3"),
}
_OF_PROBABILITIES = frozenset({"log_loss", "brier_score", "expected_calibration_error"})
_NAME = re.compile(r"(?P<stem>[^@\[]+)(?:@(?P<parameter>[0-9.]+%?)|\[(?P<chosen>.+)\])?")
_SHORT_FBETA = re.compile(r"f(?P<beta>[0-9]+(?:\.[0-9]+)?)(?:_score)?")
_TOP_ROWS = re.compile(r"(?P<stem>precision|top_k_accuracy|top)_(?:at_|k_)?(?P<count>[0-9]+)(?:_accuracy)?")


@cache
def _plain_metrics(task: Task) -> tuple[Metric, ...]:
    listed = {"binary": list_binary, "multiclass": list_multiclass, "regression": list_regression}
    return listed[task]() if task in listed else ()


def find_metric(name: str, *, task: Task, classes: tuple[str, ...] = (), columns: Collection[str] = ()) -> Metric:
    """Return the metric of this name for this task.

    Parameters
    ----------
    name : as a person writes it: a canonical name, an alias, one with a parameter or a class, or a formula.
    classes : the label values, for metrics of one class.
    columns : the numeric columns, for formulas; none given: any name is taken.

    Raises
    ------
    ConfigurationError
        Names the nearest match and what exists for the task.
    """
    if is_formula(name):
        return parse_formula(name, tuple(columns))
    if task == "score" and is_success(name.strip()):
        return find_success(name.strip())
    match = _NAME.fullmatch(_spell_out(name.strip()))
    if match is None:
        raise _unknown_metric(name, task)
    stem = _canonical_stem(match["stem"], task)
    if match["chosen"] is not None:
        return _find_one_class(name, stem, match["chosen"], task, classes)
    if match["parameter"] is not None:
        return _find_with_parameter(name, stem, match["parameter"], task)
    for metric in _plain_metrics(task):
        if metric.name == stem:
            return metric
    raise _unknown_metric(name, task)


def _spell_out(name: str) -> str:
    """Turn the short spellings ``f2``, ``precision_at_100`` and ``top_3_accuracy`` into ``name@parameter``."""
    if (short := _SHORT_FBETA.fullmatch(name.lower())) and float(short["beta"]) not in {0.0, 1.0}:
        return f"fbeta@{short['beta']}"
    if top := _TOP_ROWS.fullmatch(name.lower()):
        return f"{'top_k_accuracy' if top['stem'] == 'top' else top['stem']}@{top['count']}"
    return name


def _canonical_stem(stem: str, task: Task) -> str:
    plain = stem.strip().lower().removeprefix("neg_")
    plain = "f1" if plain == "f1_score" else ALIASES.get(plain, plain)
    return _OF_SEVERAL.get(plain, plain) if task == "multiclass" else plain


def _find_one_class(name: str, stem: str, chosen: str, task: Task, classes: tuple[str, ...]) -> Metric:
    stem = "roc_auc" if stem == "roc_auc_ovr" else stem
    if task != "multiclass" or stem not in PER_CLASS_NAMES:
        raise _unknown_metric(name, task)
    if chosen not in classes:
        close = get_close_matches(chosen, classes, n=1)
        raise ConfigurationError(
            f"The metric {name!r} names the class {chosen!r}, which does not exist.",
            expected=f"one of {', '.join(classes)}.",
            fix=f"Perhaps you meant {close[0]!r}?" if close else "Correct the class, or declare it under `classes`.",
            topic="the-metric-does-not-exist",
        )
    return one_class(stem, classes, chosen)


def _find_with_parameter(name: str, stem: str, parameter: str, task: Task) -> Metric:
    build = BUILDERS.get((task, stem))
    if build is None:
        raise _unknown_metric(name, task)
    try:
        return build(parameter)
    except ValueError as error:
        raise _bad_parameter(name, parameter, task) from error


def _bad_parameter(name: str, parameter: str, task: Task) -> ConfigurationError:
    return ConfigurationError(
        f"The metric {name!r} has the parameter {parameter!r}, which it cannot take.",
        expected=f"a form like {', '.join(_WITH_PARAMETER[task])}.",
        fix="Correct the parameter after the @.",
        topic="the-metric-does-not-exist",
    )


def _unknown_metric(name: str, task: Task) -> ConfigurationError:
    known = [metric.name for metric in _plain_metrics(task)]
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    stem = _canonical_stem(name, task)
    elsewhere = [kind for kind in tasks if any(metric.name == stem for metric in _plain_metrics(kind))]
    reason = f" It exists for the task {' and '.join(elsewhere)}." if elsewhere else ""
    close = get_close_matches(stem, [*known, *ALIASES], n=1)
    close += [each for each in known if each.startswith(f"{stem}_")]
    return ConfigurationError(
        f"There is no metric {name!r} for the task {task}.{reason}",
        expected=f"one of {', '.join([*known, *_WITH_PARAMETER[task]])}; or a formula such as sum(errors)/sum(words).",
        fix=f"Perhaps you meant {close[0]!r}?" if close else "Correct the metric's name in the gate.",
        topic="the-metric-does-not-exist",
    )


def list_metrics(sample: Sample) -> tuple[Metric, ...]:
    """Return every metric that the columns of the sample allow, main ones first, in a fixed order.

    Where rows carry only numbers of their own (task ``score``), that is the mean of each column.
    """
    if sample.task == "score":
        return tuple(parse_formula(f"mean({_quote(name)})") for name in sample.columns)
    return tuple(metric for metric in _plain_metrics(sample.task) if _is_allowed(metric, sample))


def _quote(name: str) -> str:
    return name if name.isidentifier() and not iskeyword(name) else repr(name)


def _is_allowed(metric: Metric, sample: Sample) -> bool:
    if any(getattr(sample, part) is None for part in metric.needs):
        return False
    if metric.name not in _OF_PROBABILITIES:
        return True
    try:
        metric.evaluate(sample)
    except MetricUndefined as undefined:
        return undefined.code != "not_probabilities"
    return True


def main_metrics(task: Task) -> tuple[str, ...]:
    """Return the names of the task's main metrics, which a run without a policy watches."""
    return _MAIN[task]
