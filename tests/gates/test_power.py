"""What gates can catch: the analytic answer against known losses injected into real predictions."""

import csv
import re
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from metricgate.compare import assess_files
from metricgate.comparison.subject import Subject
from metricgate.gates.assessment import assess_relative_rules
from metricgate.gates.relative import judge_relative_rules
from metricgate.gates.rules import Rule, expand_gates
from metricgate.models.outcome import Direction, Outcome
from metricgate.models.result import Pairing
from metricgate.models.samples import FloatArray, IntArray, Sample, SamplePair
from metricgate.predictions import PairedSet, Predictions, read_predictions
from metricgate.settings.policy import GateSpec, PredictionsSpec
from metricgate.stats.power import GatePower, assess_power, assume_se, reach_by_normal
from metricgate.stats.registry import find_metric
from tests.cli.tables import POLICY, write_churn

TAIL = 0.025
PULL_REQUESTS = 400
GATE = GateSpec.model_validate({"metric": "accuracy", "max_drop": 0.02})


def read_churn(template: Path) -> tuple[IntArray, FloatArray]:
    """Read the label and the score of the trained baseline on the real test customers."""
    with (template / "churn/eval/predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([row["churned"] in {"Yes", "1"} for row in rows], dtype=np.int64)
    return labels, np.array([float(row["churn_probability"]) for row in rows])


def make_subject(template: Predictions, label: IntArray, before: IntArray, after: IntArray) -> Subject:
    baseline = Sample(task="binary", rows=len(label), label=label, prediction=before, classes=("No", "Yes"))
    candidate = Sample(task="binary", rows=len(label), label=label, prediction=after, classes=("No", "Yes"))
    return pair_up(template, baseline, candidate)


def pair_up(template: Predictions, baseline: Sample, candidate: Sample) -> Subject:
    rows = baseline.rows
    pairing = Pairing(path="p.csv", task="binary", method="id", rows=rows, baseline_rows=rows, candidate_rows=rows)
    paired = PairedSet(pair=SamplePair(baseline=baseline, candidate=candidate), slices={}, pairing=pairing)
    return Subject(name="", candidate=template, paired=paired)


def read_template(folder: Path) -> Predictions:
    return read_predictions(
        write_churn(folder / "any.csv", rows=60),
        PredictionsSpec(path="any.csv", label="churned", score="churn_probability"),
    )


@pytest.mark.parametrize("name", ["roc_auc", "log_loss"])
def test_noise_added_to_real_scores_is_caught_as_often_as_the_analytic_answer_says(
    churn_template: Path, tmp_path: Path, name: str
) -> None:
    """The noise costs as much as the mean of 40 draws of it on all rows; half of that is allowed."""
    label, score = read_churn(churn_template)
    logit = np.log(score / (1 - score))
    rng = np.random.default_rng(8)
    metric = find_metric(name, task="binary")

    def sample(rows: IntArray, noise: float) -> Sample:
        scores = 1 / (1 + np.exp(-logit[rows] - noise * rng.standard_normal(len(rows))))
        return Sample(task="binary", rows=len(rows), label=label[rows], scores=scores, classes=("No", "Yes"))

    every = np.arange(len(label))
    noisy = np.mean([metric.evaluate(sample(every, 0.6)).value for _ in range(40)])
    loss = abs(float(noisy) - metric.evaluate(sample(every, 0.0)).value)
    key = "max_drop" if metric.direction is Direction.HIGHER else "max_increase"
    rule = expand_gates([GateSpec.model_validate({"metric": name, key: loss / 2})], {"": {}})[0]
    template, outcomes, analytic = read_template(tmp_path), [], []
    for _ in range(PULL_REQUESTS):
        rows = rng.integers(0, len(label), len(label))
        subject = pair_up(template, sample(rows, 0.0), sample(rows, 0.6))
        outcomes.append(judge_relative_rules([(rule, subject)], tail=TAIL)[0].outcome)
        analytic.append(assess_relative_rules([(rule, subject)], tail=TAIL)[0].power.catches_twice)

    caught = outcomes.count(Outcome.FAILED) / PULL_REQUESTS
    assert 0.2 < caught < 0.98
    assert caught == pytest.approx(float(np.mean(analytic)), abs=4 * sqrt(0.25 / PULL_REQUESTS))


def assess(se: float, rows: int, margin: float) -> GatePower:
    return assess_power(se, rows, margin, reach_by_normal(se, passing_tail=TAIL, failing_tail=TAIL))


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.04])
def test_injected_losses_are_caught_as_often_as_the_analytic_answer_says(
    churn_template: Path, tmp_path: Path, loss: float
) -> None:
    label, score = read_churn(churn_template)
    template = read_template(tmp_path)
    rng = np.random.default_rng(20)
    predicted = (score >= 0.5).astype(np.int64)
    right = predicted == label
    accuracy = right.mean()
    # A candidate that mends 12 % of the errors, and breaks as many right answers as the loss needs.
    mends = 0.12
    breaks = (loss + mends * (1 - accuracy)) / accuracy
    rule: Rule = expand_gates([GATE], {"": {}})[0]
    failed = passed = 0
    analytic: list[tuple[float, float]] = []
    for _ in range(PULL_REQUESTS):
        rows = rng.integers(0, len(label), len(label))
        flips = rng.random(len(rows)) < np.where(right[rows], breaks, mends)
        before = predicted[rows]
        subject = make_subject(template, label[rows], before, np.where(flips, 1 - before, before))
        (gate,) = judge_relative_rules([(rule, subject)], tail=TAIL)
        failed += gate.outcome is Outcome.FAILED
        passed += gate.outcome is Outcome.PASSED
        (power,) = assess_relative_rules([(rule, subject)], tail=TAIL)
        caught = {0.0: 0.0, 0.02: power.power.catches_margin, 0.04: power.power.catches_twice}[loss]
        analytic.append((caught, power.power.settles_equal))

    expected_failed, expected_passed = np.mean(analytic, axis=0)
    tolerance = 4 * sqrt(0.25 / PULL_REQUESTS)
    assert failed / PULL_REQUESTS == pytest.approx(expected_failed, abs=tolerance)
    if loss == 0:
        assert passed / PULL_REQUESTS == pytest.approx(expected_passed, abs=tolerance)


def test_more_rows_and_wider_margins_settle_more() -> None:
    small = assess(0.010, 1000, 0.02)
    large = assess(0.005, 4000, 0.02)
    wide = assess(0.010, 1000, 0.04)

    assert small.settles_equal < min(large.settles_equal, wide.settles_equal)
    assert small.rows_to_settle == large.rows_to_settle
    assert large.settled_margin == pytest.approx(small.settled_margin / 2)
    # The rows that settle 0.02 make its standard error (1.96 + 0.84) times smaller than 0.02.
    assert small.rows_to_settle == pytest.approx(1000 * ((1.959964 + 0.841621) * 0.010 / 0.02) ** 2, abs=1)


def test_a_margin_that_no_test_set_settles_needs_no_number_of_rows() -> None:
    for margin in (0.0, 1e-300):
        assert assess(0.010, 1000, margin).rows_to_settle is None


def test_a_narrow_test_set_needs_a_loss_beyond_its_noise() -> None:
    power = assess(0.02, 300, 0.01)

    assert power.catches_margin < 0.1
    assert power.detectable_loss == pytest.approx((1.959964 + 0.841621) * 0.02, rel=1e-5)


def test_a_percentage_of_one_model_assumes_as_much_as_its_size_in_the_unit_of_the_metric(tmp_path: Path) -> None:
    """2 % of an accuracy of 0.8 is 0.016, whatever the key; two copies of one file do not differ."""
    path = write_churn(tmp_path / "a.csv", noise=0.5)
    policy = tmp_path / "metricgate.yaml"
    answers = []
    for margin in ("2%", str(0.02 * read_accuracy(path))):
        policy.write_text(POLICY.split("gates:")[0] + f"gates: [{{metric: accuracy, max_drop: {margin}}}]", "utf-8")
        table = assess_files([path], policy=policy, details=True).split("\n\n")[1]
        answers.append(tuple(table.splitlines()[3].split()[-3:]))

    assert answers[0] == answers[1]


def read_accuracy(path: Path) -> float:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return float(np.mean([(float(row["churn_probability"]) >= 0.5) == (row["churned"] == "Yes") for row in rows]))


def test_one_file_assumes_how_far_models_differ_and_two_files_measure_it(tmp_path: Path) -> None:
    one, other = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.3)
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(POLICY, encoding="utf-8")

    assumed = assess_files([one], policy=policy)
    measured = assess_files([one, other], policy=policy, details=True)

    assert "assumed to correlate 0.8" in assumed
    assert "assumed" not in measured
    assert "max_drop: 0.01" in measured
    assert assume_se(0.1) == pytest.approx(0.1 * sqrt(0.4))


def test_power_leads_with_one_sentence_a_gate_and_hides_the_table(tmp_path: Path) -> None:
    one, other = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.3)
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(POLICY, encoding="utf-8")

    first, *others = assess_files([one, other], policy=policy).splitlines()

    assert re.fullmatch(
        r"roc_auc: With 1,409 rows, a drop of 0\.0\d+ is caught in 4 of 5 pull requests; "
        r"(your margin of 0\.01 needs about [\d,]+|they settle your margin of 0\.01 where the models are equal)\.",
        first,
    )
    assert len(others) == 4
    assert "settles" not in "".join(others)
    assert others[-1].endswith("a guardrail lets everything else pass.")
