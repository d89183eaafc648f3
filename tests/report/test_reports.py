"""The reports that view tests are made of are reports that a run could have made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from metricgate.compare import compare_files
from metricgate.gates.verdict import decide_verdict
from metricgate.models.outcome import Outcome, ReasonCode, Verdict
from metricgate.report.formats.markdown import render_comment
from metricgate.report.formats.report_json import read_report
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.report.vocabulary import describe_rule
from tests.cli.tables import POLICY, write_churn
from tests.report.reports import (
    make_doubtful_report,
    make_large_report,
    make_many_metrics_report,
    make_passed_report,
    make_report,
    make_unchanged_report,
)

JUDGED = (make_report, make_passed_report, make_unchanged_report, make_doubtful_report)


@pytest.mark.parametrize("make", [*JUDGED, make_many_metrics_report, lambda: make_large_report(slices=5, files=5)])
def test_every_gate_has_a_reason_that_the_judge_gives(make: Callable[[], Report]) -> None:
    codes = {gate.reason_code for gate in make().gates}

    assert codes
    assert codes <= set(get_args(ReasonCode))


@pytest.mark.parametrize("make", JUDGED)
def test_the_verdict_is_that_of_the_gates(make: Callable[[], Report]) -> None:
    assert decide_verdict(make().gates) is make().verdict


@pytest.mark.parametrize(
    ("noise", "rows", "verdict"),
    [(1.2, 1409, Verdict.FAILED), (0.3, 300, Verdict.INCONCLUSIVE), (0.0, 1409, Verdict.PASSED)],
)
def test_views_show_what_the_judge_makes_of_real_files(
    tmp_path: Path, noise: float, rows: int, verdict: Verdict
) -> None:
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(POLICY.replace("max_drop: 0.01", "max_drop: 2%"), encoding="utf-8")
    files = write_churn(tmp_path / "a.csv", rows=rows), write_churn(tmp_path / "b.csv", rows=rows, noise=noise)

    report = compare_files(*files, policy=policy, columns={})

    assert report.verdict is verdict
    assert {gate.reason_code for gate in report.gates} <= set(get_args(ReasonCode))
    assert read_report(report.model_dump_json()) == report
    for view in (render_comment(report).replace("\u00a0", " "), render_terminal(report, color=False, width=160)):
        assert headline(report) in view
        if report.gates[0].outcome is not Outcome.PASSED:
            assert "may fall by 2 %" in view
    assert "2 %" in describe_rule(report.gates[0], 3)


def test_a_report_from_before_the_share_was_a_field_is_read_and_shows_the_bound() -> None:
    old = make_report().model_dump(mode="json")
    for gate in old["gates"]:
        del gate["share"]
        gate["rule"] = "ROC AUC may drop by at most 5%"

    report = read_report(json.dumps(old))

    assert {gate.share for gate in report.gates} == {None}
    assert "may fall by 0.010" in render_comment(report).replace("\u00a0", " ")
