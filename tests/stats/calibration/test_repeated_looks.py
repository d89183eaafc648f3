"""Many attempts on one test set: how often one of them passes that loses exactly what is allowed, beside what is shown."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from metricgate.models.samples import SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.registry import find_metric
from tests.stats.calibration.table import LOOKS
from tests.stats.simulation import binary_sample

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
TEST_SETS, ROWS, MARGIN, TAIL = 600, 5000, 0.01, 0.025
ATTEMPTS = (1, 5, 10, 50)
ACCURACY = find_metric("accuracy", task="binary")


def count_until_passed(rng: np.random.Generator) -> int:
    """Return which of fifty attempts passes first, 51 for none; each truly loses the margin, on rows of its own."""
    label = (rng.random(ROWS) < 0.5).astype(np.int8)
    right = rng.random(ROWS) < 0.9
    baseline = binary_sample(label, np.where(right, label, 1.0 - label))
    for attempt in range(1, max(ATTEMPTS) + 1):
        draw = rng.random(ROWS)
        after = np.where(right, draw >= 0.035 / 0.9, draw < 0.025 / 0.1)
        pair = SamplePair(baseline=baseline, candidate=binary_sample(label, np.where(after, label, 1.0 - label)))
        if contrast(pair, ACCURACY).interval(TAIL)[0] >= -MARGIN:
            return attempt
    return max(ATTEMPTS) + 1


def test_the_bound_shown_for_repeated_looks_is_never_below_what_they_do(record_property: Record) -> None:
    """At the margin, the more attempts, the surer that one passes; the report says at most how often."""
    rng = np.random.default_rng(1)
    first = np.array([count_until_passed(rng) for _ in range(TEST_SETS)])
    rows = [
        {"attempts": many, "passed": float(np.mean(first <= many)), "shown": 1 - (1 - TAIL) ** many}
        for many in ATTEMPTS
    ]
    record_property(LOOKS, json.dumps(rows))

    for row in rows:
        error = 3 * np.sqrt(row["shown"] * (1 - row["shown"]) / TEST_SETS)
        assert row["passed"] <= row["shown"] + error, rows
    assert rows[-1]["passed"] > 10 * rows[0]["passed"], "many looks wear a test set out"
