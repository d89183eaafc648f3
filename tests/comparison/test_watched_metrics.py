"""Without a policy, what is judged follows from the baseline: no metric vanishes."""

from pathlib import Path

import numpy as np
import pytest

from metricgate.compare import compare_files
from metricgate.models.outcome import Outcome, Verdict
from tests.cli.tables import write_churn, write_rows


def write_scores(path: Path, values: object, name: str = "score") -> Path:
    return write_rows(path, ("id", name), enumerate(np.asarray(values).tolist()))


def test_one_score_above_one_does_not_remove_a_failed_metric(tmp_path: Path) -> None:
    baseline, worse = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=3.0)
    lines = worse.read_text(encoding="utf-8").splitlines()
    first = lines[1].split(",")
    lines[1] = ",".join([*first[:2], "1.000001", *first[3:]])
    (tmp_path / "c.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    honest = compare_files(baseline, worse, policy=None, columns={})
    report = compare_files(baseline, tmp_path / "c.csv", policy=None, columns={})

    assert honest.verdict is Verdict.FAILED
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert [gate.metric for gate in report.gates] == [gate.metric for gate in honest.gates]
    (accuracy,) = (gate for gate in report.gates if gate.metric == "accuracy")
    assert accuracy.outcome is Outcome.ERROR
    assert "it is not a probability" in accuracy.reason


def test_a_column_that_only_the_baseline_has_is_an_error(tmp_path: Path) -> None:
    names = ("id", "label", "prediction", "score")
    rows = [(row, row % 2, row % 2, 0.9 * (row % 2)) for row in range(100)]
    baseline = write_rows(tmp_path / "a.csv", names, rows)
    candidate = write_rows(tmp_path / "b.csv", names[:3], [row[:3] for row in rows])

    report = compare_files(baseline, candidate, policy=None, columns={})

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert "b.csv has no column 'score' (score)" in report.reason


@pytest.mark.parametrize(
    ("name", "scale", "loss", "verdict"),
    [
        ("score", 1.0, 0.1, Verdict.FAILED),
        ("score", 1.0, -0.1, Verdict.PASSED),
        ("score", 100.0, 10.0, Verdict.FAILED),
        ("score", 100.0, 0.1, Verdict.PASSED),
        ("error_score", 1.0, -0.1, Verdict.FAILED),
        ("error_score", 1.0, 0.1, Verdict.PASSED),
    ],
)
def test_scores_without_a_policy_are_judged_by_their_means(
    tmp_path: Path, name: str, scale: float, loss: float, verdict: Verdict
) -> None:
    rng = np.random.default_rng(5)
    values = scale * rng.uniform(0.3, 0.7, 500)
    change = values - loss + scale * rng.normal(0, 0.02, 500)
    baseline = write_scores(tmp_path / "a.csv", values, name)

    report = compare_files(
        baseline, write_scores(tmp_path / "b.csv", change, name), policy=None, columns={"task": "score"}
    )

    assert [gate.metric for gate in report.gates] == [f"mean({name})"]
    assert report.verdict is verdict


def test_scores_without_a_score_column_are_an_error_that_says_how_to_name_it(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "a.csv", ("id", "quality"), [(1, 0.5), (2, 0.7)])

    report = compare_files(file, file, policy=None, columns={"task": "score"})

    assert report.exit_code == 3
    assert report.failure is not None
    assert "--score" in report.failure.fix


@pytest.mark.parametrize("missing", ["a.csv", "b.csv"])
@pytest.mark.parametrize("policy", ["predictions: {path: p.csv, label: churned, score: churn_probability}", ""])
def test_a_file_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path, missing: str, policy: str) -> None:
    write_churn(tmp_path / "a.csv")
    write_churn(tmp_path / "b.csv")
    (tmp_path / missing).unlink()
    file = tmp_path / "metricgate.yaml"
    file.write_text(policy, encoding="utf-8")

    report = compare_files(tmp_path / "a.csv", tmp_path / "b.csv", policy=file if policy else None, columns={})

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert report.reason == f"{tmp_path / missing} does not exist."


def test_a_baseline_file_without_the_named_column_is_exit_code_3(tmp_path: Path) -> None:
    baseline = write_rows(tmp_path / "a.csv", ("label", "score"), [(1, 0.9), (0, 0.1)])
    candidate = write_rows(tmp_path / "b.csv", ("label", "probability"), [(1, 0.9), (0, 0.1)])
    file = tmp_path / "metricgate.yaml"
    file.write_text("predictions: {path: p.csv, label: label, score: probability}\n", encoding="utf-8")

    report = compare_files(baseline, candidate, policy=file, columns={})

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert "a.csv has no column 'probability'" in report.reason
