"""Calibration of drift: false alarms of whole runs, misses at the margin, and power, as tables.

A run is a table of features. Features are independent, so the rate of a run follows from many features measured once;
each has bounds for as many effects as its run would have.
"""

import json
from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from metricgate.models.column_counts import CategoryCounts
from metricgate.models.samples import FloatArray
from metricgate.settings.monitor import DEFAULT_MARGINS
from metricgate.stats.drift.category_shift import measure_moved_categories, measure_new_values
from metricgate.stats.drift.effect import Effect
from metricgate.stats.drift.number_shift import measure_numbers
from metricgate.stats.drift.share_shift import measure_share
from tests.stats.calibration.table import DRIFT

pytestmark = pytest.mark.calibration
Record = Callable[[str, object], None]
TAIL = 0.025
ALARMS = ("Rows of each side", "Feature on which nothing happened", "Alarms with the bounds of 5 / 50 / 500 features")
AT_MARGIN = ("A true shift of the margin", "Rows", "Called drifted", "Called stable")
POWER = ("Shift", "Rows", "Found among 5 / 50 / 500 features")
EFFECTS = 3  # of each feature: missing values and two others
MARGINS = {
    "ks": DEFAULT_MARGINS.moved,
    "w1": DEFAULT_MARGINS.distance,
    "tv": DEFAULT_MARGINS.moved,
    "new": DEFAULT_MARGINS.new,
    "missing": DEFAULT_MARGINS.missing,
}
Draw = Callable[[np.random.Generator, int], FloatArray]
NUMBERS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "log-normal": lambda rng, n: rng.lognormal(size=n),
    "t(2.5)": lambda rng, n: rng.standard_t(2.5, n),
    "Pareto(1.5)": lambda rng, n: rng.pareto(1.5, n),
    "ties: Poisson(1)": lambda rng, n: rng.poisson(1, n).astype(float),
    "98 % zeros": lambda rng, n: np.where(rng.random(n) < 0.98, 0.0, rng.exponential(size=n)),
}
CATEGORIES = (3, 20, 500, 20_000)
SIZES = {1_000: 400, 10_000: 150, 100_000: 20, 1_000_000: 2}  # rows of each side: pairs


def measure_columns(rng: np.random.Generator, reference: FloatArray, current: FloatArray) -> dict[str, Effect]:
    found = measure_numbers(np.sort(reference), np.sort(current))
    missing = tuple(int(rng.binomial(len(side), 0.03)) for side in (reference, current))
    sizes = (len(reference), len(current))
    effects = {"ks": found.moved, "missing": measure_share((missing[0], missing[1]), sizes)}
    return effects | ({"w1": found.distance} if found.distance else {})


def draw_categories(rng: np.random.Generator, kinds: int, rows: int) -> CategoryCounts:
    """Return counts of two samples of one Zipf distribution."""
    weights = 1 / np.arange(1, kinds + 1)
    sides = [rng.multinomial(rows, weights / weights.sum()) for _ in range(2)]
    return CategoryCounts(reference=sides[0], current=sides[1], categories=np.ones(kinds, dtype=np.int64))


def measure_categories(counts: CategoryCounts) -> dict[str, Effect]:
    return {"tv": measure_moved_categories(counts), "new": measure_new_values(counts)}


def add_row(record: Record, header: tuple[str, ...], *cells: object) -> None:
    record(DRIFT, json.dumps([{"header": header, "cells": [str(cell) for cell in cells]}]))


def is_alarm(effects: dict[str, Effect], features: int) -> bool:
    tail = TAIL / (EFFECTS * features)
    return any(effect.interval.bounds(tail)[0] > MARGINS[name] for name, effect in effects.items())


def test_runs_on_which_nothing_happened_raise_no_alarm(record_property: Record) -> None:
    """Record the false alarms of single features with the bounds of runs of 5, 50 and 500; none is the promise."""
    rng = np.random.default_rng(20_261_126)
    total = 0
    for rows, pairs in SIZES.items():
        for name, draw in NUMBERS.items():
            found = [measure_columns(rng, draw(rng, rows), draw(rng, rows)) for _ in range(pairs)]
            total += _record_alarms(record_property, rows, name, found)
        for kinds in CATEGORIES:
            found = [measure_categories(draw_categories(rng, kinds, rows)) for _ in range(pairs)]
            total += _record_alarms(record_property, rows, f"{kinds:,} Zipf categories", found)
    assert total == 0


def _record_alarms(record: Record, rows: int, name: str, found: list[dict[str, Effect]]) -> int:
    alarms = [sum(is_alarm(effects, features) for effects in found) for features in (5, 50, 500)]
    add_row(record, ALARMS, f"{rows:,}", name, f"{' / '.join(map(str, alarms))} of {len(found)}")
    return sum(alarms)


@pytest.mark.parametrize("rows", [1_000, 10_000])
def test_harmless_wobble_raises_no_alarm(rows: int, record_property: Record) -> None:
    """Twelve months of 50 features whose means move by N(0, 0.03 sd) each month."""
    rng = np.random.default_rng(rows)
    reference = [np.sort(rng.normal(size=rows)) for _ in range(50)]
    alarms = 0
    for _ in range(12):
        months = (np.sort(rng.normal(rng.normal(0, 0.03), 1, rows)) for _ in range(50))
        found = (measure_numbers(one, month) for one, month in zip(reference, months, strict=True))
        alarms += any(
            is_alarm({"ks": one.moved, **({"w1": one.distance} if one.distance else {})}, 50) for one in found
        )

    add_row(
        record_property,
        ALARMS,
        f"{rows:,}",
        "50 whose means wobble by 0.03 sd, twelve months",
        f"{alarms} of 12 months",
    )
    assert alarms == 0


def _jump(rng: np.random.Generator, rows: int) -> FloatArray:
    values = rng.random(rows)
    return np.where(values < MARGINS["ks"], values + 1, values)


def at_margin(kind: str) -> tuple[Draw, Draw, str, float]:
    """Return how to draw both sides so that the true effect is exactly the margin, with its name."""
    from scipy.stats import norm  # noqa: PLC0415

    normal = NUMBERS["normal"]
    if kind == "mean, KS":  # the largest difference of two normal distributions is 2 Phi(d / 2) - 1
        shift = 2 * float(norm.ppf(0.5 + MARGINS["ks"] / 2))
        return normal, lambda rng, n: rng.normal(shift, 1, n), "ks", MARGINS["ks"]
    if kind == "rows that jump, KS":  # from the lowest values to above all: the same difference below almost any value
        return lambda rng, n: rng.random(n), _jump, "ks", MARGINS["ks"]
    if kind == "mean, W1":
        return normal, lambda rng, n: rng.normal(MARGINS["w1"], 1, n), "w1", MARGINS["w1"]
    spread = sqrt(np.exp(1.0) * (np.exp(1.0) - 1))
    return (
        NUMBERS["log-normal"],
        lambda rng, n: rng.lognormal(size=n) + MARGINS["w1"] * spread,
        "w1",
        MARGINS["w1"],
    )


@pytest.mark.parametrize("kind", ["mean, KS", "rows that jump, KS", "mean, W1", "log-normal, W1"])
def test_shift_of_the_margin_is_rarely_called_either(kind: str, record_property: Record) -> None:
    """Record how often a true shift of the margin is called drifted, and stable; nominal 2.5 % each."""
    before, after, name, margin = at_margin(kind)
    rng = np.random.default_rng(len(kind))
    for rows, pairs in ((1_000, 1000), (10_000, 400)):
        ends = []
        for _ in range(pairs):
            effect = measure_columns(rng, before(rng, rows), after(rng, rows))[name]
            ends.append(effect.interval.bounds(TAIL))
        low = sum(end[0] > margin for end in ends) / pairs
        high = sum(end[1] <= margin for end in ends) / pairs
        add_row(record_property, AT_MARGIN, kind, f"{rows:,}", f"{low:.1%}", f"{high:.1%}")
        assert low <= 0.035
        assert high <= (0.065 if rows == 1_000 else 0.04)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("mean +0.3 sd", lambda rng, n: rng.normal(0.3, 1, n)),
        ("sd x 1.5", lambda rng, n: rng.normal(0, 1.5, n)),
        ("10 % a far default value", lambda rng, n: np.where(rng.random(n) < 0.1, -10.0, rng.normal(size=n))),
    ],
)
def test_shift_among_500_features_is_found_at_10_000_rows(name: str, draw: Draw, record_property: Record) -> None:
    """Record the power with the bounds of 5, 50 and 500 features."""
    rng = np.random.default_rng(len(name))
    normal = NUMBERS["normal"]
    for rows, pairs in ((1_000, 200), (3_000, 200), (10_000, 100)):
        found = [measure_columns(rng, normal(rng, rows), draw(rng, rows)) for _ in range(pairs)]
        shares = [sum(is_alarm(effects, features) for effects in found) / pairs for features in (5, 50, 500)]
        add_row(record_property, POWER, name, f"{rows:,}", " / ".join(f"{share:.0%}" for share in shares))
    assert shares == [1.0, 1.0, 1.0]


def test_new_category_of_2_percent_is_found_at_10_000_rows(record_property: Record) -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(100):
        reference, current = (
            rng.multinomial(10_000, [0.5, 0.3, 0.2, 0]),
            rng.multinomial(10_000, [0.49, 0.29, 0.2, 0.02]),
        )
        counts = CategoryCounts(reference=reference, current=current, categories=np.ones(4, dtype=np.int64))
        found += is_alarm(measure_categories(counts), 500)

    add_row(record_property, POWER, "a new category with 2 % of rows", "10,000", f"– / – / {found}%")
    assert found >= 95


def test_two_hundredths_of_a_standard_deviation_are_stable_at_a_million_rows() -> None:
    rng = np.random.default_rng(4)
    found = measure_numbers(np.sort(rng.normal(size=1_000_000)), np.sort(rng.normal(0.02, 1, 1_000_000)))

    assert found.moved.interval.bounds(TAIL / 1500)[1] <= MARGINS["ks"]
    assert found.distance is not None
    assert found.distance.interval.bounds(TAIL / 1500)[1] <= MARGINS["w1"]
