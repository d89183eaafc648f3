"""`mode: retrain` of the action as a workflow runs it: the pull request, its checks, the dashboard, the next run."""

from datetime import timedelta
from pathlib import Path

import pytest

from metricgate.trigger import TriggerKind
from tests.github.fake import FakeGitHub
from tests.retraining.job import RetrainJobs
from tests.retraining.projects import POLICY, RetrainProject

pytestmark = pytest.mark.acceptance


@pytest.fixture
def jobs(project: RetrainProject, fake_github: FakeGitHub, tmp_path: Path) -> RetrainJobs:
    return RetrainJobs.build(project, fake_github, tmp_path / "runs")


def test_new_data_become_one_judged_pull_request_and_merging_it_ends_the_reason(jobs: RetrainJobs) -> None:
    jobs.project.add_month(2, cut=0.8)

    first = jobs.run()

    assert first.exit_code == 0, first.summary
    assert first.outputs["verdict"] == "passed"
    [request] = jobs.open_requests
    assert first.outputs["pull-request-url"].endswith(f"/pull/{request.number}")
    assert "500 of them fresh for both models" in request.body
    assert "There are new data for" in request.body
    [check] = jobs.fake.checks(request.head_sha)
    assert (check.status, check.conclusion, check.name) == ("completed", "success", "MetricGate")
    assert f"A retrained model waits for review: #{request.number}" in jobs.dashboard.body
    assert jobs.fake.checks(jobs.main) == []

    second = jobs.run()

    assert second.exit_code == 0
    assert [one.number for one in jobs.open_requests] == [request.number]
    assert "Due, and not trained: the same was trained on" in second.summary

    jobs.merge()
    jobs.now += timedelta(days=7)
    third = jobs.run()

    assert third.outputs["verdict"] == "skipped"
    assert "Not due" in third.summary
    assert "## Not due" in jobs.dashboard.body
    assert jobs.open_requests == []


def test_nothing_is_trained_that_could_not_be_remembered(jobs: RetrainJobs) -> None:
    jobs.project.add_month(2, cut=0.8)
    hook = jobs.project.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    before = sorted(jobs.project.remote.rglob("*"))

    refused = jobs.run()

    assert refused.exit_code == 4
    assert "could not be kept" in refused.summary
    assert sorted(jobs.project.remote.rglob("*")) == before


def test_a_ticked_box_is_a_command_from_someone_who_may(jobs: RetrainJobs) -> None:
    jobs.project.write_policy(f"{POLICY}  approval: true\n")
    jobs.project.add_month(2, cut=0.8)
    jobs.run()
    assert "## Due, and waiting for approval" in jobs.dashboard.body
    jobs.fake.collaborators = {"ann": "write", "eve": "read"}

    def tick(login: str) -> None:
        jobs.dashboard.editor = login
        jobs.dashboard.body = jobs.dashboard.body.replace(
            "- [ ] <!-- metricgate-do:approve -->", "- [x] <!-- metricgate-do:approve -->"
        )

    tick("eve")
    jobs.run(TriggerKind.ISSUE, actor="eve", issue=jobs.dashboard.number)
    told = jobs.run()

    assert jobs.open_requests == []
    assert "ticked by eve, who may not write" in told.summary
    assert "[x]" not in jobs.dashboard.body

    tick("ann")
    jobs.run(TriggerKind.ISSUE, actor="ann", issue=jobs.dashboard.number)

    assert len(jobs.open_requests) == 1
    assert "[x]" not in jobs.dashboard.body
