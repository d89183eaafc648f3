"""The headline is the verdict; it never contradicts the table below it."""

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import GateRow, Slice
from metricgate.report.headline import headline
from metricgate.report.sections.gate_table import draw_gates
from metricgate.report.value import Acceptance
from tests.report.reports import (
    make_doubtful_gate,
    make_doubtful_report,
    make_error_report,
    make_gate,
    make_passed_gate,
    make_passed_report,
    make_report,
    make_unchanged_report,
)

LOWER: dict[str, Any] = {
    "metric": "log_loss",
    "kind": "max_increase",
    "direction": Direction.LOWER,
    "bound": 0.02,
    "baseline": 0.41,
    "candidate": 0.46,
    "difference": 0.05,
    "low": 0.03,
    "high": 0.07,
}


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (make_gate(), "ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed"),
        (make_gate(**LOWER), "log loss is 0.050 higher (0.030 to 0.070); 0.020 is allowed"),
        (make_gate(high=0.002), "ROC AUC is 0.021 lower (−0.030 to +0.002); 0.010 is allowed"),
        (make_gate(anchor=True), "ROC AUC is 0.021 lower than the anchor (0.012 to 0.030); 0.010 is allowed"),
        (make_gate(slice=Slice(column="contract", value="One year")), "ROC AUC for contract = One year is 0.021 lower"),
        (make_gate(kind="min_gain"), "ROC AUC is 0.021 lower (0.012 to 0.030); it must rise by 0.010"),
        (make_passed_gate(outcome=Outcome.FAILED, candidate=0.771), "accuracy is 0.771; at least 0.780 is required"),
        (make_gate(metric="sum(cost)/sum(orders)"), "sum(cost)/sum(orders) is 0.021 lower"),
        (
            make_gate(low=None, high=None, metric="metrics.json:auc", source="metrics.json"),
            "metrics.json:auc is 0.0211 lower; 0.0100",
        ),
    ],
)
def test_a_blocked_headline_names_the_loss_and_what_is_allowed(gate: GateRow, expected: str) -> None:
    assert headline(make_report(gates=(gate,))).startswith(f"Blocked: {expected}")


def test_the_worst_gate_is_the_headline_and_the_others_are_counted() -> None:
    mild = make_gate(metric="f1", difference=-0.011, low=-0.02, high=-0.001)

    assert headline(make_report(gates=(mild, make_gate()))).endswith("0.010 is allowed, and 1 more gate failed")


def test_a_gate_over_all_rows_comes_before_a_slice() -> None:
    slice_ = make_gate(slice=Slice(column="a", value="b"), difference=-0.5, low=-0.6, high=-0.4)

    assert headline(make_report(gates=(slice_, make_gate()))).startswith("Blocked: ROC AUC is 0.021 lower")


def test_doubt_says_whether_merging_is_allowed() -> None:
    assert "merging is allowed" in headline(make_doubtful_report())
    assert "merging is blocked" in headline(make_doubtful_report(exit_code=6))


def test_an_unshown_gain_is_not_a_possible_loss() -> None:
    gate = make_doubtful_gate(kind="min_gain", low=0.002, high=0.05, difference=0.026)

    assert headline(make_doubtful_report(gates=(gate,))).startswith("Undecided: a gain of 0.030 in F1 is not shown")


def test_guardrails_alone_are_not_said_to_show_that_nothing_was_lost() -> None:
    gate = make_gate(role=Role.GUARDRAIL, outcome=Outcome.PASSED)

    text = headline(make_passed_report(gates=(gate,)))

    assert text == "No loss beyond what is allowed was shown (1 guardrail)"


def test_a_changed_number_beside_identical_predictions_is_a_change() -> None:
    report = make_unchanged_report(metrics=(make_passed_report().metrics[0],))

    assert headline(report) == "No loss beyond what is allowed (1 gate)"


def test_an_accepted_loss_names_who_accepted_it_and_still_says_the_loss() -> None:
    report = make_report(verdict=Verdict.PASSED, exit_code=0, accepted=Acceptance(by="ada", reason="fixes a leak"))

    assert headline(report) == ("Accepted by ada: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed")


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.SKIPPED, "Nothing was compared: no baseline yet"),
        (Verdict.CANCELLED, "Cancelled: no baseline yet"),
    ],
)
def test_a_run_without_judgement_says_why(verdict: Verdict, expected: str) -> None:
    assert headline(make_error_report(verdict=verdict, reason="No baseline yet.", failure=None)) == expected


def test_a_gate_that_lost_its_metric_is_named() -> None:
    gate = make_gate(
        outcome=Outcome.ERROR,
        reason="The candidate has no scores.",
        difference=None,
        candidate=None,
        low=None,
        high=None,
    )

    text = headline(make_report(verdict=Verdict.ERROR, gates=(gate,)))

    assert text == "Could not judge: ROC AUC: the candidate has no scores"


@pytest.mark.parametrize("name", ["MetricGate", "Git", "Python"])
def test_a_name_keeps_its_capital_after_the_colon(name: str) -> None:
    reason = f"{name} itself failed. The rest was not run."

    text = headline(make_error_report(verdict=Verdict.CANCELLED, reason=reason, failure=None))

    assert text == f"Cancelled: {name} itself failed. The rest was not run"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_headline_promises_safety_and_none_is_empty(verdict: Verdict) -> None:
    report = make_report(verdict=verdict, gates=(), reason="")

    assert not re.search("safe", headline(report), re.IGNORECASE)
    assert headline(report).strip(": ")


numbers = st.floats(-0.2, 0.2)


@settings(max_examples=200, deadline=None)
@given(numbers, st.floats(1e-5, 0.1), st.sampled_from([0.01, 0.005, 0.02, 0.0125]))
@example(0.0, 0.0099, 0.01)
@example(0.0, 0.0101, 0.01)
@example(-0.0104, 0.03, 0.01)
def test_a_shown_bound_never_looks_like_the_margin_it_misses(difference: float, width: float, bound: float) -> None:
    """Rounded alike, "-0.010 … " would pass or fail a rule of 0.010 before the reader's eyes, against the verdict."""
    gate = make_gate(difference=difference, low=difference - width, high=difference + width, bound=bound)

    row = draw_gates([gate], 0.95).splitlines()[-1]

    shown = [float(text.replace("−", "-")) for text in re.findall(r"[−+]?\d+\.\d+", row)][1:4]
    for value, exact in zip(shown, (difference, difference - width, difference + width), strict=True):
        if abs(exact + bound) > 1e-6:
            assert (value > -bound) == (exact > -bound)
            assert (value < -bound) == (exact < -bound)
