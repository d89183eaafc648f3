"""A rule that the metric's range alone decides is refused, wherever a policy is used."""

from math import inf

import pytest

from metricgate.errors import ConfigurationError
from metricgate.gates.decidable_rules import UndecidingRuleError, require_decision
from metricgate.gates.rules import expand_gates
from metricgate.models.samples import Task
from metricgate.settings.policy import GateSpec
from metricgate.stats.registry import find_metric


def check(task: Task, **keys: object) -> None:
    (rule,) = expand_gates([GateSpec.model_validate(keys)], {"": {}})
    require_decision(rule, find_metric(rule.metric, task=task, columns=("hit",)))


@pytest.mark.parametrize(
    ("task", "keys", "told"),
    [
        ("binary", {"metric": "accuracy", "max_drop": 2}, "accuracy lies between 0 and 1"),
        ("binary", {"metric": "roc_auc", "max_drop": 1}, "ROC AUC lies between 0 and 1"),
        ("binary", {"metric": "accuracy", "max_drop": "1000%"}, "says max_drop: 1000%, and can never fail"),
        ("binary", {"metric": "f1", "max_drop": "100%"}, "can never fail"),
        ("binary", {"metric": "matthews_corrcoef", "max_drop": 2}, "MCC lies between -1 and 1"),
        ("binary", {"metric": "brier_score", "max_increase": 1}, "Brier score lies between 0 and 1"),
        ("binary", {"metric": "log_loss", "max_increase": 40}, "log loss lies between 0 and 36"),
        ("binary", {"metric": "accuracy", "min_gain": 1}, "can never pass"),
        ("binary", {"metric": "accuracy", "min": 0}, "can never fail"),
        ("binary", {"metric": "accuracy", "min": 90}, "can never pass"),
        ("binary", {"metric": "log_loss", "max": -0.1}, "can never pass"),
        ("regression", {"metric": "mae", "min": 0}, "MAE is never below 0"),
        ("regression", {"metric": "r2", "min": 1.5}, "R² is never above 1"),
    ],
)
def test_a_rule_that_decides_nothing_is_refused_and_names_the_range(
    task: Task, keys: dict[str, object], told: str
) -> None:
    with pytest.raises(UndecidingRuleError) as caught:
        check(task, **keys)

    assert told in caught.value.what


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        ("binary", {"metric": "accuracy", "max_drop": 0.99}),
        ("binary", {"metric": "accuracy", "max_drop": "99%"}),
        ("binary", {"metric": "matthews_corrcoef", "max_drop": 1.5}),
        ("binary", {"metric": "log_loss", "max_increase": "1000%"}),
        ("binary", {"metric": "accuracy", "min": 1}),
        ("regression", {"metric": "mae", "max_increase": 1e9}),
        ("regression", {"metric": "r2", "max_drop": "1000%"}),
        ("score", {"metric": "mean(hit)", "max_drop": 5}),
    ],
)
def test_a_wide_rule_that_can_fail_and_pass_is_kept(task: Task, keys: dict[str, object]) -> None:
    check(task, **keys)


@pytest.mark.parametrize(
    ("keys", "advice"),
    [
        ({"max_drop": 2}, "If 2 percent is meant, write `max_drop: 0.02`."),
        ({"min": 90}, "If 90 percent is meant, write `min: 0.9`."),
        ({"max_drop": "1000%"}, "Write what decides, such as `max_drop: 0.01`"),
    ],
)
def test_the_cure_says_what_was_probably_meant(keys: dict[str, object], advice: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check("binary", metric="accuracy", **keys)

    assert caught.value.fix.startswith(advice)


def test_a_metric_without_bounds_has_an_infinite_range() -> None:
    assert find_metric("mean(hit)", task="score", columns=("hit",)).value_range == (-inf, inf)
