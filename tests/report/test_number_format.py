"""Numbers are rounded to what their interval supports."""

import pytest

from metricgate.report.number_format import (
    decimals_for,
    format_about,
    format_bound,
    format_count,
    format_interval,
    format_number,
    format_seconds,
    plural,
)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.030, -0.012, 3),  # half width 0.009
        (-0.041, 0.017, 3),  # 0.029: two digits
        (-0.05, 0.02, 2),  # 0.035
        (-1200.0, 3400.0, 0),
        (-0.0000041, 0.0000043, 6),
        (0.0, 0.0, 4),  # no width: four digits of the values
    ],
)
def test_an_estimate_has_the_decimals_that_its_half_width_supports(low: float, high: float, expected: int) -> None:
    assert decimals_for(low, high, 0.84) == expected


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (-0.0214, 3, "−0.021"),
        (1234.5, 1, "1,234.5"),
        (0.0, 3, "0.000"),
        (-0.0004, 3, "0.000"),
        (1e-9, 3, "0.000"),
        (1.234e-9, 12, "1.23e-09"),
        (-2.5e12, 0, "−2.50e+12"),
        (None, 3, "–"),
    ],
)
def test_a_number_has_a_true_minus_sign_and_no_negative_zero(value: float | None, decimals: int, expected: str) -> None:
    assert format_number(value, decimals) == expected


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        (0.8421, 0.8309, 4),
        (0.842130, 0.842141, 6),
        (1234.0, 1250.0, 0),
        (1e-9, 2e-9, 12),
        (0.0, 0.0, 3),
        (5.0, 5.0 + 1e-15, 7),
    ],
)
def test_without_an_interval_the_digits_in_which_two_numbers_differ_are_seen(
    baseline: float, candidate: float, expected: int
) -> None:
    assert decimals_for(None, None, baseline, candidate) == expected


def test_a_change_has_its_sign() -> None:
    assert format_number(0.0214, 3, signed=True) == "+0.021"
    assert format_interval(-0.0301, 0.0121, 3, signed=True) == "−0.030 … +0.012"
    assert format_number(0.0, 3, signed=True) == "0.000"


def test_an_interval_may_be_open_on_one_side() -> None:
    assert format_interval(-0.03, None, 2) == "≥ −0.03"
    assert format_interval(None, 0.02, 2, signed=True) == "≤ +0.02"
    assert format_interval(None, None, 2) == ""


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(0.01, 3, "0.010"), (0.0125, 3, "0.0125"), (5.0, 0, "5"), (0.0422634912, 3, "0.042")],
)
def test_a_number_of_the_policy_is_never_rounded(value: float, decimals: int, expected: str) -> None:
    assert format_bound(value, decimals) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(7, "7"), (94, "94"), (1504, "1,500"), (3541, "3,500"), (99_950, "100,000")]
)
def test_an_estimated_count_has_two_digits(count: int, expected: str) -> None:
    assert format_about(count) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "under 1 s"), (41.3, "41 s"), (185.0, "3 min 05 s"), (7830.0, "2 h 10 min")],
)
def test_a_duration_is_short(seconds: float, expected: str) -> None:
    assert format_seconds(seconds) == expected


def test_a_noun_follows_its_count() -> None:
    assert (plural(1, "gate"), plural(1200, "gate"), format_count(1200)) == ("1 gate", "1,200 gates", "1,200")
