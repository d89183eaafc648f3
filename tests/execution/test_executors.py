"""What every Executor promises, asked of each implementation."""

import os
import sys
import time
from pathlib import Path

import pytest

from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.messages import Produce
from metricgate.execution.work_tree import WorkTree
from metricgate.settings.policy import PipelineSpec
from tests.execution.conftest import make_context
from tests.projects import TinyProject


@pytest.fixture(params=[LocalExecutor])
def executor(request: pytest.FixtureRequest) -> Executor:
    made: Executor = request.param()
    return made


def describe_command(tiny: TinyProject, tmp_path: Path, text: str, **limits: object) -> Job:
    context = make_context(tiny.root, tmp_path, **limits)
    tree = WorkTree(context=context, directory=tiny.root, files=tmp_path / "files", name="job")
    code = ShellCommand(text=text, title="The command", expected="a command that works.")
    return Job(tree=tree, pipeline=PipelineSpec(), code=code)


def test_stages_leave_their_results_in_the_work_tree_and_are_described(
    executor: Executor, tiny: TinyProject, tmp_path: Path
) -> None:
    tiny.write("params.yaml", "shift: 0.2\n")
    plain = describe_command(tiny, tmp_path, "")
    produce = Produce(directory=tiny.root, files=plain.tree.make_folder(tmp_path / "files"), metrics=("metrics.json",))

    with executor.start(Job(tree=plain.tree, pipeline=PipelineSpec(), code=produce)) as running:
        produced = running.wait()

    assert {stage.name: stage.state for stage in produced.stages}["evaluate"] == "ran"
    assert '"accuracy": 0.8' in tiny.read("metrics.json")
    assert "metrics.json" in [file.path for file in produced.metrics]
    assert produced.python.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")


def test_a_commands_results_output_and_duration_are_there_and_no_token_is(
    executor: Executor, tiny: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-the-action")

    with executor.start(describe_command(tiny, tmp_path, "echo begun; env > seen.txt")) as running:
        produced = running.wait()

    [stage] = produced.stages
    assert (stage.state, stage.seconds is not None) == ("ran", True)
    assert "a-token-of-the-action" not in tiny.read("seen.txt")
    assert (tmp_path / "logs/job-command.log").read_text(encoding="utf-8") == "begun\n"


def test_a_command_that_fails_is_an_error_with_its_last_lines(
    executor: Executor, tiny: TinyProject, tmp_path: Path
) -> None:
    job = describe_command(tiny, tmp_path, "echo the reason; exit 3")

    with executor.start(job) as running, pytest.raises(WorkspaceError, match="The command ended with exit code 3") as e:
        running.wait()

    assert e.value.details == "the reason"


def test_a_job_that_takes_too_long_is_stopped(executor: Executor, tiny: TinyProject, tmp_path: Path) -> None:
    job = describe_command(tiny, tmp_path, "echo $$ > pid; sleep 100", timeout_s=1)

    with executor.start(job) as running, pytest.raises(TimeLimitError):
        running.wait()

    assert_ended(int(tiny.read("pid")))


def test_leaving_the_context_stops_a_job_that_still_runs(executor: Executor, tiny: TinyProject, tmp_path: Path) -> None:
    with executor.start(describe_command(tiny, tmp_path, "echo $$ > pid; sleep 100")):
        while not (tiny.root / "pid").exists() or not tiny.read("pid"):
            time.sleep(0.02)

    assert_ended(int(tiny.read("pid")))


def assert_ended(pid: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
