"""Judge the same simulated evaluations by the rules of several tools, and write how often each is wrong into the docs.

python scripts/evaluation_rules.py [--changes 1000]

Each change is an evaluation of two models on the same questions, three answers each, of which the baseline gets 90 % right.
6 % of the questions are answered by another ability, as after any change of a prompt; a true loss comes on top.
The rules are those that the tools' documentation describes, each with the settings that suit these evaluations best.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from outcome_rates import TAIL, _draw, replace_table
from scipy.stats import binomtest, norm, t

from metricgate.gates.judgement import Gain, judge_gain
from metricgate.models.outcome import Role
from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.formula import parse_formula

DOCS = Path(__file__).resolve().parent.parent / "docs"
QUESTIONS = (50, 200, 500)
LOSSES = (0.0, 0.05, 0.10)
MARGIN = 0.02
ANSWERS = 3
RIGHT = 0.9
CHANGED = 0.06
HISTORY = 10  # earlier runs of main, for rules that look at them
SPREAD = 1.2  # of the questions' difficulty: the sum of the parameters of a beta distribution
MEAN = parse_formula("mean(grade)")


class Evaluation(NamedTuple):
    """Grades of answers, shape (questions, answers), of both models; and the pass rates of earlier runs of main."""

    before: FloatArray
    after: FloatArray
    history: FloatArray

    @property
    def rates(self) -> tuple[float, float]:
        return float(self.before.mean()), float(self.after.mean())


def draw(rng: np.random.Generator, questions: int, loss: float) -> Evaluation:
    ability = rng.beta(RIGHT * SPREAD, (1 - RIGHT) * SPREAD, questions)
    other = rng.beta(RIGHT * SPREAD, (1 - RIGHT) * SPREAD, questions)
    changed = np.where(rng.random(questions) < CHANGED, other, ability)
    lowered = changed * (1 - loss / RIGHT)

    def ask(chances: FloatArray) -> FloatArray:
        return (rng.random((questions, ANSWERS)) < chances[:, None]).astype(float)

    history = np.array([ask(ability).mean() for _ in range(HISTORY)])
    return Evaluation(ask(ability), ask(lowered), history)


def is_right(grades: FloatArray) -> FloatArray:
    """Return whether most answers to a question are right, shape (questions,)."""
    return grades.mean(axis=1) > 0.5


def every_case(found: Evaluation) -> str:
    return "passed" if is_right(found.after).all() else "blocked"


def no_case_lost(found: Evaluation) -> str:
    return "blocked" if (is_right(found.before) & ~is_right(found.after)).any() else "passed"


def above_bar(found: Evaluation) -> str:
    return "passed" if found.rates[1] >= RIGHT - MARGIN else "blocked"


def no_more_than_tolerance(found: Evaluation) -> str:
    before, after = found.rates
    return "passed" if after >= before - MARGIN else "blocked"


def significant_drop(found: Evaluation) -> str:
    before, after = is_right(found.before), is_right(found.after)
    lost, gained = int((before & ~after).sum()), int((~before & after).sum())
    beyond = (lost - gained) / len(before) > MARGIN
    significant = lost + gained > 0 and binomtest(lost, lost + gained).pvalue < 0.05
    return "blocked" if beyond and significant else "passed"


def shown_better(found: Evaluation) -> str:
    """Return evalsig's answer: allowed if better for certain, undecided if the test set could not have shown it."""
    differences = found.after.mean(axis=1) - found.before.mean(axis=1)
    error = float(differences.std(ddof=1)) / sqrt(len(differences))
    if error == 0:
        return "undecided"
    significant = norm.sf(differences.mean() / error) < 0.05
    detectable = (norm.isf(0.05) + norm.isf(0.2)) * error
    if significant and differences.mean() >= MARGIN:
        return "passed"
    return "undecided" if not significant and detectable > MARGIN else "blocked"


def outside_history(found: Evaluation) -> str:
    history = found.history
    reach = t.isf(0.01, len(history) - 1) * history.std(ddof=1) * sqrt(1 + 1 / len(history))
    return "blocked" if found.rates[1] < history.mean() - reach else "passed"


def half_of_before(found: Evaluation) -> str:
    before, after = found.rates
    return "blocked" if before > 2 * after else "passed"


def metricgate(found: Evaluation) -> str:
    one, other = (
        Sample(task="score", rows=len(grades), columns={"grade": grades.mean(axis=1)})
        for grades in (found.before, found.after)
    )
    result = contrast(SamplePair(baseline=one, candidate=other), MEAN)
    low, high = result.interval(TAIL)
    gain = Gain(estimate=result.estimate, low=low, high=high, high_difference=high)
    outcome = judge_gain(gain, allowed_loss=MARGIN, role=Role.REQUIRED).outcome.value
    return {"failed": "blocked", "inconclusive": "undecided"}.get(outcome, outcome)


RULES: dict[str, Callable[[Evaluation], str]] = {
    "every case must pass (DeepEval's `assert_test`, promptfoo's exit code)": every_case,
    "no case that passed may fail (a policy that Langfuse suggests)": no_case_lost,
    "a pass rate of at least 88 % (promptfoo-action, Langfuse, Evidently)": above_bar,
    "no mean lower by more than 2 points (scripts around Braintrust and others)": no_more_than_tolerance,
    "lower by more than 2 points, and p < 0.05 (tools with a significance test)": significant_drop,
    "shown better by 2 points (evalsig)": shown_better,
    "within 99 % of ten earlier runs, by t (Bencher)": outside_history,
    "no worse than half (github-action-benchmark, 200 %)": half_of_before,
    "MetricGate, `max_drop: 0.02`": metricgate,
}


def measure(changes: int) -> str:
    rows = []
    counts: dict[tuple[str, int, float], Counter[str]] = {}
    for questions in QUESTIONS:
        for loss in LOSSES:
            rng = np.random.default_rng([questions, round(1000 * loss)])
            for _ in range(changes):
                found = draw(rng, questions, loss)
                for name, rule in RULES.items():
                    counts.setdefault((name, questions, loss), Counter())[rule(found)] += 1
    for name in RULES:
        for questions in QUESTIONS:
            equal, *worse = (counts[name, questions, loss] for loss in LOSSES)
            shares = [equal["blocked"], equal["undecided"], *(count["passed"] for count in worse)]
            rows.append((name, f"{questions}", *(f"{count / changes:.0%}" for count in shares)))
    header = (
        "rule",
        "questions",
        "equal models blocked",
        "equal models undecided",
        "5 points lost, passed",
        "10 points lost, passed",
    )
    return _draw(header, rows, first=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=1000, help="simulated changes for each line")
    table = measure(parser.parse_args().changes)
    replace_table(DOCS / "evaluations.md", "rules side by side", table)
    print(table)


if __name__ == "__main__":
    main()
