"""Which trainings are a help, and what a report says of one that is not."""

from typing import Any

import pytest

from metricgate.models.outcome import Verdict
from metricgate.models.result import Pairing
from metricgate.models.retraining import ReasonKind, Retraining, RetrainReason
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.retraining.usefulness import explain_no_help, has_helped, list_gates
from metricgate.settings.policy_file import read_policy

POLICY = read_policy(
    "predictions: {path: p.csv, label: y, score: s}\ngates: [{metric: accuracy, max_drop: 0.03}]\n"
    "retrain: {min_gain: {accuracy: 0.01}}\n",
    origin="metricgate.yaml",
)


def make_plan(kind: ReasonKind) -> Retraining:
    return Retraining(reasons=(RetrainReason(kind=kind, text="so"),), helped=False)


def make_report(verdict: Verdict, *, exit_code: int = 0, identical: bool = False, **changes: Any) -> Report:
    pairing = Pairing(
        path="p.csv", task="binary", method="id", rows=9, baseline_rows=9, candidate_rows=9, identical=identical
    )
    return Report(metricgate="1", verdict=verdict, reason="so", exit_code=exit_code, pairings=(pairing,), **changes)


@pytest.mark.parametrize(
    ("kind", "verdict", "identical", "helps"),
    [
        ("new_data", Verdict.PASSED, False, True),
        ("new_data", Verdict.PASSED, True, True),
        ("new_data", Verdict.INCONCLUSIVE, False, True),
        ("new_data", Verdict.FAILED, False, False),
        ("performance", Verdict.PASSED, False, True),
        ("performance", Verdict.PASSED, True, False),
        ("performance", Verdict.INCONCLUSIVE, False, False),
        ("age", Verdict.ERROR, False, False),
        ("age", Verdict.SKIPPED, False, False),
    ],
)
def test_it_helps_as_a_persons_change_would_pass_and_lost_performance_asks_for_more(
    kind: ReasonKind,
    verdict: Verdict,
    identical: bool,  # noqa: FBT001
    helps: bool,  # noqa: FBT001
) -> None:
    assert has_helped(make_report(verdict, identical=identical), make_plan(kind)) is helps


def test_a_verdict_that_blocks_by_the_policy_is_no_help() -> None:
    assert not has_helped(make_report(Verdict.INCONCLUSIVE, exit_code=6), make_plan("new_data"))


@pytest.mark.parametrize(("kind", "count"), [("new_data", 1), ("performance", 2)])
def test_a_gain_is_asked_for_where_performance_is_the_reason(kind: ReasonKind, count: int) -> None:
    assert POLICY.retrain
    gates = list_gates(POLICY, POLICY.retrain, make_plan(kind))

    assert len(gates) == count
    assert (str(gates[-1].min_gain) == "0.01") is (kind == "performance")


@pytest.mark.parametrize(
    ("changes", "identical", "words"),
    [
        ({"has_changed": False}, False, "the training changed no file of the project"),
        ({"has_changed": True}, True, "the retrained model gives the same answers as the released one"),
        ({"has_changed": True}, False, "the gain that lost performance asks for is not shown"),
    ],
)
def test_a_training_that_is_no_help_fails_and_says_why(
    changes: dict[str, bool],
    identical: bool,  # noqa: FBT001
    words: str,
) -> None:
    report = make_report(Verdict.PASSED, identical=identical, retraining=make_plan("performance"))

    told = explain_no_help(report, **changes)

    assert (told.verdict, told.exit_code) == (Verdict.FAILED, 1)
    assert headline(told) == f"Retraining did not help: {words}"
    assert explain_no_help(report.model_copy(update={"enforced": False}), **changes).exit_code == 0
