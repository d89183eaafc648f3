"""`metricgate compare`, through its real entry point."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metricgate.compare import compare_files
from metricgate.models.outcome import Verdict
from metricgate.report.value import Report
from tests.cli.tables import COLUMNS, POLICY, write_churn, write_rows

OPTIONS: dict[str, Any] = {"label": "churned", "score": "churn_probability", "id_": ("customer_id",)}


def compare(baseline: Path, candidate: Path, policy: str | None = None, **columns: Any) -> Report:
    if policy is None:
        return compare_files(baseline, candidate, policy=None, columns=columns or OPTIONS)
    file = candidate.parent / "metricgate.yaml"
    file.write_text(policy, encoding="utf-8")
    return compare_files(baseline, candidate, policy=file, columns=columns)


def run_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "metricgate", *arguments],
        cwd=cwd,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def outcomes(report: Report) -> dict[str, tuple[str, str]]:
    return {gate.rule: (gate.outcome.value, gate.reason_code) for gate in report.gates}


def test_a_worse_model_fails_and_the_whole_command_says_so(tmp_path: Path) -> None:
    write_churn(tmp_path / "main.csv")
    write_churn(tmp_path / "branch.csv", noise=1.2)
    (tmp_path / "metricgate.yaml").write_text(POLICY, encoding="utf-8")

    done = run_command("compare", "main.csv", "branch.csv", "--policy", "metricgate.yaml", "--json", "-", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "failed"
    assert report == json.loads((tmp_path / "metricgate-report" / "report.json").read_text())
    assert "ROC AUC" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in (tmp_path / "metricgate-report").iterdir()} >= {"report.md", "report.html", "charts"}


@pytest.mark.parametrize("name", ["main.csv", "metricgate.yaml"])
def test_a_file_that_is_no_report_is_not_written_over(tmp_path: Path, name: str) -> None:
    write_churn(tmp_path / "main.csv")
    (tmp_path / "metricgate.yaml").write_text(POLICY, encoding="utf-8")
    before = (tmp_path / name).read_bytes()

    refused = run_command(
        "compare", "main.csv", "main.csv", "--policy", "metricgate.yaml", "--json", name, cwd=tmp_path
    )

    assert refused.returncode == 2, refused.stderr
    assert f"The file {name} exists, and is not a report." in refused.stderr
    assert (tmp_path / name).read_bytes() == before
    assert not (tmp_path / "metricgate-report").exists()


def test_an_earlier_report_is_written_over(tmp_path: Path) -> None:
    write_churn(tmp_path / "main.csv")
    (tmp_path / "metricgate.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "report.json").write_text('{\n  "schema_version": 1}', encoding="utf-8")

    done = run_command(
        "compare", "main.csv", "main.csv", "--policy", "metricgate.yaml", "--json", "report.json", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["verdict"] == "passed"


def test_identical_predictions_are_no_change(tmp_path: Path) -> None:
    file = write_churn(tmp_path / "a.csv")

    report = compare(file, write_churn(tmp_path / "b.csv"), POLICY)

    assert report.verdict is Verdict.PASSED
    relative = [gate for gate in report.gates if gate.kind == "max_drop"]
    assert {(gate.difference, gate.low, gate.high, gate.reason_code) for gate in relative} == {(0, 0, 0, "identical")}


def test_a_small_test_set_cannot_tell_and_says_how_many_rows_would(tmp_path: Path) -> None:
    report = compare(
        write_churn(tmp_path / "a.csv", rows=300), write_churn(tmp_path / "b.csv", noise=0.3, rows=300), POLICY
    )

    gate = report.gates[0]
    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 0)
    assert gate.reason_code == "cannot_tell"
    assert gate.rows_needed is not None
    assert gate.rows_needed > 300


def test_an_inconclusive_run_blocks_where_the_policy_says_so(tmp_path: Path) -> None:
    report = compare(
        write_churn(tmp_path / "a.csv", rows=300),
        write_churn(tmp_path / "b.csv", noise=0.3, rows=300),
        POLICY + "on_inconclusive: fail\n",
    )

    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 6)


def test_swapping_the_files_flips_the_sign_of_every_difference(tmp_path: Path) -> None:
    one, other = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.4)

    forth = [row.difference for row in compare(one, other).metrics]
    back = [row.difference for row in compare(other, one).metrics]

    assert len(forth) >= 5
    assert forth == [None if value is None else pytest.approx(-value, abs=1e-12) for value in back]


@pytest.mark.parametrize(
    ("gate", "match"),
    [
        ("{metric: log_loss, max_drop: 0.01}", "max_increase"),
        ("{metric: roc_auc, max_increase: 0.01}", "max_drop"),
        ("{metric: roc_acu, max_drop: 0.01}", "roc_auc"),
    ],
)
def test_a_gate_that_cannot_be_is_a_configuration_error_that_names_the_right_one(
    tmp_path: Path, gate: str, match: str
) -> None:
    policy = POLICY.partition("gates:")[0] + f"gates:\n  - {gate}\n"

    report = compare(write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.4), policy)

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 2)
    assert report.failure is not None
    assert match in report.failure.expected + report.failure.fix


def test_one_class_is_an_error_and_never_passed(tmp_path: Path) -> None:
    report = compare(
        write_churn(tmp_path / "a.csv", churned="No"), write_churn(tmp_path / "b.csv", noise=0.2, churned="No"), POLICY
    )

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert outcomes(report)["ROC AUC may fall by 0.01"] == ("error", "one_class")


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ((7, "Yes", "nan", "One year"), "churn_probability"),
        ((7, "", 0.4, "One year"), "churned"),
        ((8, "Yes", 0.4, "One year"), "customer_id|id"),
    ],
)
def test_values_that_cannot_be_judged_are_named(tmp_path: Path, row: tuple[object, ...], match: str) -> None:
    rows: list[tuple[object, ...]] = [(number, "Yes" if number % 3 else "No", 0.5, "One year") for number in range(60)]
    good = write_rows(tmp_path / "a.csv", COLUMNS, rows)
    rows[7] = row
    bad = write_rows(tmp_path / "b.csv", COLUMNS, rows)

    report = compare(good, bad, POLICY)

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert report.failure is not None
    assert any(word in report.failure.what for word in match.split("|"))
    assert report.failure.expected
    assert report.failure.fix


def test_a_missing_file_is_one_clear_message_and_exit_code_3(tmp_path: Path) -> None:
    write_churn(tmp_path / "a.csv")

    done = run_command("compare", "a.csv", "nowhere.csv", "--label", "churned", cwd=tmp_path)

    assert done.returncode == 3
    assert "nowhere.csv" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_column_that_the_candidate_lost_is_an_error(tmp_path: Path) -> None:
    rows = [(number, "Yes" if number % 3 else "No", "One year") for number in range(60)]
    lost = write_rows(tmp_path / "b.csv", ("customer_id", "churned", "contract"), rows)

    report = compare(write_churn(tmp_path / "a.csv"), lost, POLICY)

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert report.failure is not None
    assert "churn_probability" in report.failure.what


def test_without_a_policy_every_metric_is_reported_for_all_rows_and_every_slice(tmp_path: Path) -> None:
    report = compare(
        write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.1), **OPTIONS, slices=("contract",)
    )

    names = {row.name for row in report.metrics if row.slice is None}
    slices = {(row.name, row.slice.value) for row in report.metrics if row.slice}
    assert {"accuracy", "f1", "roc_auc", "log_loss"} <= names
    assert slices == {(name, value) for name in names for value in ("Month-to-month", "One year", "Two year")}
    assert {gate.role.value for gate in report.gates} == {"guardrail"}


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    one, other = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.5)
    header, *lines = other.read_text().splitlines(keepends=True)
    shuffled = tmp_path / "c.csv"
    shuffled.write_text(header + "".join(reversed(lines)))

    straight = compare(one, other, POLICY)
    mixed = compare(one, shuffled, POLICY)

    assert straight.gates == mixed.gates
    assert straight.metrics == mixed.metrics


@pytest.mark.parametrize("output", [".", "..", "nested/.."])
def test_a_report_replaces_no_files_around_the_working_directory(tmp_path: Path, output: str) -> None:
    write_churn(tmp_path / "a.csv", rows=40)

    done = run_command("compare", "a.csv", "a.csv", "--label", "churned", "--output", output, cwd=tmp_path)

    assert done.returncode == 2
    assert "a folder of its own" in done.stderr
    assert not (tmp_path / "report.html").exists()
