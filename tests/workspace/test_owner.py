"""Run as root on somebody else's checkout, as in a container action: code from it runs as them."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projects import TinyProject

RUN = """\
import sys
from pathlib import Path
from metricgate.processes.progress import QuietProgress
from metricgate.settings.policy import Policy
from metricgate.workspace.baseline import BaselineRevision
from metricgate.workspace.candidate import ProduceOptions, produce_candidate
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.earlier import EarlierRuns
from metricgate.workspace.evaluation import EvaluationCase, evaluate_model
from metricgate.workspace.lending import Holder
from metricgate.workspace.results import fetch_baseline
root, scratch = map(Path, sys.argv[1:3])
checkout = Checkout.open(root)
options = ProduceOptions(scratch=scratch, baseline_results="reproduce")
rest = {"progress": QuietProgress(), "logs": scratch / "logs"}
policy = Policy.model_validate({
    "predictions": {"path": "eval/predictions.csv", "label": "label", "score": "score"},
    "evaluation": {"command": sys.argv[3], "model": "params.yaml", "data": "data/prepared.csv"},
})
produce_candidate(checkout, policy, options, **rest, earlier=EarlierRuns.open(checkout))
fetch_baseline(checkout, BaselineRevision(sha=checkout.head_sha, name="main", reason=""), policy, options, **rest)
case = EvaluationCase(model=Holder(revision=checkout.head_sha), data=Holder(revision=None))
print(evaluate_model(checkout, case, policy, options, **rest)[""].read_text())
"""
SPY = """
import os
open("who.txt", "w").write(f"{os.getuid()} {os.environ['USER']} {'GITHUB_TOKEN' in os.environ}")
"""
OWNER = 1001


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


@pytest.mark.acceptance
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run something as somebody else")
def test_stages_run_as_the_owner_of_the_checkout_and_leave_no_file_of_root(tiny: TinyProject, shared: Path) -> None:
    python = find_python()
    shutil.copytree(tiny.root.parent, shared / "tiny", symlinks=True)
    project = TinyProject(root=shared / "tiny/work", remote=shared / "tiny/remote", origin=tiny.origin)
    project.use_remote(str(project.remote))
    project.write("dvc.yaml", project.read("dvc.yaml").replace("cmd: python ", f"cmd: {python} "))
    project.write("src/evaluate.py", project.read("src/evaluate.py") + SPY)
    subprocess.run(["chown", "-R", f"{OWNER}:{OWNER}", str(shared / "tiny")], check=True)
    environment = {
        "PATH": f"{Path(python).parent}:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join([*sys.path, sysconfig.get_paths()["purelib"]]),
        "HOME": "/root",
        "GITHUB_TOKEN": "a-token",
    }

    done = subprocess.run(
        [python, "-c", RUN, str(project.root), str(shared / "scratch"), f"id -u && {python} src/evaluate.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert project.read("who.txt") == f"{OWNER} uid{OWNER} False"
    assert done.stdout.startswith("id,label,score\n0,0,")
    assert (shared / "scratch/logs/evaluation-command.log").read_text(encoding="utf-8").startswith(f"{OWNER}\n")
    assert [*project.root.glob(".metricgate/results/candidate/*/results.json")]
    assert [path for path in (shared / "tiny").rglob("*") if path.lstat().st_uid == 0] == []
