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

from metricgate import __version__
from scripts.release import PROJECT
from tests.churn import Churn
from tests.e2e.laptop import copy_for_a_laptop, drop_place, run_on_a_laptop
from tests.e2e.workflow import NUMBER, Workflow
from tests.github.fake import FakeGitHub
from tests.packaging.test_links import LINK
from tests.packaging.test_release import read_lines
from tests.pythons import find_pythons

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
    folders = ["src", "examples/churn", "examples/questions", "examples/workflows"]
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


@pytest.mark.acceptance
def test_the_lowest_versions_that_the_package_claims_are_enough(wheel: Path, tmp_path: Path) -> None:
    required = [str(entry) for entry in read_metadata(wheel).get_all("Requires-Dist", []) if "extra ==" not in entry]
    asked, lowest = tmp_path / "asked.txt", tmp_path / "lowest.txt"
    asked.write_text("\n".join(required), encoding="utf-8")
    resolve = ["pip", "compile", "--quiet", "--python", sys.executable, "--resolution", "lowest-direct"]
    subprocess.run([str(UV), *resolve, "--output-file", str(lowest), str(asked)], check=True, capture_output=True)
    environment = os.environ | {"UV_CONSTRAINT": str(lowest), "PATH": f"{UV.parent}:{os.environ['PATH']}"}
    ask = "from importlib.metadata import version; print(version('numpy'), version('scikit-learn'))"
    command = [str(UV), "tool", "run", "--python", sys.executable, "--from", str(wheel), "python", "-c", ask]
    versions = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    trial = [sys.executable, str(ROOT / "scripts/release_trial.py"), "package", str(wheel), __version__]

    done = subprocess.run(trial, env=environment, check=False, capture_output=True, text=True)

    assert [f"numpy>={versions[0]}".removesuffix(".0.0"), f"scikit-learn>={versions[1]}".removesuffix(".0")] == [
        entry for entry in required if entry.startswith(("numpy", "scikit-learn"))
    ]
    assert done.returncode == 0, done.stdout + done.stderr


OLD = ("numpy==1.26.*", "pydantic==2.5.*", "scikit-learn==1.4.*", "dvc==3.50.*", "pathspec<1")
SAY_VERSIONS = (
    "\nimport numpy, pydantic, sklearn\nprint('ran on', numpy.__version__, pydantic.VERSION, sklearn.__version__)\n"
)


@pytest.mark.acceptance
def test_it_runs_beside_a_team_s_older_packages(wheel: Path, churn: Churn, tmp_path: Path) -> None:
    """As a tool of its own, MetricGate leaves PATH alone: stages run in the team's environment."""
    python = next((path for version, path in find_pythons().items() if version in {"3.11", "3.12"}), None)
    if python is None:
        pytest.skip("NumPy 1 and scikit-learn 1.4 need Python 3.11 or 3.12, and this machine has neither")
    old = tmp_path / "old"
    subprocess.run([str(UV), "venv", "--quiet", "--python", str(python), str(old)], check=True)
    subprocess.run([str(UV), "pip", "install", "--quiet", "--python", str(old / "bin/python"), *OLD], check=True)
    laptop = copy_for_a_laptop(churn, tmp_path)
    train = laptop.repository / "src/train.py"
    train.write_text(train.read_text(encoding="utf-8") + SAY_VERSIONS, encoding="utf-8")

    tools = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "tools/bin")}
    path = {"PATH": os.pathsep.join([str(old / "bin"), str(tmp_path / "tools/bin"), os.environ["PATH"]])}
    subprocess.run([str(UV), "tool", "install", "--quiet", str(wheel)], env=os.environ | tools, check=True)

    done = subprocess.run(
        ["metricgate", "run"],
        cwd=laptop.repository,
        env=os.environ | path,
        check=False,
        capture_output=True,
        text=True,
    )

    logs = "".join(
        path.read_text(encoding="utf-8") for path in (laptop.repository / "metricgate-report/logs").glob("*")
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ROC AUC" in done.stdout
    assert re.search(r"ran on 1\.26\.\d+ 2\.5\.\d+ 1\.4\.\d+", logs), logs
