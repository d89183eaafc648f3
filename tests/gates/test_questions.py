"""Gates on the questions of an evaluation: one unit is one question, and nothing without a grade vanishes."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metricgate.compare import compare_files
from metricgate.gates.answer_budget import find_budget
from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.report.value import Report
from tests.simulated_logs import Grades, draw_grades, write_inspect

POLICY = "predictions: {{path: log.json, score: {score}}}\ngates:\n  - {{metric: {metric}, {rule}}}\n"
RIGHT: Grades = {f"q{number}": ["C"] for number in range(200)}


def compare(
    folder: Path,
    before: Path,
    after: Path,
    *,
    metric: str = "mean(match)",
    rule: str = "max_drop: 0.05",
    score: str = "match",
) -> Report:
    policy = folder / "metricgate.yaml"
    policy.write_text(POLICY.format(metric=metric, rule=rule, score=score), encoding="utf-8")
    return compare_files(before, after, policy=policy, columns={})


def write_pair(folder: Path, before: Grades, after: Grades, **both: Any) -> tuple[Path, Path]:
    return write_inspect(folder / "main.json", before, **both), write_inspect(folder / "branch.json", after, **both)


def gate_of(report: Report) -> GateRow:
    assert report.failure is None, report.failure
    (gate,) = report.gates
    return gate


def test_rows_are_questions_however_many_answers_each_side_has(tmp_path: Path) -> None:
    chances = np.linspace(0.5, 1, 60).tolist()
    rng = np.random.default_rng(5)
    before, after = draw_grades(rng, chances, 3), draw_grades(rng, chances, 5)
    report = compare(tmp_path, *write_pair(tmp_path, before, after))
    (pairing,) = report.pairings
    expected = [np.mean([[grade == "C" for grade in values] for values in side.values()]) for side in (before, after)]

    assert pairing.rows == 60
    assert (pairing.baseline_answers, pairing.candidate_answers) == (180, 300)
    assert [gate_of(report).baseline, gate_of(report).candidate] == pytest.approx(expected)


def test_equal_scores_with_other_answers_are_not_identical(tmp_path: Path) -> None:
    before = write_inspect(tmp_path / "main.json", RIGHT)
    after = write_inspect(tmp_path / "branch.json", RIGHT, texts={"q7": "Right, in other words."})
    report = compare(tmp_path, before, after)

    assert not report.pairings[0].identical
    assert (gate_of(report).low or 0) < 0
    assert gate_of(report).outcome is Outcome.PASSED  # none of 200 questions differs: at most 1.8 % of others do


def test_equal_texts_of_many_questions_are_one_model(tmp_path: Path) -> None:
    report = compare(tmp_path, *write_pair(tmp_path, RIGHT, RIGHT), rule="max_drop: 0.001")

    assert report.pairings[0].identical
    assert gate_of(report).reason_code == "identical"


def test_few_equal_texts_prove_nothing(tmp_path: Path) -> None:
    words = dict.fromkeys(RIGHT, "A")
    report = compare(tmp_path, *write_pair(tmp_path, RIGHT, RIGHT, texts=words), rule="max_drop: 0.001")

    assert not report.pairings[0].identical
    assert gate_of(report).outcome is Outcome.INCONCLUSIVE


def fail(grades: Grades, count: int) -> dict[str, list[Any]]:
    return {name: [None] if number < count else list(values) for number, (name, values) in enumerate(grades.items())}


def test_failed_answers_of_the_candidate_count_as_wrong(tmp_path: Path) -> None:
    report = compare(tmp_path, *write_pair(tmp_path, RIGHT, fail(RIGHT, 30)))

    assert gate_of(report).outcome is Outcome.FAILED
    assert gate_of(report).difference == pytest.approx(-0.15)
    assert report.pairings[0].candidate_ungraded == 30


def test_failed_answers_of_the_baseline_hide_no_loss(tmp_path: Path) -> None:
    wrong = {name: ["I"] if number < 30 else ["C"] for number, name in enumerate(RIGHT)}
    report = compare(tmp_path, *write_pair(tmp_path, fail(RIGHT, 30), wrong))
    gate = gate_of(report)

    assert gate.difference == 0
    assert gate.outcome is Outcome.INCONCLUSIVE
    assert gate.reason_code == "answers_ungraded"
    assert "30 of the baseline's answers and 0 of the candidate's have no grade" in gate.reason


def test_the_worst_grades_stand_at_their_own_questions(tmp_path: Path) -> None:
    """The order of a log is not that of the ids: a failed answer that counts as 0 already changes nothing."""
    rng = np.random.default_rng(8)
    before = draw_grades(rng, [0.8] * 120, 3)
    after: dict[str, list[Any]] = {name: list(values) for name, values in draw_grades(rng, [0.7] * 120, 3).items()}
    after["q3"][0] = "I"
    plain = gate_of(compare(tmp_path, *write_pair(tmp_path, before, after)))
    after["q3"][0] = None
    failed = gate_of(compare(tmp_path, *write_pair(tmp_path, before, after)))

    assert (failed.low, failed.high, failed.outcome) == (plain.low, plain.high, plain.outcome)


def test_failed_answers_are_not_harmless_where_lower_is_better(tmp_path: Path) -> None:
    calm: Grades = {name: ["I"] for name in RIGHT}
    report = compare(tmp_path, *write_pair(tmp_path, calm, fail(calm, 30)), rule="max_increase: 0.05")

    assert gate_of(report).reason_code == "answers_ungraded"


def test_a_grade_without_a_worst_is_undecided_where_one_is_missing(tmp_path: Path) -> None:
    marks: Grades = {name: [number % 7 + 1] for number, name in enumerate(RIGHT)}
    report = compare(tmp_path, *write_pair(tmp_path, marks, fail(marks, 1)), rule="max_drop: 1")

    assert gate_of(report).outcome is Outcome.INCONCLUSIVE
    assert "no worst one to assume" in gate_of(report).reason


def test_scores_of_another_grader_are_not_compared(tmp_path: Path) -> None:
    before = write_inspect(tmp_path / "main.json", RIGHT, options={"model": "judge-2026-01"})
    after = write_inspect(tmp_path / "branch.json", RIGHT, options={"model": "judge-2026-11"}, texts={"q1": "x"})
    report = compare(tmp_path, before, after)

    assert gate_of(report).outcome is Outcome.INCONCLUSIVE
    assert gate_of(report).reason_code == "other_test"
    assert 'scorer match: {"model": "judge-2026-01"} before' in gate_of(report).reason
    assert "other_test" in {warning.code for warning in report.warnings}


def test_costs_are_compared_whoever_graded(tmp_path: Path) -> None:
    before = write_inspect(tmp_path / "main.json", RIGHT, options={"model": "a"}, cost=0.01)
    after = write_inspect(tmp_path / "branch.json", RIGHT, options={"model": "b"}, cost=0.02)
    report = compare(tmp_path, before, after, metric="mean(cost)", rule="max_increase: 5%")

    assert gate_of(report).outcome is Outcome.FAILED


def test_a_smaller_limit_is_said_and_judged_at_its_worst(tmp_path: Path) -> None:
    before = write_inspect(tmp_path / "main.json", RIGHT)
    after = write_inspect(tmp_path / "branch.json", {name: RIGHT[name] for name in list(RIGHT)[:150]}, limit=150)
    report = compare(tmp_path, before, after)

    assert gate_of(report).reason_code == "rows_absent"
    assert any("limit: none before, 150 now" in note for note in report.pairings[0].notes)


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [("pass@1", 2 / 3, 1 / 3), ("pass@2", 1.0, 2 / 3), ("pass^2", 1 / 3, 0.0), ("pass^3", 0.0, 0.0)],
)
def test_pass_at_k_is_of_samples_of_answers(tmp_path: Path, metric: str, before: float, after: float) -> None:
    two: Grades = {f"q{number}": ["C", "C", "I"] for number in range(40)}
    one: Grades = {f"q{number}": ["I", "C", "I"] for number in range(40)}
    gate = gate_of(compare(tmp_path, *write_pair(tmp_path, two, one), metric=metric))

    assert [gate.baseline, gate.candidate] == pytest.approx([before, after])


def test_pass_at_more_than_was_asked_is_an_error(tmp_path: Path) -> None:
    gate = gate_of(compare(tmp_path, *write_pair(tmp_path, RIGHT, RIGHT), metric="pass@2"))

    assert gate.outcome in {Outcome.ERROR, Outcome.SKIPPED}
    assert "pass@2" in gate.reason


def test_what_would_settle_it_is_priced(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    chances = [0.7] * 60
    before, after = draw_grades(rng, chances, 4), draw_grades(rng, chances, 4)
    gate = gate_of(compare(tmp_path, *write_pair(tmp_path, before, after, cost=0.002), rule="max_drop: 0.06"))

    assert gate.outcome is Outcome.INCONCLUSIVE
    (note,) = [note for note in gate.notes if "would settle it" in note]
    assert "more questions" in note
    assert "more answers to each" in note
    questions, answers = (int(part) for part in re.findall(r"([0-9]+) answers per side", note))
    assert questions % 4 == 0  # 4 answers to each question
    assert answers % 60 == 0  # to each of 60 questions
    assert len(note) <= 160  # what a comment shows of it


@pytest.mark.parametrize(
    ("noise", "answers", "share"),
    [(1.0, 2, 1.0), (0.75, 4, 0.75), (0.5, None, 0.5), (None, None, None)],
)
def test_more_answers_shrink_their_own_part_alone(
    noise: float | None, answers: int | None, share: float | None
) -> None:
    """With variance 1 and 2 answers, twice the questions halve it: so must the answers' part."""
    found = find_budget(100, 200, 1.0, noise, 2)

    assert (found.questions, found.answers, found.noise) == (100, answers, share)
