"""Names of metrics: canonical, aliases, parameters, classes; and what a wrong one is answered with."""

import pytest

from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Direction
from metricgate.models.samples import Task
from metricgate.stats.registry import ALIASES, find_metric, main_metrics
from metricgate.stats.registry import _plain_metrics as plain_metrics

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


@pytest.mark.parametrize(
    ("name", "task", "canonical"),
    [
        ("auc", "binary", "roc_auc"),
        ("auc", "multiclass", "roc_auc_ovr"),
        ("neg_log_loss", "binary", "log_loss"),
        ("neg_root_mean_squared_error", "regression", "root_mean_squared_error"),
        ("RMSE", "regression", "root_mean_squared_error"),
        ("f1_score", "binary", "f1"),
        ("F2", "binary", "fbeta@2"),
        ("precision_at_100", "binary", "precision@100"),
        ("precision@5%", "binary", "precision@5%"),
        ("precision@0.7", "binary", "precision@0.7"),
        ("recall@0.30", "binary", "recall@0.3"),
        ("top_3_accuracy", "multiclass", "top_k_accuracy@3"),
        ("f1[DSL]", "multiclass", "f1[DSL]"),
        ("auc[No]", "multiclass", "roc_auc[No]"),
        ("pinball_loss@0.9", "regression", "mean_pinball_loss@0.9"),
        ("sum(errors)/sum(words)", "score", "sum(errors)/sum(words)"),
    ],
)
def test_spellings_lead_to_one_canonical_name(name: str, task: Task, canonical: str) -> None:
    classes = ("DSL", "Fiber", "No")

    assert find_metric(name, task=task, classes=classes).name == canonical
    assert find_metric(canonical, task=task, classes=classes).name == canonical


def test_every_alias_leads_to_a_metric() -> None:
    reached = {metric.name for task in TASKS for metric in plain_metrics(task)} | {
        "mean_pinball_loss",
        "top_k_accuracy",
    }

    assert set(ALIASES.values()) <= reached
    assert not set(ALIASES) & reached


@pytest.mark.parametrize("task", [*TASKS, "score"])
def test_main_metrics_exist_and_may_be_gated(task: Task) -> None:
    assert all(find_metric(name, task=task).gateable for name in main_metrics(task))


def test_directions_are_what_people_expect() -> None:
    lower = {metric.name for task in TASKS for metric in plain_metrics(task) if metric.direction is Direction.LOWER}

    assert lower == {
        "log_loss",
        "brier_score",
        "expected_calibration_error",
        "mean_absolute_error",
        "root_mean_squared_error",
        "mean_squared_error",
        "mean_absolute_percentage_error",
        "median_absolute_error",
        "mean_bias",
    }


@pytest.mark.parametrize(
    ("name", "task", "hint"),
    [
        ("acuracy", "binary", "'accuracy'"),
        ("f1", "multiclass", "'f1_macro'"),
        ("roc_auc_score", "binary", "'roc_auc'"),
        ("f1[Fibre]", "multiclass", "'Fiber'"),
        ("precision@1.2.3", "binary", "after the @"),
        ("precision@0", "binary", "after the @"),
        ("precision@200%", "binary", "after the @"),
        ("mean_pinball_loss@9", "regression", "after the @"),
        ("xyzzy", "score", "Correct the metric"),
        ("f1[", "multiclass", "Correct the metric"),
        ("", "binary", "Correct the metric"),
    ],
)
def test_an_unknown_name_is_refused_with_what_to_do(name: str, task: Task, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_metric(name, task=task, classes=("DSL", "Fiber"))

    assert hint in caught.value.fix


def test_a_metric_of_another_task_is_said_to_be_one() -> None:
    with pytest.raises(ConfigurationError, match="exists for the task regression"):
        find_metric("mae", task="binary")
