"""Numbers of metrics files: which become gates, and in which direction."""

import pytest

from metricgate.models.outcome import Direction
from metricgate.models.snapshot import FileMetric
from metricgate.starter.number_gates import find_direction, suggest_gates

HIGHER, LOWER = Direction.HIGHER, Direction.LOWER


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        ("accuracy", HIGHER),
        ("avg_prec.test", HIGHER),
        ("avg_prec.train", None),
        ("roc_auc.test", HIGHER),
        ("train/loss", None),
        ("val/loss", LOWER),
        ("eval.f1-score", HIGHER),
        ("weighted avg.precision", HIGHER),
        ("test_rmse", LOWER),
        ("R2", HIGHER),
        ("train_seconds", None),
        ("latency.accuracy_ms", None),
        ("step", None),
        ("rows", None),
        ("dice.val", HIGHER),
    ],
)
def test_the_parts_of_a_key_say_which_way_is_better(key: str, direction: Direction | None) -> None:
    assert find_direction(key) == direction


def test_a_percentage_is_only_asked_of_numbers_above_zero() -> None:
    found = {key: FileMetric(file="m.json", key=key, value=value) for key, value in {"r2": -0.4, "mae": 3.0}.items()}

    gates, others = suggest_gates({"m.json": tuple(found.values())})

    assert gates == [("m.json:r2", "max_drop: 0.02"), ("m.json:mae", "max_increase: 5%")]
    assert others == []
