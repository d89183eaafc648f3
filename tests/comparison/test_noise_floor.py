"""The noise floor by hand, and the margins that lie below it."""

import pytest

from metricgate.comparison.noise_floor import measure_floors, show_noise, warn_of_noise
from metricgate.models.noise import NoiseFloor, NoiseResult
from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.models.result import GateKind, GateRow, MetricRow, Slice


def make_row(value: float | None, name: str = "accuracy", slice_: Slice | None = None) -> MetricRow:
    return MetricRow(name=name, candidate=value, slice=slice_)


def make_gate(bound: float, kind: GateKind = "max_drop", slice_: Slice | None = None) -> GateRow:
    return GateRow(
        rule="accuracy",
        metric="accuracy",
        role=Role.REQUIRED,
        kind=kind,
        slice=slice_,
        direction=Direction.HIGHER,
        bound=bound,
        outcome=Outcome.PASSED,
        reason="",
        reason_code="within_margin",
    )


def make_noise(floor: float) -> NoiseResult:
    floors = (NoiseFloor(metric="accuracy", sd=floor / 4, floor=floor),)
    return NoiseResult(
        revision="a" * 40, at="2026-11-26T00:00", seed="train.seed", runs=5, pairs=20, blocked=10, floors=floors
    )


def test_three_seeds_by_hand() -> None:
    # sd of 0.80, 0.81, 0.82 is 0.01; t(0.975, 2) = 4.302653 (tables); 4.302653 · √2 · 0.01 = 0.060848.
    [floor] = measure_floors([[make_row(value)] for value in (0.80, 0.81, 0.82)])

    assert floor.sd == pytest.approx(0.01)
    assert floor.floor == pytest.approx(0.060848, abs=1e-6)


def test_only_values_on_all_rows_that_every_seed_has_count() -> None:
    region = Slice(column="region", value="north")
    seeds = [
        [make_row(value), make_row(value, slice_=region), make_row(None if value < 0.81 else value, "f1")]
        for value in (0.8, 0.81, 0.82)
    ]

    assert [floor.metric for floor in measure_floors(seeds)] == ["accuracy"]


@pytest.mark.parametrize(("bound", "is_warned"), [(0.011, True), (0.012, False), (0.02, False)])
def test_a_margin_below_the_floor_is_warned_of(bound: float, is_warned: bool) -> None:  # noqa: FBT001
    noise = make_noise(0.012)

    shown = show_noise([make_gate(bound)], noise)
    warnings = warn_of_noise(shown, noise)

    assert shown[0].noise == 0.012
    assert bool(warnings) is is_warned
    if is_warned:
        assert "10 of 20 pairs of equal recipes were blocked" in warnings[0].text


def test_bars_and_slices_have_no_floor_and_nothing_is_said_without_a_measurement() -> None:
    gates = [make_gate(0.001, "min"), make_gate(0.001, slice_=Slice(column="a", value="b"))]
    noise = make_noise(0.012)

    assert [gate.noise for gate in show_noise(gates, noise)] == [None, None]
    assert warn_of_noise(show_noise(gates, noise), noise) == ()
    assert show_noise([make_gate(0.001)], None)[0].noise is None
