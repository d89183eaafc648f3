"""Gates spelled out into rules."""

import pytest

from metricgate.errors import ConfigurationError
from metricgate.gates.rules import describe_rule, expand_gates, split_metric
from metricgate.models.outcome import Direction, Role
from metricgate.models.result import Slice
from metricgate.settings.policy import GateSpec

SLICES = {"": {"contract": ("Month-to-month", "One year")}}


def gate(**keys: object) -> GateSpec:
    return GateSpec.model_validate(keys)


def test_a_gate_on_slices_becomes_a_guardrail_for_each_value() -> None:
    rules = expand_gates([gate(metric="f1", slices=["contract"], max_drop=0.05)], SLICES)

    assert [(rule.slice, rule.role) for rule in rules] == [
        (Slice(column="contract", value="Month-to-month"), Role.GUARDRAIL),
        (Slice(column="contract", value="One year"), Role.GUARDRAIL),
    ]


def test_a_floor_and_a_ceiling_in_one_gate_are_two_rules() -> None:
    rules = expand_gates([gate(metric="mean_bias", min=-0.1, max=0.1)], SLICES)

    assert [(rule.kind, rule.bar, rule.role) for rule in rules] == [
        ("min", -0.1, Role.REQUIRED),
        ("max", 0.1, Role.REQUIRED),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("roc_auc", (None, "roc_auc")),
        ("metrics.json:train.seconds", ("metrics.json", "train.seconds")),
        ("out/a:b.json:x", ("out/a:b.json", "x")),
        (":x", (None, ":x")),
    ],
)
def test_a_file_and_a_key_are_told_apart(name: str, expected: tuple[str | None, str]) -> None:
    assert split_metric(name) == expected


@pytest.mark.parametrize(
    ("gates", "slices", "match"),
    [
        (gate(metric="f1", max_drop=0.1), {}, "needs predictions"),
        (gate(metric="f1", max_drop=0.1), {"golden": {}, "last_month": {}}, "does not say which prediction set"),
        (gate(metric="f1", slices=["plan"], max_drop=0.1), SLICES, "not a slice column"),
    ],
)
def test_a_gate_that_cannot_be_placed_is_refused(
    gates: GateSpec, slices: dict[str, dict[str, tuple[str, ...]]], match: str
) -> None:
    with pytest.raises(ConfigurationError, match=match):
        expand_gates([gates], slices)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"max_drop": 0.01}, "ROC AUC may fall by 0.01"),
        ({"max_drop": "5%"}, "ROC AUC may fall by 5%"),
        ({"min": 0.9, "confident": True}, "ROC AUC must be at least 0.9, with confidence"),
        ({"min_gain": 0.02}, "ROC AUC must rise by 0.02"),
        ({"max_drop": 0}, "ROC AUC may not fall"),
        ({"max_drop": 1, "slices": "contract"}, "ROC AUC where contract = Month-to-month may fall by 1"),
    ],
)
def test_a_rule_reads_as_a_sentence(keys: dict[str, object], sentence: str) -> None:
    rule, *_ = expand_gates([gate(metric="roc_auc", **keys)], SLICES)

    assert describe_rule(rule, "ROC AUC", Direction.HIGHER) == sentence


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [({"max_increase": "0%"}, "log loss may not rise"), ({"min_gain": 0.02}, "log loss must fall by 0.02")],
)
def test_a_rule_on_a_loss_asks_for_less_of_it(keys: dict[str, object], sentence: str) -> None:
    (rule,) = expand_gates([gate(metric="log_loss", **keys)], SLICES)

    assert describe_rule(rule, "log loss", Direction.LOWER) == sentence
