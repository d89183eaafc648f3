"""Metrics files: what is not a number keeps its name and a reason, and no value wins over another in silence."""

from pathlib import Path

import pytest

from metricgate.execution.metrics_file import read_metrics
from metricgate.models.snapshot import Unreadable


def test_true_and_false_are_not_numbers(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"acc": true, "nested": {"done": false}, "auc": 1}', encoding="utf-8")

    found = read_metrics(path, "metrics.json")

    assert not isinstance(found, Unreadable)
    assert {metric.key: (metric.value, metric.problem) for metric in found} == {
        "acc": (None, "is true, not a number"),
        "auc": (1.0, ""),
        "nested.done": (None, "is false, not a number"),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"acc": 0.5, "acc": 0.9}'),
        ("m.json", '{"a": {"acc": 0.5, "auc": 1, "acc": 0.9}}'),
        ("m.yaml", "acc: 0.5\nauc: 1\nacc: 0.9\n"),
    ],
)
def test_a_key_that_occurs_twice_is_named_and_neither_value_is_used(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    found = read_metrics(tmp_path / name, name)

    assert isinstance(found, Unreadable)
    assert found.what == name
    assert found.reason.endswith("the key 'acc' occurs twice")


def test_toml_has_its_own_words_for_a_double_key(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("acc = 0.5\nacc = 0.9\n", encoding="utf-8")

    found = read_metrics(tmp_path / "m.toml", "m.toml")

    assert isinstance(found, Unreadable)
    assert "Cannot overwrite a value (at line 2" in found.reason
