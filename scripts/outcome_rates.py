"""Measure how often a change ends in each state, by its true loss and the number of rows, and write it into the docs.

python scripts/outcome_rates.py [--changes 2000]
"""

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from metricgate.gates.judgement import Gain, Judgement, judge_gain
from metricgate.models.outcome import Outcome, Role
from metricgate.models.samples import FloatArray, Sample, SamplePair
from metricgate.stats.contrast import contrast
from metricgate.stats.registry import find_metric

DOCS = Path(__file__).resolve().parent.parent / "docs"
ROWS = (50, 500, 5000)
LOSSES = (0.0, 0.5, 2.0)  # in margins: two that are allowed, and one that is not
ALLOWED = (0.0, 0.5, 0.8, 1.0)
TAIL = 0.025
RIGHT = 0.9  # of the baseline's answers
DIFFERING = 0.06  # rows on which exactly one model is right
AUC = 0.85
LIKENESS = 0.9  # of both models' noise
Draw = Callable[[np.random.Generator, int, float], SamplePair]
STATES = ("passed", "undecided, estimate within", "undecided, estimate beyond", "failed")


def draw_answers(rng: np.random.Generator, rows: int, loss: float) -> SamplePair:
    """Return predicted labels of two models that differ on a few rows; the candidate's accuracy is lower by ``loss``."""
    differing = max(DIFFERING, loss)
    shares = (RIGHT - (differing + loss) / 2, (differing + loss) / 2, (differing - loss) / 2)
    kind = rng.choice(4, rows, p=(*shares, 1 - sum(shares)))
    label = rng.integers(0, 2, rows).astype(np.int8)
    sides = [np.where(np.isin(kind, right), label, 1 - label) for right in ((0, 1), (0, 2))]
    return SamplePair(baseline=_sample(label, sides[0]), candidate=_sample(label, sides[1]))


def draw_scores(rng: np.random.Generator, rows: int, loss: float) -> SamplePair:
    """Return scores of two models on rows of which half are positive; the candidate's ROC AUC is lower by ``loss``."""
    label = (rng.permutation(rows) < rows / 2).astype(np.int8)
    shared = rng.standard_normal(rows)
    sides = []
    for auc in (AUC, AUC - loss):
        strength = sqrt(2) * NormalDist().inv_cdf(auc)
        noise = sqrt(LIKENESS) * shared + sqrt(1 - LIKENESS) * rng.standard_normal(rows)
        sides.append(1 / (1 + np.exp(-strength * (strength / 2 * (2.0 * label - 1) + noise))))
    one, other = (_sample(label, (scores >= 0.5).astype(np.int8), scores) for scores in sides)
    return SamplePair(baseline=one, candidate=other)


def _sample(label: NDArray[Any], prediction: NDArray[Any], scores: FloatArray | None = None) -> Sample:
    return Sample(
        task="binary", rows=len(label), label=label, prediction=prediction, scores=scores, classes=("No", "Yes")
    )


def judge_change(pair: SamplePair, name: str, margin: float) -> Judgement:
    """Return what a required gate, alone in its policy, makes of one change."""
    found = contrast(pair, find_metric(name, task="binary"))
    low, high = found.interval(TAIL)
    gain = Gain(estimate=found.estimate, low=low, high=high, high_difference=high)
    return judge_gain(gain, allowed_loss=margin, role=Role.REQUIRED)


@dataclass(frozen=True, kw_only=True)
class SimulatedGate:
    """A required gate, and how the changes that it judges are drawn."""

    metric: str
    margin: float
    draw: Draw


GATES = (
    SimulatedGate(metric="accuracy", margin=0.02, draw=draw_answers),
    SimulatedGate(metric="roc_auc", margin=0.01, draw=draw_scores),
)
STRICT = SimulatedGate(metric="accuracy", margin=0.01, draw=draw_answers)


def count_states(gate: SimulatedGate, rows: int, loss: float, changes: int) -> Counter[str]:
    """Return how many of ``changes`` end in each state, and how many have each reason code."""
    rng = np.random.default_rng([rows, round(1e6 * loss), round(1e6 * gate.margin)])
    states: Counter[str] = Counter()
    for _ in range(changes):
        judgement = judge_change(gate.draw(rng, rows, loss), gate.metric, gate.margin)
        states[_name_state(judgement)] += 1
        states[judgement.code] += 1
    return states


def _name_state(judgement: Judgement) -> str:
    if judgement.outcome is Outcome.INCONCLUSIVE:
        return STATES[2] if judgement.beyond else STATES[1]
    return judgement.outcome.value


def draw_states(changes: int) -> str:
    """Return the table of docs/policy.md: each state of harmless and harmful changes."""
    cells = []
    for gate in GATES:
        for rows in ROWS:
            for times in LOSSES:
                states = count_states(gate, rows, times * gate.margin, changes)
                shares = [f"{states[state] / changes:.0%}" for state in STATES]
                change = f"{'harmful' if times > 1 else 'harmless'}: {times * gate.margin:g}"
                cells.append((f"`{gate.metric}`, {gate.margin:g}", f"{rows:,}", change, *shares))
    return _draw(("gate", "rows", "change, true loss", *STATES), cells, first=1)


def draw_allowed(changes: int) -> str:
    """Return the table of docs/statistics.md: how often a loss that is allowed fails, and by which clause."""
    cells = []
    for rows in (500, 5000, 50000):
        for times in ALLOWED:
            states = count_states(STRICT, rows, times * STRICT.margin, changes)
            clauses = (states["beyond_margin"], states["worse_probably_beyond"])
            cells.append((f"{rows:,}", f"{times:g}", *(f"{count / changes:.1%}" for count in clauses)))
    header = ("rows", "true loss, in margins", "failed: beyond the margin", "failed: certainly worse; probably beyond")
    return _draw(header, cells, first=0)


def _draw(header: Sequence[str], cells: Sequence[Sequence[str]], *, first: int) -> str:
    sides = ["left"] * first + ["right"] * (len(header) - first)
    table = tabulate(cells, header, tablefmt="pipe", disable_numparse=True, colalign=sides)
    return re.sub(r"-{4,}", "---", re.sub(r" {2,}", " ", table))


def replace_table(page: Path, mark: str, table: str) -> None:
    """Write the table between its marks in a page."""
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- {mark} -->", "<!-- end -->"
    before, found, rest = text.partition(start)
    if not found:
        raise SystemExit(f"{page} has no {start}")
    after = rest.partition(end)[2]
    page.write_text(f"{before}{start}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def _tables(changes: int) -> Iterator[tuple[Path, str, str]]:
    yield DOCS / "policy.md", "outcome rates", draw_states(changes)
    yield DOCS / "statistics.md", "allowed losses that fail", draw_allowed(changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=2000, help="simulated changes for each line")
    changes = parser.parse_args().changes
    for page, mark, table in _tables(changes):
        replace_table(page, mark, table)
        print(f"{page}: {mark}\n\n{table}\n")


if __name__ == "__main__":
    main()
