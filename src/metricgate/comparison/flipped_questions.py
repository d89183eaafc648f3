"""Questions that one model answers better than the other, worst first, with an answer of each side.

Texts come from a model and a data set: a report holds few of them, cut, and none where the policy says `redact: true`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from metricgate.comparison.evidence import Evidence
from metricgate.comparison.subject import Subject
from metricgate.models.outcome import Direction
from metricgate.models.result import Flips, GateRow, QuestionFlip
from metricgate.models.samples import FloatArray
from metricgate.predictions import Answer, Questions
from metricgate.stats.formula import is_formula

MOST_LOST = 20
MOST_GAINED = 10
TEXT_LENGTH = 600
_CUT = " …"
QuestionKey = tuple[str, str, str]


def list_flips(evidence: Evidence, gates: tuple[GateRow, ...]) -> tuple[Flips, ...]:
    """Return for each prediction set of questions which of them flipped; none for sets whose rows are no questions."""
    found = [_compare(name, subject, gates) for name, subject in evidence.subjects.items()]
    return tuple(flips for flips in found if flips is not None)


def _compare(name: str, subject: Subject, gates: tuple[GateRow, ...]) -> Flips | None:
    one = None if subject.baseline is None else subject.baseline.questions
    other, score = subject.candidate.questions, subject.candidate.spec.score
    if one is None or other is None or score is None or subject.paired is None:
        return None
    sign = 1 if _find_direction(name, score, subject, gates) is Direction.HIGHER else -1
    sides = GradedSide.of(one, score), GradedSide.of(other, score)
    gains = {key: sign * (sides[1].mean(key) - sides[0].mean(key)) for key in sides[0].places if key in sides[1].places}
    lost = sorted((key for key, gain in gains.items() if gain < 0), key=lambda key: (gains[key], key))
    gained = sorted((key for key, gain in gains.items() if gain > 0), key=lambda key: (-gains[key], key))
    redact = subject.candidate.spec.redact or (subject.baseline is not None and subject.baseline.spec.redact)
    describe = _describe_redacted if redact else _describe
    return Flips(
        set=name,
        score=score,
        lost=len(lost),
        gained=len(gained),
        redacted=redact,
        questions=tuple(describe(key, *sides) for key in (*lost[:MOST_LOST], *gained[:MOST_GAINED])),
    )


def _find_direction(name: str, score: str, subject: Subject, gates: tuple[GateRow, ...]) -> Direction:
    for gate in gates:
        if gate.set == name and is_formula(gate.metric) and subject.find(gate.metric).columns == (score,):
            return gate.direction
    return Direction.HIGHER


@dataclass(frozen=True, eq=False, kw_only=True)
class GradedSide:
    """One side's questions and their mean grades, shape (n,), with the place of each by its key."""

    questions: Questions
    score: str
    means: FloatArray
    places: Mapping[QuestionKey, int]

    @classmethod
    def of(cls, questions: Questions, score: str) -> "GradedSide":
        first = (answers[0] for answers in questions.answers)
        places = {(answer.task, answer.question, answer.target): index for index, answer in enumerate(first)}
        return cls(questions=questions, score=score, means=questions.grade(score), places=places)

    def mean(self, key: QuestionKey) -> float:
        return float(self.means[self.places[key]])

    def pick(self, key: QuestionKey, *, best: bool) -> Answer:
        """Return the answer with the highest or the lowest grade, the first of equal ones."""
        lowest = self.questions.lowest[self.score]
        answers = self.questions.answers[self.places[key]]
        grades = [lowest if (grade := answer.scores.get(self.score)) is None else grade for answer in answers]
        return answers[grades.index(max(grades) if best else min(grades))]


def _describe(key: QuestionKey, one: GradedSide, other: GradedSide) -> QuestionFlip:
    """Return the question with the two answers that differ most in the direction in which it flipped."""
    is_drop = other.mean(key) < one.mean(key)
    before, after = one.pick(key, best=is_drop), other.pick(key, best=not is_drop)
    return QuestionFlip(
        id=_cut(after.question),
        input=_cut(after.input),
        target=_cut(after.target),
        baseline=one.mean(key),
        candidate=other.mean(key),
        baseline_answer=_show(before),
        candidate_answer=_show(after),
    )


def _describe_redacted(key: QuestionKey, one: GradedSide, other: GradedSide) -> QuestionFlip:
    return QuestionFlip(id=_name_by_hash(key), baseline=one.mean(key), candidate=other.mean(key))


def _show(answer: Answer) -> str:
    return _cut(f"failed: {answer.error}" if answer.error else answer.output)


def _name_by_hash(key: QuestionKey) -> str:
    return blake2b("\0".join(key).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _cut(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()  # a lone surrogate has no place in JSON
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - len(_CUT)] + _CUT
