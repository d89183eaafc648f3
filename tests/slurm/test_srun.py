"""The block of docs/scale.md: a stage that Slurm runs, judged like any other."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.monitoring.servers import wait_for
from tests.packaging.documents import list_blocks
from tests.projects import TinyProject
from tests.slurm.conftest import Slurm

pytestmark = pytest.mark.acceptance


def read_command() -> str:
    """Return the prefix of the stage's command in the document, without what it runs."""
    (block,) = [block for block in list_blocks() if block.page == "docs/scale.md" and "srun" in block.text]
    command: str = YAML(typ="safe").load(block.text)["stages"]["train"]["cmd"]
    return command.removesuffix("python src/train.py")


@pytest.fixture
def project(tiny: TinyProject) -> TinyProject:
    """Return a project whose evaluation is sent to Slurm, on a branch that loses accuracy."""
    tiny.start_branch()
    tiny.write(
        "dvc.yaml", tiny.read("dvc.yaml").replace("python src/evaluate.py", f"{read_command()}python src/evaluate.py")
    )
    tiny.write("params.yaml", "shift: 0.3\n")
    tiny.commit()
    return tiny


def start(project: TinyProject, slurm: Slurm) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.Popen(
        [sys.executable, "-m", "metricgate", "run", "--baseline", "main"],
        cwd=project.root,
        env=os.environ | {"PATH": path, "SLURM_CONF": str(slurm.configuration)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_stage_that_slurm_runs_is_judged(project: TinyProject, slurm: Slurm) -> None:
    done = start(project, slurm)
    output, _ = done.communicate()

    report = json.loads(project.read("metricgate-report/report.json"))
    assert slurm.list_jobs("train")[-1:] == ["COMPLETED"], output
    stages = {stage["name"]: stage["state"] for stage in report["candidate_stages"]}
    assert stages["evaluate"] == "ran"
    found = {(row["source"], row["name"]): (row["baseline"], row["candidate"]) for row in report["metrics"]}
    assert found["metrics.json", "accuracy"] == (1.0, 0.7)


def test_a_stage_that_fails_on_the_node_is_an_error_with_its_output(project: TinyProject, slurm: Slurm) -> None:
    project.write("src/evaluate.py", "raise SystemExit('no such layer')\n")
    project.commit()

    done = start(project, slurm)
    output, _ = done.communicate()

    assert done.returncode == 4
    assert "no such layer" in output
    assert slurm.list_jobs("train")[-1:] == ["FAILED"]


def test_a_cancelled_run_cancels_its_job(project: TinyProject, slurm: Slurm) -> None:
    before = len(slurm.list_jobs("train"))
    project.write("src/evaluate.py", "import time\ntime.sleep(300)\n")
    project.commit()

    done = start(project, slurm)
    wait_for("the job", lambda: slurm.list_jobs("train")[before:] == ["RUNNING"])
    done.send_signal(signal.SIGTERM)
    done.communicate()

    assert done.returncode == 130
    wait_for("the end of the job", lambda: slurm.list_jobs("train")[before:][0] in {"CANCELLED", "FAILED"})
    wait_for("a free node", slurm.is_idle)
