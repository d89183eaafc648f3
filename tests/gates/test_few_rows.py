"""Too few rows: what is required stays open, what only guards is skipped."""

from pathlib import Path

import pytest

from metricgate.compare import compare_files
from metricgate.gates.judgement import judge_gain
from metricgate.models.outcome import Role
from tests.cli.tables import POLICY, write_churn
from tests.gates.test_judgement import make_gain


@pytest.mark.parametrize(
    ("rows", "options", "outcome"),
    [
        (20, "", "inconclusive"),
        (20, ", role: guardrail", "skipped"),
        (60, ", slices: [contract]", "skipped"),
        (60, ", slices: [contract], role: required", "skipped"),
    ],
)
def test_too_few_rows_skip_guardrails_and_slices(rows: int, options: str, outcome: str, tmp_path: Path) -> None:
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(f"{POLICY.partition('gates:')[0]}gates:\n  - {{metric: accuracy, max_drop: 0.01{options}}}\n")
    baseline = write_churn(tmp_path / "a.csv", rows=rows)
    candidate = write_churn(tmp_path / "b.csv", rows=rows, noise=0.5)

    report = compare_files(baseline, candidate, policy=policy, columns={})

    assert {(gate.outcome.value, gate.reason_code) for gate in report.gates} == {(outcome, "too_few_rows")}


@pytest.mark.parametrize(
    ("allowed_loss", "reason"),
    [
        (0.01, "worse by more than is allowed"),
        (0.0, "worse by more than is allowed"),
        (-0.02, "the required gain is not there"),
    ],
)
def test_a_failed_gate_says_whether_a_loss_or_a_missing_gain_failed_it(allowed_loss: float, reason: str) -> None:
    assert judge_gain(make_gain(-0.1, -0.2, -0.05), allowed_loss=allowed_loss, role=Role.REQUIRED).reason == reason
