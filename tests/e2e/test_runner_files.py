"""Files of the runner that cannot be written cost a line in the log each, and not the verdict."""

import re
from pathlib import Path

import pytest

from tests.e2e.workflow import NUMBER, Workflow

NAMES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")


@pytest.fixture
def unwritable(workflow: Workflow, tmp_path: Path) -> Workflow:
    workflow.open_pull_request()
    workflow.add_variables(**{name: str(tmp_path / "gone" / name) for name in NAMES})
    return workflow


def find_lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if re.search(r"/gone/", line)]


@pytest.mark.acceptance
def test_the_verdict_keeps_its_exit_code(unwritable: Workflow) -> None:
    step = unwritable.run()

    assert step.exit_code == 1, step.log
    assert "Traceback" not in step.log
    assert len(find_lines(step.log)) == len(NAMES)
    assert len(unwritable.fake.comments(NUMBER)) == 1
    assert unwritable.fake.checks(unwritable.head)[0].conclusion == "failure"


def test_an_input_that_cannot_be_used_keeps_its_exit_code(unwritable: Workflow) -> None:
    step = unwritable.run(check="nonsense")

    assert step.exit_code == 2, step.log
    assert "Traceback" not in step.log
    assert len(find_lines(step.log)) == 1
