"""One test for each row of the verdict table, through the real entry point: a process, a clone, a remote, GitHub."""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.churn import Churn
from tests.e2e.workflow import NUMBER, Step, Workflow

EDITED = {"policy_changed", "evaluation_changed", "workflow_changed"}


def change_only_readme(churn: Churn) -> None:
    churn.start_branch("docs")
    churn.write("README.md", "Nothing that the pipeline depends on.\n")
    churn.commit()


def change_main(churn: Churn, path: str, before: str, after: str) -> None:
    """Change a file on main, and leave the pull request to the next branch."""
    churn.git("switch", "--quiet", "main")
    churn.dvc("checkout", "--quiet")
    churn.replace(path, before, after)
    churn.commit()


def assert_answer(
    workflow: Workflow, step: Step, *, verdict: str, exit_code: int, conclusion: str, comments: int = 1
) -> None:
    """The pull request has its answer everywhere: exit code, report, output, one comment, one completed check."""
    assert step.exit_code == exit_code, step.log
    assert "Traceback" not in step.log
    assert step.report["verdict"] == verdict
    assert step.outputs["verdict"] == verdict
    found = workflow.fake.comments(NUMBER)
    assert [comment.body.startswith("<!-- metricgate:default -->") for comment in found] == [True] * comments
    *_, check = workflow.fake.checks(workflow.head)
    assert (check.status, check.conclusion) == ("completed", conclusion)
    assert step.summary


def failure_of(step: Step) -> dict[str, Any]:
    failure: dict[str, Any] = step.report["failure"]
    assert failure["what"]
    assert failure["expected"]
    assert failure["fix"]
    return failure


def line_at(workflow: Workflow, row: Mapping[str, Any]) -> str:
    """Return the line that a gate or a change points at."""
    location = row["location"]
    lines: list[str] = Path(workflow.workspace, location["path"]).read_text(encoding="utf-8").splitlines()
    return lines[int(location["line"]) - 1]


def test_failed_a_worse_model_is_refused_with_one_comment_that_is_updated_in_place(workflow: Workflow) -> None:
    workflow.open_pull_request()

    first = workflow.run()
    second = workflow.run()

    assert_answer(workflow, first, verdict="failed", exit_code=1, conclusion="failure")
    assert second.exit_code == 1
    [comment] = workflow.fake.comments(NUMBER)
    assert "\n## ❌ Blocked: ROC AUC is 0.026 lower" in comment.body
    assert first.report["baseline"]["revision"] == workflow.churn.sha("main") == first.outputs["baseline-sha"]
    assert first.report["baseline"]["source"] == "dvc remote"
    assert first.outputs["comment-url"].endswith(f"#issuecomment-{comment.number}")
    assert line_at(workflow, first.report["gates"][0]) == "  - {metric: roc_auc, max_drop: 0.02}"
    located = {change["name"]: line_at(workflow, change) for change in first.report["changes"]}
    assert located["train.max_leaf_nodes"].strip() == "max_leaf_nodes: 31"


def test_passed_a_change_that_the_pipeline_does_not_depend_on_trains_nothing(workflow: Workflow) -> None:
    change_only_readme(workflow.churn)
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="passed", exit_code=0, conclusion="success", comments=0)
    assert {gate["reason_code"] for gate in step.report["gates"]} == {"identical"}
    assert "Running stage" not in step.log
    assert step.report["charts"] == []
    assert step.report["chart_notes"] == ["1 plot of the pipeline did not change."]


@pytest.mark.acceptance
def test_a_gate_that_is_not_enforced_judges_and_comments_and_never_blocks(workflow: Workflow) -> None:
    change_main(workflow.churn, "metricgate.yaml", "gates:", "enforce: false\ngates:")
    workflow.churn.start_branch("worse")
    workflow.churn.git("checkout", "--quiet", "bigger-trees", "--", "params.yaml")
    workflow.churn.replace("metricgate.yaml", "enforce: false\n", "")
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="failed", exit_code=0, conclusion="neutral")
    [comment] = workflow.fake.comments(NUMBER)
    assert "\n## ❌ Would block: ROC AUC is 0.026 lower" in comment.body
    assert "does not block: `enforce: false`" in comment.body
    cost = step.report["cost"]
    assert cost["cpu_seconds"] > 0
    assert cost["pulled_bytes"] > 100_000
    assert f"{cost['pulled_bytes'] / 1e6:,.1f} MB pulled" in comment.body


def test_an_error_of_a_gate_that_is_not_enforced_does_not_block(workflow: Workflow) -> None:
    change_main(workflow.churn, "metricgate.yaml", "gates:", "enforce: false\ngates:")
    workflow.churn.start_branch("broken")
    workflow.churn.write("src/train.py", 'raise SystemExit("no rows of class 1 left")\n')
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="error", exit_code=0, conclusion="neutral")
    assert failure_of(step)["exit_code"] == 4


def test_inconclusive_is_neutral_and_allows_to_merge(workflow: Workflow) -> None:
    change_main(workflow.churn, "metricgate.yaml", "max_drop: 0.02}", "max_drop: 0.0263}")
    workflow.churn.start_branch("inconclusive")
    workflow.churn.git("checkout", "--quiet", "bigger-trees", "--", "params.yaml")
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="inconclusive", exit_code=0, conclusion="neutral")


def test_inconclusive_blocks_where_the_policy_says_fail(workflow: Workflow) -> None:
    change_main(workflow.churn, "metricgate.yaml", "max_drop: 0.02}", "max_drop: 0.0263}")
    workflow.churn.replace("metricgate.yaml", "gates:\n", "on_inconclusive: fail\ngates:\n")
    workflow.churn.commit()
    workflow.churn.start_branch("inconclusive")
    workflow.churn.git("checkout", "--quiet", "bigger-trees", "--", "params.yaml")
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="inconclusive", exit_code=6, conclusion="failure")


def test_skipped_without_a_policy_nothing_is_judged_and_it_says_so(workflow: Workflow) -> None:
    workflow.churn.git("switch", "--quiet", "main")
    workflow.churn.dvc("checkout", "--quiet")
    workflow.churn.git("rm", "--quiet", "metricgate.yaml")
    workflow.churn.commit()
    change_only_readme(workflow.churn)
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="skipped", exit_code=0, conclusion="neutral", comments=0)
    assert {row["source"] for row in step.report["metrics"]} == {"metrics.json"}


def test_error_an_invalid_policy_of_the_candidate_is_a_configuration_error(workflow: Workflow) -> None:
    change_only_readme(workflow.churn)
    workflow.churn.replace("metricgate.yaml", "gates:", "gatse:")
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="error", exit_code=2, conclusion="failure")
    failure = failure_of(step)
    assert "gatse" in failure["what"]
    assert "gates" in failure["what"] + failure["fix"]


def test_error_scores_that_are_no_numbers_are_a_predictions_error(workflow: Workflow) -> None:
    workflow.churn.start_branch("nan")
    text = (workflow.churn.repository / "src/evaluate.py").read_text()
    workflow.churn.write("src/evaluate.py", text + "\n\n" + CORRUPT)
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="error", exit_code=3, conclusion="failure")
    assert "churn_probability" in failure_of(step)["what"]


CORRUPT = """
lines = open("eval/predictions.csv").read().splitlines()
header = lines[0].split(",")
row = lines[5].split(",")
row[header.index("churn_probability")] = "nan"
lines[5] = ",".join(row)
open("eval/predictions.csv", "w").write("\\n".join(lines) + "\\n")
"""


def test_error_a_failing_stage_is_named_with_its_last_lines(workflow: Workflow) -> None:
    workflow.churn.start_branch("broken")
    workflow.churn.write("src/train.py", 'raise SystemExit("no rows of class 1 left")\n')
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert_answer(workflow, step, verdict="error", exit_code=4, conclusion="failure")
    failure = failure_of(step)
    assert "train" in failure["what"]
    assert "no rows of class 1 left" in failure["details"]


def test_error_a_pipeline_that_takes_too_long_times_out(workflow: Workflow) -> None:
    workflow.churn.start_branch("slow")
    workflow.churn.write("src/train.py", "import time\ntime.sleep(600)\n")
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run(timeout_minutes="0.1")

    assert_answer(workflow, step, verdict="error", exit_code=4, conclusion="timed_out")
    assert failure_of(step)["timed_out"]


def test_cancelled_a_stopped_run_completes_its_check(workflow: Workflow) -> None:
    workflow.churn.start_branch("slow")
    workflow.churn.write("src/train.py", "import time\nprint('training', flush=True)\ntime.sleep(600)\n")
    workflow.churn.commit()
    workflow.open_pull_request()

    process = workflow.start()
    wait_for_check(workflow)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    step = workflow.finish(process)

    assert_answer(workflow, step, verdict="cancelled", exit_code=130, conclusion="cancelled")


def wait_for_check(workflow: Workflow) -> None:
    deadline = time.monotonic() + 60
    while not workflow.fake.checks(workflow.head):
        assert time.monotonic() < deadline, "no check was created"
        time.sleep(0.1)


def test_a_change_of_the_code_that_judges_is_named_and_judged_by_the_baselines_policy(workflow: Workflow) -> None:
    workflow.churn.start_branch("softer")
    workflow.churn.replace("metricgate.yaml", "max_drop: 0.02}", "max_drop: 0.5}")
    source = workflow.churn.repository / "src/evaluate.py"
    workflow.churn.write("src/evaluate.py", source.read_text(encoding="utf-8") + "# A remark.\n")
    workflow.churn.write(".github/workflows/model.yml", "on: push\n")
    workflow.churn.commit()
    workflow.open_pull_request()

    step = workflow.run()

    assert {warning["code"] for warning in step.report["warnings"]} >= EDITED
    assert [gate["bound"] for gate in step.report["gates"] if gate["metric"] == "roc_auc"] == [0.02]
    assert step.report["candidate"]["revision"] == workflow.head
    assert {"kind": "source", "name": "src/evaluate.py"}.items() <= step.report["changes"][0].items()
    assert "metricgate.yaml at" in step.report["policy_origin"]
    told = {warning["text"] for warning in step.report["warnings"] if warning["code"] in EDITED}
    assert len(told) == len(EDITED)
    assert {
        line.partition("::")[2].partition("::")[2] for line in step.log.splitlines() if "::warning " in line
    } >= told
    (check,) = workflow.fake.checks(workflow.head)
    assert {(note["path"], note["annotation_level"]) for note in check.annotations if note["message"] in told} == {
        (".github/workflows/model.yml", "warning"),
        ("metricgate.yaml", "warning"),
        ("src/evaluate.py", "warning"),
    }
    (comment,) = workflow.fake.comments(NUMBER)
    assert all(text.split(":")[0] in comment.body for text in told)
