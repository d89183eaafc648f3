"""For a team that never commits dvc.lock, main's run keeps its results, and the next pull request uses them."""

from dataclasses import replace

import pytest

from tests.e2e.workflow import Workflow


@pytest.mark.acceptance
def test_a_baseline_that_a_run_on_main_stored_is_not_trained_again(workflow: Workflow) -> None:
    churn = workflow.churn
    before = churn.sha("main")
    churn.git("switch", "--quiet", "main")
    churn.replace("params.yaml", "max_iter: 100", "max_iter: 101")
    churn.commit("Change a parameter, and leave the training to CI")
    on_main = replace(workflow, runner=workflow.runner / "push")
    on_main.runner.mkdir(parents=True)
    on_main.push_to_main(before)

    kept = on_main.run()
    churn.git("switch", "--quiet", "--create", "docs", "main")
    churn.write("README.md", "Only words.\n")
    churn.commit()
    workflow.open_pull_request()
    judged = workflow.run()

    assert kept.exit_code == 0, kept.log
    assert churn.git("for-each-ref", "--format=%(refname)", "refs/metricgate/results").count("\n") == 0
    assert "refs/metricgate/results/" in churn.git("for-each-ref", "refs/metricgate/results")
    assert (judged.exit_code, judged.report["verdict"]) == (0, "passed"), judged.log
    assert judged.report["baseline"]["source"] == "stored results"
    assert "python src/train.py" not in judged.log
