"""`metricgate noise`, and what a report then says beside the margins."""

import json

import pytest

from tests.retraining.projects import POLICY, RetrainProject, run_metricgate

pytestmark = pytest.mark.acceptance


def test_the_floor_is_measured_kept_and_shown_beside_the_margins(project: RetrainProject) -> None:
    # The small model has no randomness of its own: the parameter that moves its cut stands for the seed.
    project.write_policy(f"{POLICY}noise: {{seed: offset, runs: 3}}\n")
    before = project.state()

    done = run_metricgate(project, "noise", "--share")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 trainings of" in done.stdout
    assert "accuracy" in done.stdout
    assert project.state() == before
    assert "refs/metricgate/noise/default" in project.git("ls-remote", "origin")

    project.write("params.yaml", "offset: 0.02\n")
    project.commit()
    judged = run_metricgate(project, "run", "--baseline", "HEAD~1")

    report = json.loads(project.read("metricgate-report/report.json"))
    assert report["gates"][0]["noise"] > 0.03, judged.stdout + judged.stderr
    assert "noise" in judged.stdout
    assert "margin_below_noise" in [warning["code"] for warning in report["warnings"]]


def test_a_seed_that_changes_nothing_is_an_error_that_says_so(project: RetrainProject) -> None:
    project.write("params.yaml", "offset: 0.0\nunused: 1\n")
    project.write_policy(f"{POLICY}noise: {{seed: unused, runs: 3}}\n")

    done = run_metricgate(project, "noise")

    assert done.returncode == 4
    assert "With 3 values of unused, every metric is the same" in done.stderr
