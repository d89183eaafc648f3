"""The confidence of the policy is two-sided: half of the error on each end."""

from pathlib import Path

import pytest
from scipy.stats import norm

from metricgate.compare import compare_files
from tests.cli.tables import POLICY, write_churn


def test_each_end_of_an_interval_has_half_of_the_error(tmp_path: Path) -> None:
    baseline, candidate = write_churn(tmp_path / "a.csv"), write_churn(tmp_path / "b.csv", noise=0.5)
    widths = []
    for confidence in (0.95, 0.8):
        policy = tmp_path / "metricgate.yaml"
        gates = "gates:\n  - {metric: log_loss, max_increase: 0.01}\n"
        policy.write_text(f"confidence: {confidence}\n{POLICY.partition('gates:')[0]}{gates}")
        gate = compare_files(baseline, candidate, policy=policy, columns={}).gates[0]
        assert gate.low is not None
        assert gate.high is not None
        widths.append(gate.high - gate.low)

    assert widths[0] / widths[1] == pytest.approx(norm.ppf(0.975) / norm.ppf(0.9), rel=0.03)
