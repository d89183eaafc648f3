"""Answers written by hand, one a row: rows with the same id are the answers to one question."""

from collections import Counter

from metricgate.errors import PredictionsError
from metricgate.predictions.evaluation_logs.answer import COSTS, Answer, EvaluationLog, as_amount
from metricgate.predictions.evaluation_logs.opening import (
    ReadQuestions,
    describe_answers,
    describe_failed,
    describe_unknown_costs,
)
from metricgate.predictions.evaluation_logs.question_table import ask_questions
from metricgate.predictions.prediction_table import PredictionTable
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import PredictionsSpec


def read_answers(table: PredictionTable, spec: PredictionsSpec, number: str) -> ReadQuestions:
    """Return the questions of a table with a row for each answer; ``number`` is the column that numbers the answers.

    Raises
    ------
    PredictionsError
        If a column does not exist, or an answer occurs twice.
    """
    if not spec.id or spec.score is None:
        raise PredictionsError(
            f"{table.path}: `answer: {number}` stands without `id` or `score`.",
            expected="the column with the question's id, and the one with the grade.",
            fix="name both under `predictions:`.",
            topic="which-column-is-which",
        )
    for column, role in ((number, "answer"), (spec.score, "score"), *((name, "id") for name in spec.id)):
        table.require(column, role)
    names = list(table.types)
    numeric = [name for name in (spec.score, *COSTS) if name in table.types]
    shown = [table.as_text(name) for name in names] + [table.as_number(name) for name in numeric]
    rows = table.ask(f"SELECT {', '.join(shown)} FROM rows")
    answers = [_read_row(dict(zip(names, row, strict=False)), row[len(names) :], numeric, spec, number) for row in rows]
    _require_once(answers, table.path)
    log = EvaluationLog(format="rows", answers=tuple(answers), has_outputs=False)
    questions = ask_questions(log)
    return ReadQuestions(
        questions=questions,
        score=spec.score,
        spec=spec.model_copy(update={"id": ("id", "target"), "task": "score"}),
        notes=(
            *describe_answers(questions),
            *describe_failed(questions, spec.score, redact=spec.redact),
            *describe_unknown_costs(questions),
        ),
    )


def _read_row(
    texts: dict[str, str | None],
    numbers: tuple[float | None, ...],
    numeric: list[str],
    spec: PredictionsSpec,
    number: str,
) -> Answer:
    found = dict(zip(numeric, numbers, strict=True))
    score = str(spec.score)
    return Answer(
        question=" · ".join(str(texts[name]) for name in spec.id),
        number=str(texts[number]),
        scores={score: found[score]},
        facts={name: text for name, text in texts.items() if name not in {score, "id", "target", "answers", *COSTS}},
        seconds=as_amount(found.get("seconds")),
        tokens=as_amount(found.get("tokens")),
        cost=as_amount(found.get("cost")),
    )


def _require_once(answers: list[Answer], shown: str) -> None:
    counts = Counter((answer.question, answer.number) for answer in answers)
    twice = [f"{question} ({number})" for (question, number), count in counts.items() if count > 1]
    if twice:
        raise PredictionsError(
            f"{shown}: {len(twice):,} answers stand there twice, for example {list_names(twice, 3)}.",
            expected="every number once among the answers to a question.",
            fix="write each answer once, or name another column as `answer`.",
            topic="the-same-id-twice",
        )
