"""`metricgate demo`: its exit code is 0 if the worse model was blocked, and only then; the questions of `--llm`."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from metricgate.cli.demo import choose_exit_code, command
from metricgate.compare import compare_files
from metricgate.demo.question_project import create_question_project
from metricgate.models.outcome import Verdict
from tests.github.job import make_report


@pytest.mark.parametrize(
    ("verdict", "own", "expected"),
    [
        (Verdict.FAILED, 1, 0),
        (Verdict.PASSED, 0, 1),
        (Verdict.SKIPPED, 0, 1),
        (Verdict.INCONCLUSIVE, 0, 1),
        (Verdict.INCONCLUSIVE, 6, 6),
        (Verdict.ERROR, 4, 4),
        (Verdict.CANCELLED, 130, 130),
    ],
)
def test_a_demo_has_worked_only_if_the_worse_model_was_blocked(verdict: Verdict, own: int, expected: int) -> None:
    assert choose_exit_code(make_report(verdict).model_copy(update={"exit_code": own})) == expected


def test_the_shorter_prompt_of_the_questions_is_worse_and_cheaper(tmp_path: Path) -> None:
    project = create_question_project(tmp_path / "demo")
    logs = {}
    for branch in (project.main, project.branch):
        subprocess.run(["git", "switch", "--quiet", branch], cwd=project.repository, check=True)
        subprocess.run([sys.executable, "evals/ask.py"], cwd=project.repository, check=True)
        logs[branch] = (project.repository / "logs/questions.json").rename(tmp_path / f"{branch}.json")
    report = compare_files(
        logs["main"], logs["shorter-prompt"], policy=project.repository / "metricgate.yaml", columns={}
    )

    assert report.verdict is Verdict.FAILED, report.failure
    assert {gate.metric for gate in report.gates if gate.outcome == "failed"} == {"mean(match)"}
    assert all(question.candidate_answer.startswith("[simulated]") for question in report.flips[0].questions)


@pytest.mark.acceptance
def test_demo_of_watching_shows_a_quiet_month_and_a_new_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as the demo sets it, for this process alone

    result = CliRunner().invoke(command, ["--monitor", str(tmp_path / "demo")], standalone_mode=False)

    assert result.return_value == 0, result.output
    assert "Stable: none of 20 features moved by more than is allowed" in result.output
    assert "Drifted: 1 of 20 features moved by more than is allowed: monthly_charges (" in result.output
