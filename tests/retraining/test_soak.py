"""The whole loop through a year: quiet, one alert, one right pull request, recovery, and no training without end."""

from pathlib import Path

import pytest

from tests.github.fake import FakeGitHub
from tests.retraining.job import RetrainJobs
from tests.retraining.projects import RetrainProject
from tests.retraining.soak import DECAY, SHIFT, run_year

pytestmark = pytest.mark.acceptance


def test_a_year_with_one_shift_and_decaying_labels(
    project: RetrainProject, fake_github: FakeGitHub, tmp_path: Path
) -> None:
    jobs = RetrainJobs.build(project, fake_github, tmp_path / "runs")

    year = run_year(jobs)

    quiet = [month for month in year.months if month.number < SHIFT]
    assert [(month.is_due, month.trainings) for month in quiet] == [(False, 0)] * len(quiet)
    shift = year.month(SHIFT)
    assert (shift.is_due, shift.trainings, shift.offered) == (True, 1, True)
    assert shift.verdicts == ("passed", "skipped"), "the second run of the month trains nothing"
    assert year.pull_requests == 1
    assert "Drift is shown in predictions, usage" in year.body
    assert "lost more than is allowed on fresh data: accuracy" in year.body
    assert "fresh for both models" in year.body
    assert year.accuracy_before < 0.8
    assert year.accuracy_after > 0.87
    recovered = [month for month in year.months if SHIFT < month.number < DECAY]
    assert [(month.is_due, month.trainings) for month in recovered] == [(False, 1)] * len(recovered)
    decay = [month for month in year.months if month.number >= DECAY]
    assert [month.is_due for month in decay] == [True] * len(decay)
    assert [month.trainings for month in decay] == [2, 3, 3, 3, 3], "two that did not help, then a pause of 120 days"
    assert [month.verdicts for month in decay][:3] == [("failed", "skipped")] * 2 + [("skipped", "skipped")]
    assert [month.offered for month in decay] == [False] * len(decay)
    assert {month.dashboard for month in decay} == {"Retraining did not help"}
