"""The reusable workflow, job by job as its file says: the steps' inputs, and a token with no more than each job's rights."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from metricgate.demo.project import MAIN
from tests.e2e.test_forks import zip_folder
from tests.e2e.workflow import NUMBER, Step, Workflow
from tests.github.fake import TOKEN
from tests.github.state import Artifact, Token

pytestmark = pytest.mark.acceptance

GATE = YAML(typ="safe").load(Path(__file__).parents[2] / ".github/workflows/gate.yml")
DEFAULTS = {name: spec["default"] for name, spec in (GATE.get("on") or GATE[True])["workflow_call"]["inputs"].items()}
RUN_ID = 4711


def list_jobs(event: str) -> list[str]:
    """Return the jobs that run on an event."""

    def is_on(condition: str) -> bool:
        text = condition.removeprefix("${{").removesuffix("}}").replace("&&", " and ").replace("!cancelled()", "True")
        return bool(eval(text.replace("github.event_name", repr(event))))  # noqa: S307  our own file

    return [name for name, job in GATE["jobs"].items() if is_on(job["if"])]


def fill(given: Mapping[str, Any]) -> dict[str, str]:
    """Return a step's inputs with those of the workflow in place, as its caller leaves them."""
    return {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: str(DEFAULTS[m[1]]), str(v)) for key, v in given.items()
    }


def play(workflow: Workflow, name: str) -> Step:
    """Run a job's steps and return what the action left; only its own rights are granted."""
    job = GATE["jobs"][name]
    workflow.fake.tokens[TOKEN] = Token(permissions=dict(job["permissions"]))
    done: Step | None = None
    for step in job["steps"]:
        action, given = step["uses"].split("@")[0], fill(step.get("with", {}))
        if action == "metricgate/metricgate":
            done = workflow.run(**{key.replace("-", "_"): value for key, value in given.items()})
        elif action == "actions/upload-artifact":
            assert step["if"] == "always()"
            folder = zip_folder(workflow.workspace / given["path"])
            workflow.fake.artifacts.append(Artifact(1, given["name"], RUN_ID, folder))
        else:
            assert action == "actions/checkout"
            assert workflow.workspace.is_dir()
    assert done is not None
    return done


def open_job_without_checkout(workflow: Workflow, runner: Path) -> Workflow:
    """Return a job of the same run, on another runner, whose workspace is empty."""
    other = Workflow(churn=workflow.churn, fake=workflow.fake, runner=runner, head=workflow.head)
    other.workspace.mkdir(parents=True)
    variables = workflow.variables
    branch = workflow.churn.git("branch", "--show-current")
    other._env = other._describe(branch, workflow.churn.sha(MAIN), variables["GITHUB_SHA"])
    return other


def test_a_pull_request_is_judged_without_rights_and_answered_with_pictures_by_the_next_job(
    workflow: Workflow, tmp_path: Path
) -> None:
    head = workflow.open_pull_request()

    assert list_jobs("pull_request") == ["judge", "publish"]
    judged = play(workflow, "judge")
    assert workflow.fake.writes == []
    published = play(open_job_without_checkout(workflow, tmp_path / "publisher"), "publish")

    assert (judged.exit_code, published.exit_code) == (1, 1), published.log
    [comment], [check] = workflow.fake.comments(NUMBER), workflow.fake.checks(head)
    assert "Blocked: ROC AUC" in comment.body
    assert "<picture>" in comment.body
    assert check.conclusion == "failure"


def test_a_push_to_main_stores_its_results(workflow: Workflow) -> None:
    churn = workflow.churn
    before = churn.sha(MAIN)
    churn.git("switch", "--quiet", MAIN)
    churn.replace("params.yaml", "max_iter: 100", "max_iter: 101")
    churn.commit("Change a parameter, and leave the training to CI")
    workflow.push_to_main(before)

    assert list_jobs("push") == ["store"]
    stored = play(workflow, "store")

    assert stored.exit_code == 0, stored.log
    assert "refs/metricgate/results/" in churn.git("for-each-ref", "--format=%(refname)")
