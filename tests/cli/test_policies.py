"""What policies can ask for, on prediction files: kinds of gates, groups, formulas, anchors, missing columns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metricgate.compare import compare_files
from metricgate.judging import Case, judge
from metricgate.models.outcome import Verdict
from metricgate.models.snapshot import FileMetric, RevisionInfo, Snapshot, Source, Unreadable
from metricgate.report.value import Report
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import PolicyChoice
from tests.cli.tables import POLICY, write_churn, write_rows

HEAD = POLICY.partition("gates:")[0]


def compare(tmp_path: Path, one: Path, other: Path, policy: str) -> Report:
    file = tmp_path / "metricgate.yaml"
    file.write_text(policy, encoding="utf-8")
    return compare_files(one, other, policy=file, columns={})


def snapshot(name: str, *metrics: FileMetric, predictions: dict[str, Path] | None = None) -> Snapshot:
    info = RevisionInfo(revision="a" * 40, name=name, source=Source.GIT)
    return Snapshot(info=info, metrics=metrics, predictions=predictions or {})


def judge_snapshots(
    policy: str, baseline: Snapshot | None, candidate: Snapshot, anchor: Snapshot | None = None
) -> Report:
    read = read_policy(policy, origin="metricgate.yaml")
    choice = PolicyChoice(judging=read, baseline=read, candidate=read, origin="metricgate.yaml")
    return judge(Case(baseline=baseline, candidate=candidate, choice=choice, anchor=anchor))


def number(key: str, value: float | None, problem: str = "") -> FileMetric:
    return FileMetric(file="metrics.json", key=key, value=value, problem=problem)


def test_a_word_error_rate_is_gated_as_a_formula_of_row_sums(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    words = rng.integers(5, 40, 800)
    errors = rng.binomial(words, 0.08)
    worse = rng.binomial(words, 0.11)
    files = [
        write_rows(tmp_path / name, ("id", "errors", "words"), zip(range(800), counts, words, strict=True))
        for name, counts in (("a.csv", errors), ("b.csv", worse))
    ]
    policy = (
        "predictions: {path: p.csv, id: id, task: score}\ngates: [{metric: sum(errors)/sum(words), max_increase: 5%}]"
    )

    report = compare(tmp_path, files[0], files[1], policy)

    (gate,) = report.gates
    assert report.verdict is Verdict.FAILED
    assert gate.baseline == pytest.approx(errors.sum() / words.sum(), abs=1e-12)
    assert gate.bound == pytest.approx(0.05 * errors.sum() / words.sum())
    assert gate.low is not None
    assert gate.low < worse.sum() / words.sum() - errors.sum() / words.sum()


def test_few_groups_cannot_settle_a_required_gate(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    rows = [(i, int(rng.random() < 0.4), round(float(rng.random()), 4), i % 6) for i in range(600)]
    other = [(i, y, round(float(rng.random()), 4), group) for i, y, _, group in rows]
    columns = ("id", "label", "score", "household")
    policy = (
        "predictions: {path: p.csv, id: id, label: label, score: score, group: household}\n"
        "gates: [{metric: accuracy, max_drop: 0.9}]"
    )

    report = compare(
        tmp_path, write_rows(tmp_path / "a.csv", columns, rows), write_rows(tmp_path / "b.csv", columns, other), policy
    )

    assert (report.verdict, report.gates[0].reason_code) == (Verdict.INCONCLUSIVE, "too_few_groups")


def test_a_demanded_gain_that_is_not_there_fails_and_identical_models_do_not_pass_it(tmp_path: Path) -> None:
    policy = HEAD + "gates: [{metric: roc_auc, min_gain: 0.02}]"
    worse = write_churn(tmp_path / "worse.csv", noise=1.2)
    same = write_churn(tmp_path / "same.csv")

    assert compare(tmp_path, worse, same, policy).verdict is Verdict.PASSED
    assert compare(tmp_path, same, worse, policy).verdict is Verdict.FAILED
    assert compare(tmp_path, same, write_churn(tmp_path / "twin.csv"), policy).verdict is Verdict.FAILED


def test_confidence_demands_that_the_bound_clears_the_bar(tmp_path: Path) -> None:
    file = write_churn(tmp_path / "a.csv", rows=400)
    value = next(row for row in compare(tmp_path, file, file, HEAD).metrics if row.name == "accuracy").candidate
    assert value is not None

    plain = compare(tmp_path, file, file, HEAD + f"gates: [{{metric: accuracy, min: {value - 0.005}}}]")
    confident = compare(
        tmp_path, file, file, HEAD + f"gates: [{{metric: accuracy, min: {value - 0.005}, confident: true}}]"
    )

    assert plain.verdict is Verdict.PASSED
    assert (confident.verdict, confident.gates[0].reason_code) == (
        Verdict.INCONCLUSIVE,
        "bar_not_cleared_with_confidence",
    )


@pytest.mark.parametrize(
    ("baseline", "candidate", "outcome", "code", "exit_code"),
    [
        (number("f1", 0.80), number("f1", 0.79), "passed", "number_within_margin", 0),
        (number("f1", 0.80), number("f1", 0.78), "failed", "number_beyond_margin", 1),
        (number("f1", 0.80), number("other", 0.8), "error", "candidate_absent", 4),
        (number("f1", 0.80), number("f1", None, "is NaN"), "error", "candidate_not_a_number", 4),
        (number("f1", None, "is NaN"), number("f1", 0.8), "inconclusive", "baseline_not_a_number", 0),
        (number("other", 0.80), number("f1", 0.8), "skipped", "absent", 0),
        (number("other", 0.80), number("other", 0.8), "skipped", "absent", 0),
    ],
)
def test_a_number_of_a_file_is_skipped_only_where_the_baseline_never_had_it(
    baseline: FileMetric, candidate: FileMetric, outcome: str, code: str, exit_code: int
) -> None:
    report = judge_snapshots(
        "gates: [{metric: 'metrics.json:f1', max_drop: 0.01}]", snapshot("main", baseline), snapshot("topic", candidate)
    )

    (gate,) = report.gates
    assert (gate.outcome.value, gate.reason_code, report.exit_code) == (outcome, code, exit_code)


def test_an_unreadable_metrics_file_is_an_error_and_never_no_change() -> None:
    broken = replace(snapshot("topic"), problems=(Unreadable(what="metrics.json", reason="line 1: it is not JSON"),))

    report = judge_snapshots(
        "gates: [{metric: 'metrics.json:f1', max_drop: 0.01}]", snapshot("main", number("f1", 0.8)), broken
    )

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 4)
    assert "not JSON" in report.gates[0].reason


@pytest.mark.parametrize(("value", "outcome"), [(-1.0, "error"), (0.0, "error"), (2.0, "failed")])
def test_a_percentage_needs_a_positive_baseline(value: float, outcome: str) -> None:
    report = judge_snapshots(
        "gates: [{metric: 'metrics.json:cost', max_increase: 5%}]",
        snapshot("main", number("cost", value)),
        snapshot("topic", number("cost", value + 1)),
    )

    assert report.gates[0].outcome.value == outcome
    assert report.exit_code == {"error": 2, "failed": 1}[outcome]


def test_seconds_of_another_day_are_shown_and_do_not_decide() -> None:
    policy = "gates: [{metric: 'metrics.json:train_seconds', max_increase: 10%}]"
    slow, fast = number("train_seconds", 90.0), number("train_seconds", 10.0)

    report = judge_snapshots(policy, snapshot("main", fast), snapshot("topic", slow))

    assert (report.verdict, report.gates[0].reason_code) == (Verdict.SKIPPED, "advisory")
    assert report.gates[0].difference == pytest.approx(80.0)


def test_without_a_baseline_absolute_gates_judge_and_relative_ones_are_skipped(tmp_path: Path) -> None:
    predictions = {"": write_churn(tmp_path / "a.csv")}

    report = judge_snapshots(POLICY, None, snapshot("topic", predictions=predictions))

    assert report.verdict is Verdict.PASSED
    outcomes = {(gate.kind, gate.slice is None): gate.outcome.value for gate in report.gates}
    assert outcomes == {("max_drop", True): "skipped", ("min", True): "passed", ("max_drop", False): "skipped"}


def test_a_baseline_without_predictions_skips_visibly(tmp_path: Path) -> None:
    predictions = {"": write_churn(tmp_path / "a.csv")}

    report = judge_snapshots(POLICY, snapshot("main"), snapshot("topic", predictions=predictions))

    assert report.verdict is Verdict.PASSED
    assert "no_baseline_predictions" in {warning.code for warning in report.warnings}


def test_predictions_that_the_candidate_no_longer_writes_are_an_error(tmp_path: Path) -> None:
    predictions = {"": write_churn(tmp_path / "a.csv")}

    report = judge_snapshots(POLICY, snapshot("main", predictions=predictions), snapshot("topic"))

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)


ANCHORED = HEAD + (
    "anchor: {revision: v1, max_drop: {roc_auc: 0.02}}\ngates: [{metric: roc_auc, max_drop: 0.01, role: guardrail}]"
)


def test_small_losses_that_add_up_are_stopped_by_the_anchor(tmp_path: Path) -> None:
    released, main, topic = (
        snapshot(name, predictions={"": write_churn(tmp_path / f"{name}.csv", noise=noise, rows=6000)})
        for name, noise in (("v1", 0.0), ("main", 1.0), ("topic", 1.05))
    )

    report = judge_snapshots(ANCHORED, main, topic, released)

    anchor = next(gate for gate in report.gates if gate.anchor)
    assert report.verdict is Verdict.FAILED
    assert anchor.outcome.value == "failed"
    assert "before this pull request" in anchor.reason


def test_the_anchor_never_blocks_a_pull_request_that_does_not_lower_the_metric(tmp_path: Path) -> None:
    released, main, topic = (
        snapshot(name, predictions={"": write_churn(tmp_path / f"{name}.csv", noise=noise, rows=6000)})
        for name, noise in (("v1", 0.0), ("main", 1.05), ("topic", 1.0))
    )

    report = judge_snapshots(ANCHORED, main, topic, released)

    assert report.verdict is Verdict.PASSED
    assert {gate.reason_code for gate in report.gates if gate.anchor} == {"lost_before"}


def test_several_prediction_sets_are_judged_each_by_its_gates(tmp_path: Path) -> None:
    policy = """\
predictions:
  golden: {path: golden.csv, id: customer_id, label: churned, score: churn_probability}
  last_month: {path: month.csv, id: customer_id, label: churned, score: churn_probability}
gates:
  - {metric: roc_auc, set: golden, max_drop: 0.01}
  - {metric: roc_auc, set: last_month, max_drop: 0.01}
"""
    good, bad = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=1.5)

    report = judge_snapshots(
        policy,
        snapshot("main", predictions={"golden": good, "last_month": good}),
        snapshot("topic", predictions={"golden": good, "last_month": bad}),
    )

    assert [(gate.set, gate.outcome.value) for gate in report.gates] == [("golden", "passed"), ("last_month", "failed")]
    assert [pairing.set for pairing in report.pairings] == ["golden", "last_month"]


def test_a_written_number_that_contradicts_the_predictions_is_warned_of(tmp_path: Path) -> None:
    predictions = {"": write_churn(tmp_path / "a.csv")}
    honest = next(
        row.candidate
        for row in judge_snapshots(POLICY, None, snapshot("t", predictions=predictions)).metrics
        if row.name == "accuracy" and row.slice is None
    )
    assert honest is not None

    def codes(written: float) -> set[str]:
        metrics = number("accuracy", written)
        report = judge_snapshots(POLICY, None, snapshot("topic", metrics, predictions=predictions))
        return {warning.code for warning in report.warnings}

    assert "disagreement" in codes(0.99)
    assert "disagreement" not in codes(round(honest, 4))


SETS = """\
predictions:
  golden: {path: golden.csv, id: customer_id, label: churned, score: churn_probability}
  other: {path: other.csv, id: customer_id, label: churned, score: churn_probability}
gates: [{metric: roc_auc, set: golden, max_drop: 0.01}]
"""


def test_removing_a_prediction_set_does_not_avoid_its_gate(tmp_path: Path) -> None:
    good = write_churn(tmp_path / "a.csv")
    judging = read_policy(SETS, origin="metricgate.yaml")
    less = SETS.partition("gates:")[0].replace("golden: {path: golden.csv", "renamed: {path: golden.csv")
    candidate = read_policy(less, origin="metricgate.yaml")
    choice = PolicyChoice(judging=judging, baseline=judging, candidate=candidate, origin="metricgate.yaml")

    report = judge(
        Case(
            baseline=snapshot("main", predictions={"golden": good, "other": good}),
            candidate=snapshot("topic", predictions={"renamed": good, "other": good}),
            choice=choice,
        )
    )

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert report.failure is not None
    assert "golden.csv" in report.failure.what


def test_an_unreadable_baseline_settles_nothing_and_lets_its_repair_be_merged(tmp_path: Path) -> None:
    broken = write_churn(tmp_path / "broken.csv", rows=60, churn_probability="nan")
    good = write_churn(tmp_path / "good.csv", rows=60)

    report = judge_snapshots(
        POLICY, snapshot("main", predictions={"": broken}), snapshot("topic", predictions={"": good})
    )

    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 0)
    assert {gate.reason_code for gate in report.gates if gate.kind == "max_drop"} == {"baseline_unreadable"}
    assert "unreadable_baseline" in {warning.code for warning in report.warnings}
