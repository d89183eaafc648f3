"""What a team installs is the wheel; `demo` and `action` run from it as `uvx metricgate …`."""

import os
import re
import shlex
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts.release import PROJECT
from tests.churn import Churn
from tests.e2e.laptop import copy_for_a_laptop, drop_place, run_on_a_laptop
from tests.e2e.workflow import NUMBER, Workflow
from tests.github.fake import FakeGitHub
from tests.packaging.test_links import LINK
from tests.packaging.test_release import read_lines

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
STEP = ("python", "-I", "-m", "metricgate", "action")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what the release's own line builds: a source distribution, and the wheel made from that.

    The locked build tools are installed here already, so that nothing has to be downloaded for each test.
    """
    folder = tmp_path_factory.mktemp("built")
    (line,) = (line for line in read_lines() if "uv build" in line)
    command = line.replace(".venv/bin/uv", shlex.quote(str(UV)))
    here = ["--python", sys.executable, "--no-build-isolation", "--out-dir", str(folder)]
    done = subprocess.run(
        ["bash", "-e", "-c", f"{command} {shlex.join(here)}"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


def read_metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def list_tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    folders = ["src", "examples/churn", "examples/workflows"]
    listed = subprocess.run(
        [*command, *folders], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return [path for path in listed if (ROOT / path).is_file()]


def test_the_wheel_holds_what_the_program_reads_at_run_time(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    expected = {re.sub("^examples/", "metricgate/examples/", path.removeprefix("src/")) for path in list_tracked()}
    assert expected - names == set()
    assert {name for name in names - expected if ".dist-info/" not in name} == set()


def test_the_package_holds_no_link() -> None:
    assert [path for path in list_tracked() if (ROOT / path).is_symlink()] == []


def test_a_build_of_the_same_commit_is_the_same_file(built: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        dates = {entry.date_time for entry in archive.infolist()}
    command = ["git", "log", "-1", "--format=%ct"]
    commit = int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    assert dates == {time.gmtime(commit - commit % 2)[:6]}
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        assert {entry.mtime for entry in archive.getmembers()} == {commit}


def test_the_page_on_pypi_has_addresses_and_no_relative_link(wheel: Path) -> None:
    metadata = read_metadata(wheel)
    page = str(metadata.get_payload())
    targets = [next(filter(None, found)) for found in LINK.findall(page)]

    assert len(targets) > 20
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    tag = f"v{metadata['Version']}"
    own = re.compile(
        rf"https://(?:github\.com|raw\.githubusercontent\.com)/{PROJECT}/(?:blob/)?{re.escape(tag)}/([^#\s]+)"
    )
    files = [found[1] for target in targets if (found := own.match(target))]
    assert len(files) > 15
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert {entry.split(",")[0] for entry in metadata.get_all("Project-URL", [])} >= {
        "Homepage",
        "Documentation",
        "Changelog",
    }


def test_what_is_claimed_of_python_is_one_thing(wheel: Path) -> None:
    """The lowest and highest Python are the same in the package, the tests' workflow, the release and README."""
    metadata = read_metadata(wheel)
    classifiers = [entry.rpartition(" ")[2] for entry in metadata.get_all("Classifier", []) if "Python :: 3." in entry]
    low, high = classifiers[0], classifiers[-1]
    test, release = (
        YAML(typ="safe").load(ROOT / f".github/workflows/{name}.yml")["jobs"] for name in ("test", "release")
    )

    assert test["test"]["strategy"]["matrix"]["python"] == classifiers
    assert release["try-package"]["strategy"]["matrix"]["python"] == [low, high]
    assert set(metadata["Requires-Python"].split(",")) == {f">={low}", f"<3.{int(high[2:]) + 1}"}
    assert f"Python {low} to {high}" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


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
