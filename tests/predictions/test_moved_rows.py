"""Rows that became training data are left out only where they look drawn, and not chosen."""

from dataclasses import replace

import numpy as np
import pytest

from metricgate.models.samples import Sample
from metricgate.predictions.moved_rows import find_choice
from tests.stats.simulation import regression_sample, simulate_binary

RNG = np.random.default_rng(1)
BINARY = simulate_binary(RNG, 1000).baseline
WRONG = np.asarray(BINARY.prediction) != np.asarray(BINARY.label)
NUMBERS = regression_sample(RNG.normal(size=1000), np.zeros(1000))
SCORES = Sample(task="score", rows=1000, columns={"grade": RNG.random(1000)})


@pytest.mark.parametrize("sample", [BINARY, NUMBERS, SCORES, replace(BINARY, scores=None)])
def test_rows_drawn_by_lot_may_be_left_out(sample: Sample) -> None:
    assert find_choice(sample, np.random.default_rng(2).random(1000) < 0.5) == ""


def test_few_rows_may_not() -> None:
    moved = np.zeros(1000, dtype=np.bool_)
    moved[:99] = True

    assert "fewer than 10%" in find_choice(BINARY, moved)


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_rows_with_many_wrong_answers_may_not(share: float) -> None:
    """Seven of ten wrong rows, and enough right ones."""
    moved = (WRONG & (RNG.random(1000) < 0.7)) | (RNG.random(1000) < 0.1 * share)

    assert "not like its answers on the others" in find_choice(BINARY, moved)


def test_all_rows_may_not() -> None:
    assert find_choice(BINARY, np.ones(1000, dtype=np.bool_)) == "no row is left to compare them with"


def test_the_largest_errors_may_not() -> None:
    moved = np.abs(np.asarray(NUMBERS.label)) > 1.5

    assert "not like" in find_choice(NUMBERS, moved)
