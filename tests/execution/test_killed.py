"""A process that the kernel killed is called killed, with what helps against a lack of memory."""

import signal

import pytest

from metricgate.errors import WorkspaceError
from metricgate.settings.policy import PipelineSpec, Policy
from tests.execution.conftest import Yield
from tests.projects import TinyProject

KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"


@pytest.mark.parametrize(
    ("command", "code"), [("exec python src/evaluate.py", -9), ("python src/evaluate.py || exit $?", 137)]
)
def test_a_stage_that_was_killed_is_said_to_lack_memory(
    tiny: TinyProject, produce: Yield, command: str, code: int
) -> None:
    tiny.write("src/evaluate.py", KILL)
    tiny.write("dvc.yaml", tiny.read("dvc.yaml").replace("cmd: python src/evaluate.py", f"cmd: {command}"))

    with pytest.raises(WorkspaceError, match="was killed, most often for lack of memory") as caught:
        produce(tiny)

    assert f"(exit code {code})" in caught.value.what
    assert "src/evaluate.py" in caught.value.what
    assert "more memory" in caught.value.fix


def test_a_command_that_was_killed_is_said_to_lack_memory(tiny: TinyProject, produce: Yield) -> None:
    pipeline = PipelineSpec(command="echo before; kill -9 $$")

    with pytest.raises(WorkspaceError, match="was killed, most often for lack of memory") as caught:
        produce(tiny, Policy(pipeline=pipeline), pipeline=pipeline)

    assert f"(exit code -{signal.SIGKILL.value})" in caught.value.what
    assert caught.value.details == "before"


def test_a_worker_that_was_killed_is_said_to_lack_memory(tiny: TinyProject, produce: Yield) -> None:
    """DVC itself, in its worker, can be the one that needs too much."""
    tiny.write("src/evaluate.py", "import os, signal\nos.kill(os.getpgid(0), signal.SIGKILL)\n")
    tiny.write(
        "dvc.yaml", tiny.read("dvc.yaml").replace("cmd: python src/evaluate.py", "cmd: exec python src/evaluate.py")
    )

    with pytest.raises(WorkspaceError, match="worker process was killed, most often for lack of memory"):
        produce(tiny)


def test_an_ordinary_failure_is_not_called_a_lack_of_memory(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("src/evaluate.py", "raise SystemExit(9)\n")

    with pytest.raises(WorkspaceError, match="exited with 9") as caught:
        produce(tiny)

    assert "memory" not in str(caught.value)
