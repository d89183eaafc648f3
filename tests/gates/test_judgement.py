"""The outcomes of one rule, on numbers alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metricgate.gates.judgement import Gain, judge_bar, judge_gain, judge_number_gain
from metricgate.models.outcome import Outcome, Role


def make_gain(estimate: float, low: float, high: float, high_difference: float | None = None) -> Gain:
    return Gain(
        estimate=estimate, low=low, high=high, high_difference=high if high_difference is None else high_difference
    )


@pytest.mark.parametrize(
    ("gain", "required", "guardrail", "code"),
    [
        (make_gain(-0.002, -0.006, 0.002), "passed", "passed", "within_margin"),
        (make_gain(-0.030, -0.040, -0.020), "failed", "failed", "beyond_margin"),
        (make_gain(-0.015, -0.028, -0.002), "failed", "failed", "worse_probably_beyond"),
        (make_gain(-0.008, -0.015, -0.001), "inconclusive", "passed", "cannot_tell"),
        (make_gain(-0.015, -0.035, 0.005), "inconclusive", "passed", "cannot_tell"),
        (make_gain(0.020, -0.020, 0.060), "inconclusive", "passed", "cannot_tell"),
        (make_gain(0.020, 0.010, 0.030), "passed", "passed", "within_margin"),
    ],
)
def test_a_relative_rule_has_the_outcome_of_the_verdict_table(
    gain: Gain, required: str, guardrail: str, code: str
) -> None:
    judged = judge_gain(gain, allowed_loss=0.01, role=Role.REQUIRED)

    assert (judged.outcome, judged.code) == (Outcome(required), code)
    assert judge_gain(gain, allowed_loss=0.01, role=Role.GUARDRAIL).outcome == Outcome(guardrail)


def test_equality_at_the_margin_passes_in_spite_of_rounding() -> None:
    loss = 0.79 - 0.80

    assert loss < -0.01
    assert judge_gain(make_gain(loss, loss, loss), allowed_loss=0.01, role=Role.REQUIRED).outcome is Outcome.PASSED
    assert judge_number_gain(loss, allowed_loss=0.01, scale=0.8).outcome is Outcome.PASSED
    assert judge_number_gain(loss - 1e-6, allowed_loss=0.01, scale=0.8).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(0.021, 0.06, "passed"), (0.010, 0.06, "inconclusive"), (-0.03, 0.015, "failed")]
)
def test_a_demanded_gain_must_be_shown(low: float, high: float, outcome: str) -> None:
    judged = judge_gain(make_gain((low + high) / 2, low, high), allowed_loss=-0.02, role=Role.REQUIRED)

    assert judged.outcome == Outcome(outcome)


def test_a_percentage_fails_by_the_plain_difference_only_where_the_estimate_is_beyond() -> None:
    certain_loss = make_gain(-0.06, -0.09, 0.01, high_difference=-0.01)

    assert judge_gain(certain_loss, allowed_loss=0.05, role=Role.REQUIRED).code == "worse_probably_beyond"
    assert judge_gain(certain_loss, allowed_loss=0.07, role=Role.REQUIRED).code == "cannot_tell"


@pytest.mark.parametrize(
    ("value", "bound", "sign", "outcome"),
    [
        (0.78, None, 1, "passed"),
        (0.7799, None, 1, "failed"),
        (0.80, 0.77, 1, "inconclusive"),
        (0.80, 0.78, 1, "passed"),
        (0.70, 0.68, 1, "failed"),
        (0.78, None, -1, "passed"),
        (0.79, None, -1, "failed"),
        (0.70, 0.79, -1, "inconclusive"),
    ],
)
def test_a_bar_is_judged_by_the_value_and_with_confidence_by_the_bound_too(
    value: float, bound: float | None, sign: int, outcome: str
) -> None:
    assert judge_bar(value, bound, bar=0.78, sign=sign).outcome == Outcome(outcome)


@given(
    estimate=st.floats(-1, 1),
    below=st.floats(0, 1),
    above=st.floats(0, 1),
    widening=st.floats(0, 1),
    margin=st.floats(0, 0.5),
)
def test_a_wider_decision_bound_never_turns_into_a_failure(
    estimate: float, below: float, above: float, widening: float, margin: float
) -> None:
    narrow = judge_gain(
        make_gain(estimate, estimate - below, estimate + above), allowed_loss=margin, role=Role.REQUIRED
    )
    wide = judge_gain(
        make_gain(estimate, estimate - below, estimate + above + widening), allowed_loss=margin, role=Role.REQUIRED
    )

    assert wide.outcome is not Outcome.FAILED or narrow.outcome is Outcome.FAILED
