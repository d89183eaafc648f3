"""`metricgate retrain` on a laptop: the plan, the branch, and a workspace that stays as it was."""

import json
from typing import Any

import pytest

from tests.retraining.projects import IMPORT, POLICY, RetrainProject, run_metricgate

pytestmark = pytest.mark.acceptance


def read_report(project: RetrainProject) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.read("metricgate-report/report.json"))
    return found


def test_a_young_model_without_new_data_is_not_due(project: RetrainProject) -> None:
    done = run_metricgate(project, "retrain", "--dry-run")

    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(project)
    assert report["verdict"] == "skipped"
    assert report["retraining"]["obstacle"] == "not_due"
    assert "it is due after 90 days" in report["reason"]
    assert "did not change" in report["reason"]


def test_new_data_are_trained_on_and_become_one_commit_on_a_branch(project: RetrainProject) -> None:
    project.add_month(2, cut=0.8)
    before = project.state()

    planned = run_metricgate(project, "retrain", "--dry-run")
    done = run_metricgate(project, "retrain", "--local")

    assert "there are new data for data/customers.csv" in planned.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(project)
    assert report["verdict"] == "passed"
    assert report["retraining"]["helped"] is True
    [gate] = report["gates"]
    assert gate["difference"] > 0.1, "the released model does not know the new cut"
    assert report["pairings"][0]["fresh"] == gate["rows"] == 500
    assert project.state() == before
    branch = "metricgate/retrain"
    assert project.git("rev-parse", f"{branch}^") == project.sha()
    changed = project.git("diff", "--name-only", "main", branch).split()
    assert changed == [IMPORT, "dvc.lock", "metrics.json"]
    assert run_metricgate(project, "retrain", "--local").returncode == 0
    assert read_report(project)["retraining"]["obstacle"] == "tried"


def test_a_retrained_model_that_is_worse_is_not_offered(project: RetrainProject) -> None:
    project.git("tag", "v1")
    project.git("push", "--quiet", "origin", "v1")
    project.write("params.yaml", "offset: 1.5\n")  # merged by hand, never reproduced, not released
    project.write_policy(f"{POLICY}release: {{revision: v1}}\n")
    project.add_month(2)

    done = run_metricgate(project, "retrain", "--local")

    assert done.returncode == 1, done.stdout + done.stderr
    assert read_report(project)["retraining"]["helped"] is False
    assert project.git("branch", "--list", "metricgate/*") == ""
    assert run_metricgate(project, "retrain", "--local").returncode == 0
    assert read_report(project)["retraining"]["obstacle"] == "tried"


def test_a_source_that_is_gone_is_an_error_and_nothing_is_touched(project: RetrainProject) -> None:
    project.add_month(2)
    before = project.state()
    rows = project.read("data/customers.csv")
    project.source.unlink()

    done = run_metricgate(project, "retrain", "--local", "--force")

    assert done.returncode == 4, done.stdout + done.stderr
    assert "cannot be read" in done.stderr
    assert project.state() == before
    assert project.read("data/customers.csv") == rows
    assert project.git("for-each-ref", "refs/metricgate/retrain") == ""


@pytest.mark.parametrize("mode", ["--dry-run", "--local"])
def test_a_source_that_is_gone_is_not_taken_for_one_without_news(project: RetrainProject, mode: str) -> None:
    project.source.unlink()

    done = run_metricgate(project, "retrain", mode)

    assert done.returncode == 4, done.stdout + done.stderr
    assert "cannot be read" in done.stderr


def test_a_source_beside_the_checkout_is_found_from_the_work_tree(project: RetrainProject) -> None:
    text = project.read(IMPORT).replace("remote://lake/customers.csv", "../../lake/customers.csv")
    assert "path: ../../lake/customers.csv" in text
    project.write(IMPORT, text)
    project.commit("Import by a relative path")
    assert run_metricgate(project, "retrain", "--dry-run").returncode == 0
    assert read_report(project)["retraining"]["obstacle"] == "not_due"
    project.add_month(2, cut=0.8)

    done = run_metricgate(project, "retrain", "--local")

    assert done.returncode == 0, done.stdout + done.stderr
    assert read_report(project)["retraining"]["helped"] is True
    assert "path: ../../lake/customers.csv" in project.git("show", f"metricgate/retrain:{IMPORT}")


def test_rows_without_a_label_do_not_count_as_news(project: RetrainProject) -> None:
    project.write_policy(f"{POLICY}  min_rows: 1400\n")
    project.add_month(2, labelled=False)

    done = run_metricgate(project, "retrain", "--local")

    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(project)
    assert report["retraining"]["obstacle"] == "few_rows"
    assert report["reason"] == "0 new labelled rows have arrived; 1,400 are asked for."

    project.add_month(3)

    assert run_metricgate(project, "retrain", "--local").returncode == 0
    assert read_report(project)["retraining"]["helped"] is True


def test_a_branch_with_a_persons_commit_is_not_written_over(project: RetrainProject) -> None:
    project.add_month(2, cut=0.8)
    project.git("branch", "metricgate/retrain")

    done = run_metricgate(project, "retrain", "--local")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "which MetricGate did not write" in done.stderr
    assert project.sha("metricgate/retrain") == project.sha()


def test_another_commit_with_the_same_model_is_no_reason_to_train_again(project: RetrainProject) -> None:
    project.add_month(2, cut=0.8)
    run_metricgate(project, "retrain", "--local")
    project.write("README", "a word\n")
    project.commit("Write a word")

    done = run_metricgate(project, "retrain", "--local")

    assert done.returncode == 0, done.stdout + done.stderr
    assert read_report(project)["retraining"]["obstacle"] == "tried"
