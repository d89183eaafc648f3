"""One row for each question: its answers averaged, whatever their number, and what all of them took."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import comb, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metricgate.models.samples import FloatArray
from metricgate.predictions.evaluation_logs.answer import COSTS, OWN_NAMES, Answer, EvaluationLog, as_text

_MOST_K = 100
Column = NDArray[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Questions:
    """The answers of a log by question, in the order of the log.

    Attributes
    ----------
    log : what was read
    answers : of each question, in the order of the log
    lowest : what an answer without a grade counts as, by score: 0, or the lowest grade where that is lower
    """

    log: EvaluationLog
    answers: tuple[tuple[Answer, ...], ...]
    lowest: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.answers)

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Return which questions have an answer without a grade in any score, shape (n,)."""
        names = self.log.score_names
        return np.array([any(is_ungraded(answer, names) for answer in answers) for answers in self.answers])

    def grade(self, score: str, *, ungraded: float | None = None) -> FloatArray:
        """Return the mean of each question's grades, shape (n,); ``ungraded`` is what a missing one counts as."""
        missing = self.lowest[score] if ungraded is None else ungraded
        return np.array([_mean(_grades(answers, score), missing) for answers in self.answers], dtype=np.float64)

    def count_ungraded(self, score: str) -> int:
        """Return how many answers have no grade."""
        return sum(grade is None for answers in self.answers for grade in _grades(answers, score))

    def mean_of_graded(self, score: str) -> float | None:
        """Return the mean over questions of the mean over graded answers alone, as tools report it."""
        means = [
            sum(known) / len(known)
            for answers in self.answers
            if (known := [grade for grade in _grades(answers, score) if grade is not None])
        ]
        return sum(means) / len(means) if means else None

    def columns(self) -> dict[str, Column]:
        """Return every column by name, each of shape (n,)."""
        first = [answers[0] for answers in self.answers]
        found: dict[str, Column] = {
            "id": _texts([answer.question for answer in first]),
            "target": _texts([answer.target for answer in first]),
            "answers": np.array([len(answers) for answers in self.answers], dtype=np.float64),
        }
        facts = dict.fromkeys(name for answer in first for name in answer.facts)
        found |= {name: _texts([_as_cell(answer.facts.get(name)) for answer in first]) for name in facts}
        for name in COSTS:
            amounts = [[getattr(answer, name) for answer in answers] for answers in self.answers]
            if any(value is not None for values in amounts for value in values):
                found[name] = np.array([_mean_known(values) for values in amounts], dtype=np.float64)
        scores = [score for score in self.log.score_names if score.lower() not in OWN_NAMES]
        taken = {score.lower() for score in scores}
        found = {name: column for name, column in found.items() if name.lower() not in taken}
        found |= {score: self.grade(score) for score in scores}
        # A database takes A and a for one name; and a column needs a name.
        by_name = {name.lower(): name for name in reversed(found) if name}
        return {name: column for name, column in found.items() if by_name.get(name.lower()) == name}

    def find_ends(self, score: str, columns: Collection[str]) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Return by column the lowest and the highest values of questions, for those with answers without a grade.

        NaN where grades are not between 0 and 1. ``score`` is the one that pass@k and pass^k are made of.
        """
        found = {}
        for name in self.log.score_names:
            if name in columns and self.count_ungraded(name):
                low, high = (0.0, 1.0) if self._is_share(name) else (nan, nan)
                found[name] = self.grade(name, ungraded=low), self.grade(name, ungraded=high)
        if self.count_ungraded(score):
            worst, best = self.successes(score, ungraded=0.0), self.successes(score, ungraded=1.0)
            found |= {name: (worst[name], best[name]) for name in worst if name in columns}
        return found

    def _is_share(self, score: str) -> bool:
        grades = (grade for answers in self.answers for grade in _grades(answers, score) if grade is not None)
        return all(0 <= grade <= 1 for grade in grades)

    def successes(self, score: str, *, ungraded: float = 0.0) -> dict[str, Column]:
        """Return the columns pass@k and pass^k, for each k up to the fewest answers; none where grades are not 0 or 1.

        From n answers, c of them right, the shares of samples of k answers with a right one, and of those with no
        other (Chen et al., arXiv:2107.03374).
        """
        grades = [
            [ungraded if grade is None else grade for grade in _grades(answers, score)] for answers in self.answers
        ]
        if any(grade not in {0.0, 1.0} for values in grades for grade in values):
            return {}
        hits = [(len(values), int(sum(values))) for values in grades]
        most = min([count for count, _ in hits] + [_MOST_K])
        found: dict[str, Column] = {}
        for k in range(1, most + 1):
            found[f"pass@{k}"] = np.array([1 - comb(count - won, k) / comb(count, k) for count, won in hits])
            found[f"pass^{k}"] = np.array([comb(won, k) / comb(count, k) for count, won in hits])
        return found

    def measure_noise(self, score: str) -> float | None:
        """Return the variance that a question's mean has because other answers to it get other grades.

        The mean over questions of s² / k; None where no question has two answers.
        """
        grades = [self._with_lowest(answers, score) for answers in self.answers]
        several = [values for values in grades if len(values) > 1]
        if not several:
            return None
        return float(np.mean([np.var(values, ddof=1) / len(values) for values in several]))

    def _with_lowest(self, answers: Sequence[Answer], score: str) -> list[float]:
        return [self.lowest[score] if grade is None else grade for grade in _grades(answers, score)]

    def hash_outputs(self) -> NDArray[np.uint64] | None:
        """Return a hash of each question's outputs, shape (n,), whatever their order; None where the log has none."""
        if not self.log.has_outputs or not any(answer.output for answers in self.answers for answer in answers):
            return None
        return np.array(
            [_hash_texts(sorted(answer.output for answer in answers)) for answers in self.answers], np.uint64
        )


def ask_questions(log: EvaluationLog) -> Questions:
    """Return the answers by question: the same task, id and target."""
    by_question: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in log.answers:
        by_question.setdefault((answer.task, answer.question, answer.target), []).append(answer)
    lowest = {
        name: min([0.0, *(grade for answer in log.answers if (grade := answer.scores.get(name)) is not None)])
        for name in log.score_names
    }
    return Questions(log=log, answers=tuple(tuple(answers) for answers in by_question.values()), lowest=lowest)


def is_ungraded(answer: Answer, names: Sequence[str]) -> bool:
    """Return whether an answer failed, or lacks one of these grades."""
    return any(answer.scores.get(name) is None for name in names)


def _grades(answers: Sequence[Answer], score: str) -> list[float | None]:
    return [answer.scores.get(score) for answer in answers]


def _mean(grades: Sequence[float | None], missing: float) -> float:
    return sum(missing if grade is None else grade for grade in grades) / len(grades)


def _mean_known(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _texts(values: Sequence[str | None]) -> Column:
    return np.array([*values, None], dtype=object)[:-1]  # None keeps the type where all values are text


def _as_cell(value: Any) -> str | None:
    return None if value is None else as_text(value)


def _hash_texts(texts: Sequence[str]) -> int:
    digest = blake2b(digest_size=8)
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little") + content)
    return int.from_bytes(digest.digest(), "little")
