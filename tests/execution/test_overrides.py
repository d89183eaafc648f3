"""`pipeline: params:`: both revisions are run with other values, in work trees that are thrown away."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.models.snapshot import Source
from metricgate.processes.progress import QuietProgress
from metricgate.run import Request, run
from metricgate.settings.policy import PipelineSpec
from tests.execution.conftest import Yield, states, values
from tests.projects import TinyProject
from tests.results.conftest import store

SHIFTED = PipelineSpec(params={"shift": 0.2})


def tracked_state(project: TinyProject) -> tuple[str, str]:
    return project.git("status", "--porcelain"), project.read("params.yaml")


def test_both_revisions_are_run_with_the_other_value_and_the_checkout_is_not_touched(
    tiny: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    tiny.start_branch()
    tiny.write("src/evaluate.py", "# another comment\n" + tiny.read("src/evaluate.py"))
    before = tracked_state(tiny)

    candidate = produce(tiny, pipeline=SHIFTED)
    baseline = baseline_of(tiny, pipeline=SHIFTED)

    assert values(candidate)["eval/cached.json:shift"] == values(baseline)["eval/cached.json:shift"] == 0.2
    assert values(candidate)["metrics.json:accuracy"] == values(baseline)["metrics.json:accuracy"] == 0.8
    assert states(candidate) == {"prepare": "unchanged", "evaluate": "ran"}
    assert baseline.info.source is Source.REPRODUCED
    assert tracked_state(tiny) == before
    assert tiny.git("worktree", "list").count("\n") == 0


def test_uncommitted_work_is_part_of_the_candidate(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("src/evaluate.py", tiny.read("src/evaluate.py").replace(">= 0.5)", ">= 0.95)"))

    snapshot = produce(tiny, pipeline=SHIFTED)

    assert snapshot.info.dirty
    assert values(snapshot)["metrics.json:accuracy"] == 0.7


def test_value_that_the_revision_has_anyway_runs_nothing(tiny: TinyProject, produce: Yield, baseline_of: Yield) -> None:
    same = PipelineSpec(params={"params.yaml:shift": 0.0})

    assert set(states(produce(tiny, pipeline=same)).values()) == {"unchanged"}
    assert baseline_of(tiny, pipeline=same).info.source is not Source.REPRODUCED


def test_stored_results_of_the_same_values_are_used_and_no_others(
    tiny: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    assert store(tiny, produce(tiny, pipeline=SHIFTED)) == ""

    assert baseline_of(tiny, pipeline=SHIFTED).info.source is Source.STORED
    other = baseline_of(tiny, pipeline=PipelineSpec(params={"shift": 0.1}))
    assert other.info.source is Source.REPRODUCED
    assert values(other)["eval/cached.json:shift"] == 0.1


def test_command_is_run_with_the_other_value(tiny: TinyProject, produce: Yield, baseline_of: Yield) -> None:
    pipeline = PipelineSpec(command="python src/prepare.py && python src/evaluate.py", params={"shift": 0.3})

    candidate, baseline = produce(tiny, pipeline=pipeline), baseline_of(tiny, pipeline=pipeline)

    assert values(candidate)["eval/cached.json:shift"] == values(baseline)["eval/cached.json:shift"] == 0.3
    assert tiny.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shfit", r"sets shfit, which params\.yaml does not have.*did you mean shift\?"),
        ("shift.deeper", r"sets shift\.deeper, which params\.yaml does not have"),
        ("other.yaml:shift", r"sets shift in other\.yaml, which is not a file of the project"),
        ("../../origin.git/config:core", r"which is not a file of the project"),
    ],
)
def test_parameter_that_does_not_exist_is_an_error(tiny: TinyProject, produce: Yield, name: str, message: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        produce(tiny, pipeline=PipelineSpec(params={name: 1}))

    pytest.raises(WorkspaceError, match=message).matches(caught.value)


def test_run_that_is_stopped_leaves_the_checkout_as_it_was(tiny: TinyProject, tmp_path: Path) -> None:
    policy = "predictions: {path: eval/predictions.csv, label: label, score: score}\npipeline: {params: {shift: 0.2}}\n"
    tiny.write("metricgate.yaml", policy)
    tiny.write("src/evaluate.py", "import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    tiny.commit()
    before = tracked_state(tiny)
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}

    command = [sys.executable, "-m", "metricgate", "run", "--baseline", "HEAD", "--output", str(tmp_path / "report")]
    with subprocess.Popen(
        command, cwd=tiny.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        while b"waiting" not in (line := process.stdout.readline()):
            assert line, "the run ended before its stage began"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert process.returncode == 130
    assert tracked_state(tiny) == before
    assert tiny.git("worktree", "list").count("\n") == 0


def test_a_change_of_the_values_is_judged_without_them_on_both_sides(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.start_branch()
    tiny.write("metricgate.yaml", tiny.read("metricgate.yaml") + "pipeline: {params: {shift: 0.4}}\n")
    tiny.commit()

    report = run(Request(directory=tiny.root, output=tmp_path / "report", baseline="main"), QuietProgress())

    assert "parameters_differ" in [warning.code for warning in report.warnings]
    assert {stage.state for stage in report.candidate_stages} == {"unchanged"}
