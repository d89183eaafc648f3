import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metricgate.errors import TimeLimitError, WorkspaceError
from tests.execution.conftest import Yield, states, values
from tests.projects import EVALUATE, TinyProject


def test_failing_stage_is_an_error_with_its_last_lines(tiny: TinyProject, produce: Yield, tmp_path: Path) -> None:
    tiny.write("src/evaluate.py", "import sys\nprint('no rows left')\nsys.exit(3)\n")

    with pytest.raises(WorkspaceError, match=r"The pipeline failed: .*src/evaluate\.py, exited with 3") as caught:
        produce(tiny)

    assert caught.value.exit_code == 4
    assert "no rows left" in caught.value.details
    assert "no rows left" in (tmp_path / "logs/candidate.log").read_text()


def test_missing_module_is_explained(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("src/evaluate.py", "import lightgbm_of_nobody\n")

    with pytest.raises(WorkspaceError, match="The pipeline failed") as caught:
        produce(tiny)

    assert "no module lightgbm_of_nobody" in caught.value.fix
    assert "requirements" in caught.value.fix


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "dvc.lock",
            "<<<<<<< HEAD\nschema: '2.0'\n=======\nstages: {}\n>>>>>>> other\n",
            "has conflict markers: .*dvc.lock",
        ),
        ("dvc.yaml", "stages:\n  evaluate:\n    cmd: [\n", "cannot be read: .*dvc.yaml"),
    ],
)
def test_broken_pipeline_file_is_named(tiny: TinyProject, produce: Yield, file: str, text: str, message: str) -> None:
    tiny.write(file, text)

    with pytest.raises(WorkspaceError, match=f"A file of the pipeline {message}"):
        produce(tiny)


def test_never_runs_nothing_and_refuses_a_stale_lock(tiny: TinyProject, produce: Yield) -> None:
    assert states(produce(tiny, reproduce="never")) == {"prepare": "unchanged", "evaluate": "unchanged"}

    tiny.write("params.yaml", "shift: 0.2\n")
    with pytest.raises(WorkspaceError, match=r"shift in params\.yaml changed \(stage evaluate\)") as caught:
        produce(tiny, reproduce="never")

    assert "`dvc repro`" in caught.value.fix
    assert '"accuracy": 1.0' in tiny.read("metrics.json")


@pytest.mark.parametrize("change", ["src/evaluate.py", "data/raw.csv"])
def test_changed_code_or_data_makes_a_committed_lock_stale(tiny: TinyProject, baseline_of: Yield, change: str) -> None:
    tiny.write(change, tiny.read(change) + "\n\n")
    if change == "data/raw.csv":
        tiny.dvc("add", "--quiet", change)
    tiny.commit("forgot dvc repro")

    snapshot = baseline_of(tiny)

    assert f"{change} changed" in snapshot.info.stale
    assert values(snapshot)["metrics.json:accuracy"] == 1.0


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


SLEEPER = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(120)\n"


def test_pipeline_that_takes_too_long_is_a_time_limit_error(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("src/evaluate.py", SLEEPER)

    with pytest.raises(TimeLimitError, match="stopped after 1 s"):
        produce(tiny, timeout_s=1)


RUN = """\
import sys
from pathlib import Path
from metricgate.errors import CancelledError
from metricgate.processes.progress import QuietProgress
from metricgate.processes.signals import raise_on_signals
from metricgate.settings.policy import Policy
from metricgate.execution.candidate import produce_candidate
from metricgate.context import RunContext
from metricgate.revisions.checkout import Checkout
root, scratch = map(Path, sys.argv[1:])
try:
    with raise_on_signals():
        checkout, progress = Checkout.open(root), QuietProgress()
        context = RunContext(checkout=checkout, progress=progress, logs=scratch / "logs", scratch=scratch)
        produce_candidate(context, Policy())
except CancelledError as error:
    print(error.what)
"""


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.acceptance)],
    ids=lambda number: number.name,
)
def test_signal_ends_the_stage_and_leaves_time_for_last_words(
    tiny: TinyProject, produce: Yield, tmp_path: Path, number: signal.Signals
) -> None:
    tiny.write("src/evaluate.py", SLEEPER)
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tiny.root), str(tmp_path / "scratch")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    while not (tiny.root / "pid").exists() or not tiny.read("pid"):
        assert run.poll() is None
        time.sleep(0.05)

    run.send_signal(number)
    output, _ = run.communicate(timeout=60)

    assert output == f"The run was stopped by {number.name}.\n"
    assert not is_running(int(tiny.read("pid")))
    tiny.write("src/evaluate.py", EVALUATE + "\n")
    assert states(produce(tiny))["evaluate"] == "ran"  # no lock of the ended run is in the way


def damage(path: Path) -> None:
    """Leave other bytes in a cache file and its read-only mode, as a broken restore does: DVC trusts those."""
    path.chmod(0o644)
    path.write_text("id,label,score\n0,0,0.999\n")
    path.chmod(0o444)


def cached(tiny: TinyProject, path: str) -> Path:
    found = re.search(rf"- path: {re.escape(path)}\n.*\n\s+md5: (\w+)", tiny.read("dvc.lock"))
    assert found
    digest = found[1]
    return tiny.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


def test_damaged_cache_file_is_fetched_again(tiny: TinyProject, produce: Yield, baseline_of: Yield) -> None:
    good = tiny.read("eval/predictions.csv")
    (tiny.root / "eval/predictions.csv").unlink()
    damage(cached(tiny, "eval/predictions.csv"))

    baseline = baseline_of(tiny).predictions[""]
    damage(cached(tiny, "eval/predictions.csv"))
    candidate = produce(tiny).predictions[""]

    assert isinstance(baseline, Path)
    assert isinstance(candidate, Path)
    assert baseline.read_text() == candidate.read_text() == good


def test_damaged_input_is_not_trained_on(tiny: TinyProject, produce: Yield) -> None:
    (tiny.root / "data/prepared.csv").unlink()
    damage(cached(tiny, "data/prepared.csv"))
    tiny.write("params.yaml", "shift: 0.2\n")

    assert values(produce(tiny))["metrics.json:nested.rows"] == 10


def test_damaged_output_of_an_earlier_run_is_refused_and_thrown_out(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("params.yaml", "shift: 0.2\n")
    produce(tiny)
    damaged = cached(tiny, "eval/predictions.csv")
    tiny.git("checkout", "--quiet", "dvc.lock", "metrics.json")
    (tiny.root / "eval/predictions.csv").unlink()
    damage(damaged)

    with pytest.raises(WorkspaceError, match=r"eval/predictions\.csv was restored from a damaged DVC cache"):
        produce(tiny)
    assert states(produce(tiny))["evaluate"] == "ran"


def test_metrics_that_cannot_be_read_are_said_to_be_so(tiny: TinyProject, produce: Yield) -> None:
    tiny.write(
        "src/evaluate.py",
        EVALUATE.replace(
            'json.dump({"shift": shift}, open("eval/cached.json", "w"))', "open('eval/cached.json', 'w').write('{oops')"
        ),
    )

    snapshot = produce(tiny)

    assert [(problem.what, problem.missing) for problem in snapshot.problems] == [("eval/cached.json", False)]
    assert "not readable as JSON" in snapshot.problems[0].reason
    assert "metrics.json:accuracy" in values(snapshot)
