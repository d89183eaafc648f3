"""What a team installs is the wheel; `demo` and `action` run from it as `uvx metricgate …`."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.churn import Churn
from tests.e2e.laptop import copy_for_a_laptop, drop_place, run_on_a_laptop
from tests.e2e.workflow import NUMBER, Workflow
from tests.github.fake import FakeGitHub

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
STEP = ("python", "-I", "-m", "metricgate", "action")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (tmp_path / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_what_the_program_reads_at_run_time(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    tracked = subprocess.run(
        ["git", "ls-files", "src", "examples/churn", "examples/workflows"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    expected = {path.removeprefix("src/") for path in tracked if path.startswith("src/") and not is_link(path)}
    expected |= {path.replace("examples/", "metricgate/demo/", 1) for path in tracked if "examples/churn/" in path}
    expected |= {
        path.replace("examples/", "metricgate/starter/", 1) for path in tracked if "examples/workflows/" in path
    }
    assert expected - names == set()


def is_link(path: str) -> bool:
    return (ROOT / path).is_symlink()


def uvx(wheel: Path) -> list[str]:
    """Return the command that stands for `uvx metricgate` before a release: the wheel with its locked dependencies."""
    constraints = str(ROOT / "requirements/image.txt")
    return [str(UV), "tool", "run", "--from", str(wheel), "--constraints", constraints]


@pytest.mark.acceptance
def test_the_demo_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*uvx(wheel), "metricgate", "demo", "here"], cwd=tmp_path, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "Blocked: ROC AUC is 0.026 lower" in done.stdout
    assert (tmp_path / "here/churn/metricgate-report/report.html").is_file()


@dataclass
class UvxJob(Workflow):
    """A job with the step of gpu-self-hosted.yml: inputs in the environment, no container."""

    command: tuple[str, ...] = ()

    def start(self, **inputs: str) -> subprocess.Popen[str]:
        given = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
        return subprocess.Popen(
            [*self.command, *STEP],
            cwd=self.workspace,
            env={**os.environ, **self._env, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def job(wheel: Path, churn: Churn, tmp_path: Path) -> Iterator[UvxJob]:
    # The first call installs, so that the step does not spend its own time on it.
    subprocess.run([*uvx(wheel), "metricgate", "--version"], check=True, capture_output=True)
    with FakeGitHub().serve() as fake:
        yield UvxJob(churn=churn, fake=fake, runner=tmp_path / "runner", command=tuple(uvx(wheel)))
        assert fake.violations == []


@pytest.mark.acceptance
def test_the_action_runs_as_a_step_without_a_container(job: UvxJob, tmp_path: Path) -> None:
    example = (ROOT / "examples/workflows/gpu-self-hosted.yml").read_text(encoding="utf-8")
    assert " ".join(STEP) in example
    job.open_pull_request()
    laptop = copy_for_a_laptop(job.churn, tmp_path)

    step = job.run()
    here = run_on_a_laptop(laptop)

    assert step.exit_code == here.exit_code == 1, step.log
    assert step.outputs["verdict"] == "failed"
    assert drop_place(here.report) == drop_place(step.report)
    (comment,) = job.fake.comments(NUMBER)
    assert "ROC AUC is 0.026 lower" in comment.body
