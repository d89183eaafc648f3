"""What the tests of two revisions mean for the verdict."""

import pytest

from metricgate.gates.verdict import decide_verdict, exit_code_of, is_acceptable
from metricgate.model_tests.judged_tests import JudgedTests, RevisionTests, judge_tests
from metricgate.models.model_test import ModelTest, ModelTestOutcome
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import Location


def side(**tests: ModelTestOutcome) -> RevisionTests:
    return RevisionTests(tests=tuple(ModelTest(name=f"m::test_{name}", outcome=to) for name, to in tests.items()))


def judge(candidate: RevisionTests, baseline: RevisionTests | None) -> JudgedTests:
    def locate(name: str, file: str, line: int | None) -> Location:
        return Location(path=f"tests/{file or 'm.py'}", line=line or len(name))

    return judge_tests("pytest tests/model", candidate, baseline, locate=locate)


def outcomes(judged: JudgedTests) -> dict[str, tuple[str, str]]:
    return {gate.metric.rpartition("_")[2]: (gate.outcome.value, gate.reason_code) for gate in judged.gates}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("passed", "passed", None),
        ("passed", "failed", ("failed", "test_broken")),
        ("passed", "skipped", ("error", "test_skipped")),
        ("passed", None, ("error", "test_removed")),
        ("failed", "passed", None),
        ("failed", "failed", None),
        ("failed", "skipped", ("error", "test_skipped")),
        ("failed", None, ("error", "test_removed")),
        ("skipped", "passed", None),
        ("skipped", "failed", ("failed", "test_new_and_failing")),
        ("skipped", "skipped", None),
        ("skipped", None, None),
        (None, "passed", None),
        (None, "failed", ("failed", "test_new_and_failing")),
        (None, "skipped", None),
    ],
)
def test_each_change_of_a_test(
    before: ModelTestOutcome | None, after: ModelTestOutcome | None, expected: tuple[str, str] | None
) -> None:
    judged = judge(
        side(other="passed", **({"x": after} if after else {})),
        side(other="passed", **({"x": before} if before else {})),
    )

    assert outcomes(judged).get("x") == expected
    assert (judged.gates[-1].outcome is Outcome.PASSED) is (expected is None)
    rows = {row.name: (row.before, row.after) for row in judged.report.rows}
    assert rows["m::test_x"] == (before or "absent", after or "absent")


def test_what_failed_before_is_named_and_does_not_block() -> None:
    judged = judge(side(a="failed", b="passed"), side(a="failed", b="passed"))

    assert decide_verdict(judged.gates) is Verdict.PASSED
    assert judged.gates[-1].reason == "1 of 2 tests pass; 1 failed on the baseline as well"
    assert judged.report.rows[0].name == "m::test_a"


def test_a_module_that_cannot_be_read_is_one_error_for_all_of_its_tests() -> None:
    broken = ModelTest(name="tests.model.test_m", outcome="failed", message="ImportError: no module named x")
    names = [f"tests.model.test_m::test_{number}" for number in range(3)] + ["tests.model.test_m.TestX::test_y"]
    before = RevisionTests(tests=tuple(ModelTest(name=name, outcome="passed") for name in names))

    judged = judge(RevisionTests(tests=(broken, *side(other="passed").tests)), before)

    assert [gate.outcome for gate in judged.gates] == [Outcome.ERROR]
    assert judged.gates[0].reason == (
        "it could not be read, so 4 tests of the baseline did not run: ImportError: no module named x"
    )


def test_tests_that_never_ran_are_an_error_and_never_a_pass() -> None:
    for candidate in (RevisionTests(problem="No JUnit XML."), side(a="skipped", b="skipped")):
        judged = judge(candidate, None)

        assert decide_verdict(judged.gates) is Verdict.ERROR
        assert exit_code_of(Verdict.ERROR, judged.gates, "pass") == 4
        assert judged.gates[0].reason_code == "tests_not_run"


def test_without_the_baselines_tests_the_verdict_is_open_and_a_failing_test_still_fails() -> None:
    unknown = RevisionTests(problem="The model could not be brought.")

    assert decide_verdict(judge(side(a="passed"), unknown).gates) is Verdict.INCONCLUSIVE
    assert decide_verdict(judge(side(a="passed", b="failed"), unknown).gates) is Verdict.FAILED


def test_only_tests_that_are_gone_on_purpose_can_be_accepted() -> None:
    removed = judge(side(a="passed"), side(a="passed", b="passed")).gates
    never_ran = judge(RevisionTests(problem="No JUnit XML."), None).gates

    assert is_acceptable(decide_verdict(removed), removed)
    assert not is_acceptable(decide_verdict(never_ran), never_ran)
    assert not is_acceptable(Verdict.ERROR, (*removed, *never_ran))
    assert not is_acceptable(Verdict.PASSED, ())


def test_many_broken_tests_are_counted() -> None:
    names = [f"n{number:03}" for number in range(400)]
    before: dict[str, ModelTestOutcome] = dict.fromkeys(names, "passed")
    after: dict[str, ModelTestOutcome] = dict.fromkeys(names, "failed")

    judged = judge(side(**after), side(**before))

    assert len(judged.gates) == 51
    assert judged.gates[50].reason.startswith("350 more tests: ")
    assert (judged.report.tests, judged.report.failed, len(judged.report.rows)) == (400, 400, 300)


def test_a_gate_leads_to_the_line_of_its_test() -> None:
    judged = judge(side(a="failed"), side(a="passed"))

    assert judged.gates[0].location == Location(path="tests/m.py", line=9)
    assert judged.gates[0].rule == "a must keep passing"
