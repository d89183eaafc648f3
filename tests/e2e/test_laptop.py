"""`metricgate run` on a laptop and the action on GitHub say the same of the same commits."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.churn import Churn
from tests.e2e.laptop import copy_for_a_laptop, drop_place, run_on_a_laptop
from tests.e2e.test_verdicts import change_only_readme
from tests.e2e.workflow import Workflow


def keep(churn: Churn) -> None:
    """Leave the branch as it is: its model is worse."""


def break_training(churn: Churn) -> None:
    churn.start_branch("broken")
    churn.write("src/train.py", 'raise SystemExit("no rows of class 1 left")\n')
    churn.commit()


@pytest.mark.parametrize(
    ("prepare", "verdict"),
    [
        pytest.param(keep, "failed", marks=pytest.mark.acceptance),
        (change_only_readme, "passed"),
        pytest.param(break_training, "error", marks=pytest.mark.acceptance),
    ],
)
def test_a_laptop_and_the_action_agree(
    workflow: Workflow, tmp_path: Path, prepare: Callable[[Churn], None], verdict: str
) -> None:
    prepare(workflow.churn)
    workflow.open_pull_request()

    laptop = copy_for_a_laptop(workflow.churn, tmp_path)

    on_github = workflow.run()
    here = run_on_a_laptop(laptop)

    assert on_github.report["verdict"] == verdict, on_github.log
    assert here.exit_code == on_github.exit_code
    assert drop_place(here.report) == drop_place(on_github.report)
