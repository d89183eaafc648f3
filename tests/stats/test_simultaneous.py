"""Bounds that hold for a family of gates at once."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from metricgate.models.samples import FloatArray, IntArray, SamplePair
from metricgate.stats.contrast import Contrast, contrast
from metricgate.stats.registry import find_metric
from metricgate.stats.simultaneous import ContrastRows, family_bounds
from tests.stats.simulation import simulate_binary

ACCURACY = find_metric("accuracy", task="binary")


def _make_slices(count: int, *, loss: float = 0.0) -> tuple[list[Contrast], list[np.ndarray], int]:
    pair = simulate_binary(np.random.default_rng(5), 400 * count, loss=loss)
    rows = np.array_split(np.arange(pair.rows), count)
    return [contrast(pair.take(own), ACCURACY, part=True) for own in rows], list(rows), pair.rows


def _place(rows: Sequence[IntArray | None], total: int, group: IntArray | None = None) -> list[ContrastRows]:
    return [ContrastRows(total=total, own=own, group=group) for own in rows]


def _take(values: FloatArray, rows: IntArray) -> FloatArray:
    return values[rows]


def test_one_contrast_keeps_the_whole_error() -> None:
    items, rows, total = _make_slices(1)

    (bound,) = family_bounds(items, _place(rows, total), margins=[0.0])

    assert bound.tail == 0.025
    assert (bound.low, bound.high) == items[0].interval(0.025)


def test_disjoint_slices_share_the_error_as_independent_tests_do() -> None:
    """1 - (1 - 0.025)^(1/20) = 0.00127, within the noise of the draws."""
    items, rows, total = _make_slices(20)

    bounds = family_bounds(items, _place(rows, total), margins=[1.0] * 20)

    assert {bound.tail for bound in bounds} == {bounds[0].tail}
    assert bounds[0].tail == pytest.approx(1 - 0.975 ** (1 / 20), rel=0.12)


def test_equal_contrasts_share_nothing() -> None:
    items, rows, total = _make_slices(1)

    bounds = family_bounds(items * 5, _place(rows * 5, total), margins=[0.0] * 5)

    assert bounds[0].tail == pytest.approx(0.025, rel=0.12)


def test_a_gate_shown_beyond_its_margin_leaves_the_family() -> None:
    """The others then need less: the second of two independent contrasts gets the whole error."""
    good, good_rows, total = _make_slices(2)
    bad, _, _ = _make_slices(2, loss=1.2)
    items = [bad[0], good[1]]

    stepped = family_bounds(items, _place(good_rows, total), margins=[0.0, 0.0])
    kept = family_bounds(items, _place(good_rows, total), margins=[np.inf, np.inf])

    assert stepped[0].high < 0
    assert stepped[0].tail == kept[0].tail == pytest.approx(0.0126, rel=0.12)
    assert stepped[1].tail == 0.025
    assert kept[1].tail == kept[0].tail


def test_harm_follows_the_direction_of_the_metric() -> None:
    pair = simulate_binary(np.random.default_rng(5), 2000, loss=0.8)
    worse = contrast(pair, find_metric("log_loss", task="binary"))
    better = contrast(
        SamplePair(baseline=pair.candidate, candidate=pair.baseline), find_metric("log_loss", task="binary")
    )

    for item, tails in ((worse, 0.025), (better, pytest.approx(0.0126, rel=0.12))):
        other = _make_slices(1)[0][0]
        bounds = family_bounds([item, other], _place([None, np.arange(400)], 2000), margins=[0.0, 0.0])
        assert bounds[1].tail == tails


def test_contrasts_of_the_same_groups_correlate_through_them() -> None:
    """Slices whose rows lie in different rows of the same customers share their luck."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(50), 2)
    shared = np.repeat(rng.standard_normal(50), 2)
    rows = [np.arange(0, 100, 2), np.arange(1, 100, 2)]
    item = _make_slices(1)[0][0]
    items = [replace(item, find_influence=partial(_take, shared, own)) for own in rows]

    alone = family_bounds(items, _place(rows, 100), margins=[1.0, 1.0])
    together = family_bounds(items, _place(rows, 100, group), margins=[1.0, 1.0])

    assert alone[0].tail == pytest.approx(0.0126, rel=0.12)
    assert together[0].tail == pytest.approx(0.025, rel=0.12)


def test_prediction_sets_of_different_sizes_count_as_independent() -> None:
    item, _, total = _make_slices(1)
    other, _, more = _make_slices(2)
    places = [ContrastRows(set="golden", total=total), ContrastRows(set="last_month", total=more // 2)]

    bounds = family_bounds([item[0], other[0]], places, margins=[1.0, 1.0])

    assert bounds[0].tail == pytest.approx(0.0126, rel=0.12)
