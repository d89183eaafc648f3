"""Run as root on somebody else's checkout, as in a container action: code from it runs as them."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.projects import TinyProject

RUN = """\
import sys
from pathlib import Path
from metricgate.processes.progress import QuietProgress
from metricgate.settings.policy import Policy
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.execution.candidate import produce_candidate
from metricgate.context import RunContext
from metricgate.revisions.checkout import Checkout
from metricgate.results.workspace_results import WorkspaceResults
from metricgate.execution.evaluation import EvaluationCase, evaluate_model
from metricgate.execution.file_copies import FileOrigin
from metricgate.execution.baseline import fetch_baseline
root, scratch = map(Path, sys.argv[1:3])
checkout = Checkout.open(root)
context = RunContext(
    checkout=checkout,
    progress=QuietProgress(),
    logs=scratch / "logs",
    scratch=scratch,
    baseline_results="reproduce",
)
policy = Policy.model_validate({
    "predictions": {"path": "eval/predictions.csv", "label": "label", "score": "score"},
    "evaluation": {"command": sys.argv[3], "model": "params.yaml", "data": "data/prepared.csv"},
})
produce_candidate(context, policy, earlier=WorkspaceResults.open(checkout, "candidate"))
fetch_baseline(context, BaselineRevision(sha=checkout.head_sha, name="main", reason=""), policy)
case = EvaluationCase(model=FileOrigin(revision=checkout.head_sha), data=FileOrigin(revision=None))
print(evaluate_model(context, case, policy)[""].read_text())
"""
SPY = """
import os
open("who.txt", "w").write(f"{os.getuid()} {os.environ['USER']} {'GITHUB_TOKEN' in os.environ}")
"""
OWNER = 1001
SLEEP_S = "86461"  # a number that no other process sleeps for


def find_python() -> str:
    """Return an interpreter of our version that every user may run; ours may lie in root's home."""
    version = f"python3.{sys.version_info.minor}"
    for name in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        try:
            subprocess.run([name, "-c", "pass"], check=True, user=OWNER, group=OWNER, cwd="/")
        except OSError:
            continue
        return name
    pytest.skip(f"no {version} that another user may run")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="metricgate-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def project(tiny: TinyProject, shared: Path) -> TinyProject:
    """The tiny project where its owner can reach it, with an interpreter that they may run."""
    shutil.copytree(tiny.root.parent, shared / "tiny", symlinks=True)
    project = TinyProject(root=shared / "tiny/work", remote=shared / "tiny/remote", origin=tiny.origin)
    project.use_remote(str(project.remote))
    project.write("dvc.yaml", project.read("dvc.yaml").replace("cmd: python ", f"cmd: {find_python()} "))
    return project


def run_as(
    project: TinyProject, shared: Path, uid: int = 0, *, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    python = find_python()
    environment = {
        "PATH": f"{Path(python).parent}:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join([*sys.path, sysconfig.get_paths()["purelib"]]),
        "HOME": "/root" if uid == 0 else "/",
        "GITHUB_TOKEN": "a-token",
    }
    evaluation = f"id -u && {python} src/evaluate.py"
    command = [*prefix, python, "-c", RUN, str(project.root), str(shared / "scratch"), evaluation]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, user=uid, group=uid, extra_groups=[]
    )


def give_to_owner(folder: Path) -> None:
    subprocess.run(["chown", "-R", f"{OWNER}:{OWNER}", str(folder)], check=True)


@pytest.mark.acceptance
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run something as somebody else")
def test_stages_run_as_the_owner_of_the_checkout_and_leave_no_file_of_root(project: TinyProject, shared: Path) -> None:
    project.write("src/evaluate.py", project.read("src/evaluate.py") + SPY)
    give_to_owner(shared / "tiny")

    done = run_as(project, shared)

    assert done.returncode == 0, done.stderr
    assert project.read("who.txt") == f"{OWNER} uid{OWNER} False"
    assert done.stdout.startswith("id,label,score\n0,0,")
    assert (shared / "scratch/logs/evaluation-command.log").read_text(encoding="utf-8").startswith(f"{OWNER}\n")
    assert [*project.root.glob(".metricgate/results/candidate/*/results.json")]
    assert [path for path in (shared / "tiny").rglob("*") if path.lstat().st_uid == 0] == []


@pytest.mark.acceptance
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave a file that the owner cannot write")
def test_file_that_an_earlier_step_left_as_root_is_named_with_its_cure(project: TinyProject, shared: Path) -> None:
    project.write("src/evaluate.py", project.read("src/evaluate.py") + SPY)
    give_to_owner(shared / "tiny")
    subprocess.run(["chown", "root:root", str(project.root / "dvc.lock")], check=True)
    (project.root / "dvc.lock").chmod(0o644)

    done = run_as(project, shared)

    assert done.returncode == 1
    assert f"{project.root}/dvc.lock cannot be written: Permission denied." in done.stderr
    assert "change the owner of that file" in done.stderr


@pytest.mark.acceptance
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_a_name_and_a_home_is_enough(project: TinyProject, shared: Path) -> None:
    """`docker run --user 1001:127`: DVC asks for a name, and HOME is root's."""
    project.write("src/evaluate.py", project.read("src/evaluate.py") + SPY)
    give_to_owner(shared)

    done = run_as(project, shared, OWNER)

    assert done.returncode == 0, done.stderr
    assert project.read("who.txt") == f"{OWNER} uid{OWNER} False"


@pytest.mark.acceptance
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, and setpriv of util-linux")
def test_without_cap_kill_a_failing_stage_is_what_is_told(project: TinyProject, shared: Path) -> None:
    project.write("src/evaluate.py", f"import subprocess, sys\nsubprocess.Popen(['sleep', '{SLEEP_S}'])\nsys.exit(3)\n")
    give_to_owner(shared / "tiny")

    done = run_as(project, shared, prefix=("setpriv", "--bounding-set=-kill", "--inh-caps=-kill"))

    assert "The pipeline failed" in done.stderr
    assert "exited with 3" in done.stderr
    assert "PermissionError" not in done.stderr
    sleeping = [path for path in Path("/proc").glob("[0-9]*/cmdline") if SLEEP_S.encode() in _read(path)]
    assert sleeping == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
