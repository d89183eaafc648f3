"""What gates can catch: the analytic answer against known losses injected into real predictions."""

import csv
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from metricgate.compare import assess_files
from metricgate.comparison.subject import Subject
from metricgate.models.outcome import Outcome
from metricgate.models.result import Pairing
from metricgate.models.samples import FloatArray, IntArray, Sample, SamplePair
from metricgate.policy.assessment import assess_relative_rules
from metricgate.policy.relative import judge_relative_rules
from metricgate.policy.rules import Rule, expand_gates
from metricgate.predictions import PairedSet, Predictions, read_predictions
from metricgate.settings.policy import GateSpec, PredictionsSpec
from metricgate.stats.power import assess_power, assume_se
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
    pairing = Pairing(
        path="p.csv",
        task="binary",
        method="id",
        rows=len(label),
        baseline_rows=len(label),
        candidate_rows=len(label),
    )
    paired = PairedSet(pair=SamplePair(baseline=baseline, candidate=candidate), slices={}, pairing=pairing)
    return Subject(name="", candidate=template, paired=paired)


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.04])
def test_injected_losses_are_caught_as_often_as_the_analytic_answer_says(
    churn_template: Path, tmp_path: Path, loss: float
) -> None:
    label, score = read_churn(churn_template)
    template = read_predictions(
        write_churn(tmp_path / "any.csv", rows=60),
        PredictionsSpec(path="any.csv", label="churned", score="churn_probability"),
    )
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
    small = assess_power(0.010, 1000, 0.02, passing_tail=TAIL, failing_tail=TAIL)
    large = assess_power(0.005, 4000, 0.02, passing_tail=TAIL, failing_tail=TAIL)
    wide = assess_power(0.010, 1000, 0.04, passing_tail=TAIL, failing_tail=TAIL)

    assert small.settles_equal < min(large.settles_equal, wide.settles_equal)
    assert small.rows_to_settle == large.rows_to_settle
    assert large.settled_margin == pytest.approx(small.settled_margin / 2)
    # The rows that settle 0.02 make its standard error (1.96 + 0.84) times smaller than 0.02.
    assert small.rows_to_settle == pytest.approx(1000 * ((1.959964 + 0.841621) * 0.010 / 0.02) ** 2, abs=1)


def test_a_narrow_test_set_needs_a_loss_beyond_its_noise() -> None:
    power = assess_power(0.02, 300, 0.01, passing_tail=TAIL, failing_tail=TAIL)

    assert power.catches_margin < 0.1
    assert power.detectable_loss == pytest.approx((1.959964 + 0.841621) * 0.02, rel=1e-5)


def test_one_file_assumes_how_far_models_differ_and_two_files_measure_it(tmp_path: Path) -> None:
    one, other = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.3)
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(POLICY, encoding="utf-8")

    assumed = assess_files([one], policy=policy)
    measured = assess_files([one, other], policy=policy)

    assert "assumed to correlate 0.8" in assumed
    assert "assumed" not in measured
    assert "max_drop: 0.01" in measured
    assert assume_se(0.1) == pytest.approx(0.1 * sqrt(0.4))
