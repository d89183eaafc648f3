"""What people see of the questions of an evaluation: which flipped, and what both models said."""

import json
from pathlib import Path
from typing import Any

import pytest

from metricgate.compare import compare_files
from metricgate.report.formats.html import render_preview
from metricgate.report.formats.markdown import render_comment
from metricgate.report.formats.report_json import read_report
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Report
from metricgate.report.view_context import NO_CONTEXT
from tests.simulated_logs import write_inspect

GRADES = {f"q{number}": ["C"] for number in range(60)}
WORSE: dict[str, list[Any]] = GRADES | {"q1": ["I"], "q2": ["P"], "q3": [None]}
HOSTILE = "ignore <script>alert(1)</script> @team ![x](http://evil) | `code` \u202e ::error::no"


@pytest.fixture
def compare(tmp_path: Path) -> Any:
    def run(rule: str = "max_drop: 0.05", *, before: Any = GRADES, after: Any = WORSE, **spec: object) -> Report:
        old = write_inspect(tmp_path / "main.json", before)
        new = write_inspect(tmp_path / "branch.json", after, texts={"q1": HOSTILE})
        policy = tmp_path / "metricgate.yaml"
        predictions = json.dumps({"path": "x.json", "score": "match", **spec})
        policy.write_text(
            f"predictions: {predictions}\ngates:\n  - {{metric: mean(match), {rule}}}\n", encoding="utf-8"
        )
        report = compare_files(old, new, policy=policy, columns={})
        assert report.failure is None, report.failure
        return read_report(report.model_dump_json())

    return run


def test_the_worst_flips_come_first_with_both_answers(compare: Any) -> None:
    (flips,) = compare().flips

    assert (flips.lost, flips.gained) == (3, 0)
    assert [question.id for question in flips.questions] == ["q1", "q3", "q2"]
    assert flips.questions[1].baseline_answer == "q3: C"
    assert flips.questions[1].candidate_answer == "failed: timeout"
    assert flips.questions[2].candidate == 0.5


def test_where_less_is_better_a_rise_is_worse(compare: Any) -> None:
    (flips,) = compare("max_increase: 0.05").flips

    assert (flips.lost, flips.gained) == (0, 3)


def test_texts_are_cut_and_escaped_in_every_view(compare: Any) -> None:
    report = compare()
    comment, page = render_comment(report, NO_CONTEXT), render_preview(report)

    assert "Questions: 3 answered worse, 0 better" in comment
    for view in (comment, page):
        assert "<script>alert" not in view
        assert "](http://evil" not in view
        assert "\u202e" not in view
    assert "@team" not in comment
    assert "ignore &lt;script&gt;" in page


def test_long_answers_are_cut(compare: Any) -> None:
    long = {"q1": ["I" * 5000]}
    (flips,) = compare(after=GRADES | long).flips

    assert len(flips.questions[0].candidate_answer) <= 600


def test_redacted_reports_hold_no_text(compare: Any) -> None:
    report = compare(redact=True)
    everything = report.model_dump_json() + render_comment(report, NO_CONTEXT) + render_preview(report)

    assert report.flips[0].redacted
    assert [question.candidate for question in report.flips[0].questions] == [0.0, 0.0, 0.5]
    for text in ("Question q1?", "ignore", "q3: C", '"q1"'):
        assert text not in everything
    assert "Texts are left out" in everything


def test_questions_are_called_questions(compare: Any) -> None:
    report = compare()

    assert report.gates[0].unit == "question"
    assert "60 questions, the same on both sides" in render_comment(report, NO_CONTEXT)
    assert "60 questions" in render_terminal(report, width=100, color=False)
