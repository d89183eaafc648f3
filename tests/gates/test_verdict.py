"""From outcomes to verdict and exit code."""

from itertools import product

import pytest

from metricgate.gates.verdict import decide_verdict, exit_code_of
from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import GateRow


def make_gate(outcome: Outcome, *, source: str = "predictions", code: str = "any", beyond: bool = False) -> GateRow:
    return GateRow(
        beyond=beyond,
        rule="a rule",
        metric="accuracy",
        source=source,
        role=Role.REQUIRED,
        kind="max_drop",
        direction=Direction.HIGHER,
        bound=0.01,
        outcome=outcome,
        reason="a reason",
        reason_code=code,
    )


PRECEDENCE = [Outcome.ERROR, Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED, Outcome.SKIPPED]


@pytest.mark.parametrize(("first", "second"), list(product(PRECEDENCE, repeat=2)))
def test_the_verdict_follows_the_precedence_in_any_order(first: Outcome, second: Outcome) -> None:
    expected = Verdict(min(first, second, key=PRECEDENCE.index).value)

    assert decide_verdict([make_gate(first), make_gate(second)]) is expected


def test_no_gates_at_all_is_skipped_and_never_passed() -> None:
    assert decide_verdict([]) is Verdict.SKIPPED


@pytest.mark.parametrize(("on_inconclusive", "code"), [("warn", 0), ("pass", 0), ("fail", 6)])
def test_an_inconclusive_run_exits_as_the_policy_says(on_inconclusive: str, code: int) -> None:
    assert exit_code_of(Verdict.INCONCLUSIVE, [], on_inconclusive) == code  # type: ignore[arg-type]  # a literal


@pytest.mark.parametrize(("beyond", "code"), [(False, 0), (True, 6)])
def test_ask_blocks_only_where_the_estimate_of_an_undecided_gate_lies_beyond_its_rule(
    beyond: bool,  # noqa: FBT001
    code: int,
) -> None:
    gates = [make_gate(Outcome.PASSED, beyond=True), make_gate(Outcome.INCONCLUSIVE, beyond=beyond)]

    assert exit_code_of(Verdict.INCONCLUSIVE, gates, "ask") == code


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.ERROR])
def test_only_failed_exits_with_one(verdict: Verdict) -> None:
    assert (exit_code_of(verdict, [], "warn") == 1) is (verdict is Verdict.FAILED)


@pytest.mark.parametrize(
    ("source", "code", "expected"),
    [("predictions", "one_class", 3), ("metrics.json", "candidate_absent", 4), ("a.json", "baseline_not_positive", 2)],
)
def test_an_error_exits_by_what_could_not_be_read(source: str, code: str, expected: int) -> None:
    gates = [make_gate(Outcome.PASSED), make_gate(Outcome.ERROR, source=source, code=code)]

    assert exit_code_of(Verdict.ERROR, gates, "warn") == expected
