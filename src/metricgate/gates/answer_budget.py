"""What would settle an undecided gate on questions: more of them, or more answers to each, and what either costs.

A question's difference varies because questions differ, and because another answer to the same question gets another
grade. With two answers or more, the second part is seen: the mean over questions of s² / k, on both sides. More answers
shrink only that part; more questions shrink both.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from metricgate.comparison.subject import Missing, Subject
from metricgate.models.outcome import Outcome
from metricgate.models.result import GateRow
from metricgate.predictions import Questions

_MOST_ANSWERS = 20


@dataclass(frozen=True, kw_only=True)
class AnswerBudget:
    """What settles a gate in 4 of 5 cases if the models are equal, on each side.

    Attributes
    ----------
    questions : how many more, each with as many answers as now
    answers : how many more to each question there is; None where no number of them is enough
    noise : the share of the variance that comes from answers; None where each question has one answer
    """

    questions: int
    answers: int | None
    noise: float | None


def find_budget(questions: int, needed: int, variance: float, noise: float | None, answers: float) -> AnswerBudget:
    """Return what settles a gate whose interval is as short as needed with ``needed`` questions.

    Parameters
    ----------
    questions : asked now.
    needed : questions that would settle it.
    variance : of a question's difference.
    noise : the part of it that comes from answers; None where it is unknown.
    answers : the mean number of answers to a question, of both sides.
    """
    more = max(needed - questions, 1)
    if noise is None or variance <= 0:
        return AnswerBudget(questions=more, answers=None, noise=None)
    within = min(noise, variance)
    target = variance * questions / needed
    left = target - (variance - within)
    enough = ceil(answers * within / left - answers) if left > 0 else None
    extra = None if enough is None or enough > _MOST_ANSWERS else max(enough, 1)
    return AnswerBudget(questions=more, answers=extra, noise=within / variance)


def add_budget(row: GateRow, subject: Subject | None) -> GateRow:
    """Return the row with a note on what would settle it, where its rows are questions and it is undecided."""
    if subject is None or subject.candidate.questions is None:
        return row
    row = row.model_copy(update={"unit": "question"})
    if row.outcome is not Outcome.INCONCLUSIVE or not row.rows_needed or row.slice is not None:
        return row
    note = _describe(row, subject)
    return row.model_copy(update={"notes": (*row.notes, note)}) if note else row


def _describe(row: GateRow, subject: Subject) -> str:
    sides = _list_sides(subject)
    column = _find_column(row, subject)
    if not sides or not column or row.rows is None or row.rows_needed is None:
        return ""
    noises = [side.measure_noise(column) for side in sides]
    known = [noise for noise in noises if noise is not None]
    noise = sum(known) if len(known) == len(sides) else None
    answers = float(np.mean([_count_answers(side) / len(side) for side in sides]))
    contrast = subject.contrast(subject.find(row.metric))
    if isinstance(contrast, Missing):
        return ""
    budget = find_budget(row.rows, row.rows_needed, contrast.se**2 * row.rows, noise, answers)
    return word_budget(budget, questions=row.rows, answers=answers, price=_find_price(sides))


def _list_sides(subject: Subject) -> list[Questions]:
    sides = [side.questions for side in (subject.baseline, subject.candidate) if side is not None]
    return [side for side in sides if side is not None] if len(sides) == 2 and None not in sides else []


def _find_column(row: GateRow, subject: Subject) -> str:
    """Return the score whose mean the row is about; nothing for costs, and for what is no mean of grades."""
    (column, *others) = subject.find(row.metric).columns or ("",)
    questions = subject.candidate.questions
    return column if questions and not others and column in questions.log.score_names else ""


def _count_answers(side: Questions) -> int:
    return sum(len(answers) for answers in side.answers)


def _find_price(sides: list[Questions]) -> float | None:
    """Return what one answer of each side costs together, where both logs say so."""
    prices = [[answer.cost for answers in side.answers for answer in answers] for side in sides]
    if any(cost is None for side in prices for cost in side):
        return None
    return sum(sum(cost for cost in side if cost is not None) / len(side) for side in prices) or None


def word_budget(budget: AnswerBudget, *, questions: int, answers: float, price: float | None) -> str:
    """Return the sentence: what would settle it, and what each way costs."""
    first = f"{budget.questions:,} more questions{_word_cost(budget.questions * answers, price)}"
    if budget.noise is None:
        return f"{first} would settle it; two answers to each would show how much of it is chance"
    share = f"{budget.noise:.0%} of the noise is in the answers"
    if budget.answers is None:
        return f"{first} would settle it, more answers to these would not: {share}"
    plural = "answer" if budget.answers == 1 else "answers"
    other = f"{budget.answers:,} more {plural} to each{_word_cost(budget.answers * questions, price)}"
    return f"{first} or {other} would settle it: {share}"


def _word_cost(answers: float, price: float | None) -> str:
    """Return how many answers of each side are asked for, and what both sides' cost together."""
    asked = f"{round(answers):,} answers per side"
    return f" ({asked})" if price is None else f" ({asked}, {answers * price:.3g})"
