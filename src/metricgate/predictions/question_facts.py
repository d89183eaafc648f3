"""What two logs of an evaluation say about each other: whether they are the same test, and which answers have no grade."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from metricgate.predictions.evaluation_logs.answer import SCORER
from metricgate.predictions.wording import count_things

if TYPE_CHECKING:
    from metricgate.predictions.checked_predictions import Predictions
    from metricgate.predictions.evaluation_logs.question_table import Questions


def count_answers(baseline: "Predictions", candidate: "Predictions") -> dict[str, object]:
    """Return the fields of a pairing about questions and answers; none where rows are no questions."""
    one, other = baseline.questions, candidate.questions
    if one is None or other is None:
        return {}
    return {
        "format": other.log.format,
        "baseline_answers": _count(one),
        "candidate_answers": _count(other),
        "baseline_ungraded": _count_ungraded(baseline),
        "candidate_ungraded": _count_ungraded(candidate),
        "changed_inputs": _count_renamed(one, other),
        "other_test": _describe_differences(one.log.graded_by, other.log.graded_by),
    }


def _count(questions: "Questions") -> int:
    return sum(len(answers) for answers in questions.answers)


def _count_ungraded(side: "Predictions") -> int:
    score = side.spec.score
    return 0 if side.questions is None or score is None else side.questions.count_ungraded(score)


def _describe_differences(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Return what differs: ``judge: gpt-4o before, gpt-4.1 now``; empty where nothing does."""
    shared = one.keys() & other.keys()
    names = sorted(
        name
        for name in one.keys() | other.keys()
        if one.get(name) != other.get(name) and (name in shared or not name.startswith(f"{SCORER} "))
    )
    return "; ".join(f"{name}: {one.get(name, 'none')} before, {other.get(name, 'none')} now" for name in names)


def describe_questions(baseline: "Predictions", candidate: "Predictions") -> list[str]:
    """Return sentences about how much was asked, and in which words, where the two sides differ in it."""
    one, other = baseline.questions, candidate.questions
    if one is None or other is None:
        return []
    notes = []
    if told := _describe_differences(one.log.extent, other.log.extent):
        notes.append(f"The evaluations differ in how much they asked: {told}.")
    if changed := _count_changed_inputs(one, other):
        notes.append(f"The input of {count_things(changed, 'question')} reads differently on the two sides.")
    return notes


def _count_changed_inputs(one: "Questions", other: "Questions") -> int:
    inputs = _read_inputs(one)
    return sum(inputs.get(key, text) != text for key, text in _read_inputs(other).items())


def _count_renamed(one: "Questions", other: "Questions") -> int:
    """Return how many questions have another input behind the same id, where a question is known by an id alone."""
    return _count_changed_inputs(one, other) if other.log.format in {"inspect", "deepeval"} else 0


def _read_inputs(questions: "Questions") -> dict[tuple[str, str, str], str]:
    return {(first.task, first.question, first.target): first.input for first, *_ in questions.answers if first.input}
