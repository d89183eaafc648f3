"""Calibration of questions with several answers: a loss of exactly the margin does not pass, whatever their number."""

from collections.abc import Callable

import numpy as np
import pytest

from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.formula import parse_formula

pytestmark = pytest.mark.calibration
TEST_SETS, AGAIN = 400, 3000
TAIL, MOST_WRONG = 0.025, 0.035  # as in test_hard_cases.py
MEAN = parse_formula("mean(grade)")
Chances = tuple[FloatArray, FloatArray]
Draw = Callable[[np.random.Generator, int, float, float], Chances]


def break_some(rng: np.random.Generator, questions: int, right: float, loss: float) -> Chances:
    """Return chances of certain answers: some questions go from right to wrong, and no other changes."""
    before = (rng.random(questions) < right).astype(float)
    return before, np.where(rng.random(questions) < loss / right, 0.0, before)


def change_some(rng: np.random.Generator, questions: int, right: float, loss: float) -> Chances:
    """Return chances that mostly lie near 0 and 1; 6 % of the questions get another one, and all are lowered a little."""
    before, other = rng.beta(0.6 * right, 0.6 * (1 - right), (2, questions))
    return before, np.where(rng.random(questions) < 0.06, other, before) * (1 - loss / right)


def lower_all(rng: np.random.Generator, questions: int, right: float, loss: float) -> Chances:
    """Return chances that vary little, all of them lowered a little: most of the noise is in the answers."""
    before = rng.beta(8 * right, 8 * (1 - right), questions)
    return before, before * (1 - loss / right)


def ask(rng: np.random.Generator, chances: FloatArray, answers: int) -> Sample:
    grades = rng.binomial(answers, chances) / answers
    return Sample(task="score", rows=len(grades), columns={"grade": grades})


@pytest.mark.parametrize("draw", [break_some, change_some, lower_all])
@pytest.mark.parametrize("right", [0.7, 0.9, 0.97])
@pytest.mark.parametrize("questions", [50, 100, 200, 500])
@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 2), (3, 3), (5, 5), (10, 10), (3, 5), (1, 10)])
def test_a_loss_of_the_margin_rarely_passes(draw: Draw, right: float, questions: int, before: int, after: int) -> None:
    margin = 0.05 if questions <= 100 else 0.02

    def count_wrong(test_sets: int, seed: int) -> tuple[float, float]:
        rng = np.random.default_rng([seed, questions, before, after])
        passed = failed = 0
        for _ in range(test_sets):
            one, other = draw(rng, questions, right, margin)
            pair = SamplePair(baseline=ask(rng, one, before), candidate=ask(rng, other, after))
            found = contrast(pair, MEAN)
            low, high = found.interval(TAIL)
            passed += low >= -margin and not found.inconclusive
            failed += high < -margin
        return passed / test_sets, failed / test_sets

    wrong = count_wrong(TEST_SETS, 1)
    if max(wrong) > MOST_WRONG:
        wrong = count_wrong(AGAIN, 2)

    assert max(wrong) <= MOST_WRONG
