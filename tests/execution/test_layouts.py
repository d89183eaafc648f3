"""Repositories as people have them: without DVC, with a command instead of a pipeline, monorepos, DVCLive."""

import subprocess
from pathlib import Path

import pytest

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.environment import read_pins
from metricgate.models.snapshot import Source, Unreadable
from metricgate.settings.policy import PipelineSpec, Policy, PredictionsSpec
from tests.execution.conftest import POLICY, Yield, states, values
from tests.projects import TinyProject, set_identity

PREDICTIONS = PredictionsSpec(path="predictions.csv", label="label", score="score")
TRAIN = """\
import json, pathlib
rows = pathlib.Path("data/raw.csv").read_text().split() if pathlib.Path("data/raw.csv").exists() else []
shift = float(open("shift.txt").read())
open("predictions.csv", "w").write("label,score\\n1,%s\\n" % shift)
json.dump({"shift": shift, "rows": len(rows)}, open("metrics.json", "w"))
"""
COMMAND = PipelineSpec(command="python train.py", metrics=("metrics.json",))


@pytest.fixture
def plain(tmp_path: Path, tiny: TinyProject) -> TinyProject:
    """A Git repository without DVC, whose results are committed."""
    root = tmp_path / "plain"
    root.mkdir()
    project = TinyProject(root=root, remote=tiny.remote, origin=tiny.origin)
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(root)], check=True)
    set_identity(root)
    project.write("predictions.csv", "label,score\n1,0.5\n")
    project.write("train.py", TRAIN)
    project.write("shift.txt", "0.5")
    project.commit()
    return project


def test_results_in_git_alone_are_compared(plain: TinyProject, produce: Yield, baseline_of: Yield) -> None:
    plain.write("predictions.csv", "label,score\n1,0.75\n")
    policy = Policy(predictions=PREDICTIONS)

    candidate, baseline = produce(plain, policy), baseline_of(plain, "main", policy)

    assert candidate.info.dirty
    assert baseline.info.source == Source.GIT
    for snapshot, score in ((candidate, "0.75"), (baseline, "0.5")):
        path = snapshot.predictions[""]
        assert isinstance(path, Path)
        assert path.read_text() == f"label,score\n1,{score}\n"


def test_command_produces_both_revisions_where_nothing_is_committed(
    plain: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    plain.git("rm", "--quiet", "predictions.csv")
    plain.write(".gitignore", "predictions.csv\nmetrics.json\n")
    plain.commit()
    plain.write("shift.txt", "0.75")
    policy = Policy(predictions=PREDICTIONS, pipeline=COMMAND)

    candidate = produce(plain, policy, pipeline=COMMAND)
    baseline = baseline_of(plain, "main", policy, pipeline=COMMAND)

    assert states(candidate) == {"command": "ran"}
    assert values(candidate)["metrics.json:shift"] == 0.75
    assert baseline.info.source == Source.REPRODUCED
    assert values(baseline)["metrics.json:shift"] == 0.5
    assert plain.read("shift.txt") == "0.75"


def test_command_that_fails_is_an_error_with_its_output(plain: TinyProject, produce: Yield, tmp_path: Path) -> None:
    pipeline = PipelineSpec(command="echo before; false; echo after")

    with pytest.raises(WorkspaceError, match="ended with exit code 1: echo before") as caught:
        produce(plain, Policy(predictions=PREDICTIONS, pipeline=pipeline), pipeline=pipeline)

    assert caught.value.details == "before"
    assert (tmp_path / "logs/candidate-command.log").read_text() == "before\n"


def test_command_finds_the_data_that_dvc_tracks(tiny: TinyProject, produce: Yield) -> None:
    for path in ("dvc.yaml", "dvc.lock"):
        (tiny.root / path).unlink()
    tiny.write("train.py", TRAIN)
    tiny.write("shift.txt", "0.5")
    tiny.commit()
    tiny.forget_cache()

    snapshot = produce(tiny, Policy(predictions=PREDICTIONS, pipeline=COMMAND), pipeline=COMMAND)

    assert values(snapshot)["metrics.json:rows"] == 10
    assert [entry.path for entry in snapshot.data] == ["data/raw.csv"]


def test_repository_with_nothing_to_compare_is_an_error(plain: TinyProject, produce: Yield) -> None:
    with pytest.raises(WorkspaceError, match="no DVC project here, and the policy names no results"):
        produce(plain, Policy())


def test_predictions_that_are_nowhere_are_unreadable_and_not_absent(plain: TinyProject, produce: Yield) -> None:
    snapshot = produce(plain, Policy(predictions=PredictionsSpec(path="other.csv", label="l", score="s")))

    found = snapshot.predictions[""]
    assert isinstance(found, Unreadable)
    assert found.missing


@pytest.mark.parametrize(
    "own_dvc", [False, pytest.param(True, marks=pytest.mark.acceptance)], ids=["one .dvc for all", "a .dvc of its own"]
)
def test_project_in_a_folder_of_a_monorepo(
    tiny: TinyProject, produce: Yield, baseline_of: Yield, *, own_dvc: bool
) -> None:
    folder = tiny.root / "models/a"
    folder.mkdir(parents=True)
    for name in ("data", "src", "eval", "dvc.yaml", "dvc.lock", "params.yaml", "metrics.json"):
        (tiny.root / name).rename(folder / name)
    if own_dvc:
        (tiny.root / ".dvc").rename(folder / ".dvc")
        (tiny.root / ".dvcignore").rename(folder / ".dvcignore")
    else:
        tiny.write("models/b/dvc.yaml", "stages:\n  train:\n    cmd: 'false'\n    metrics: [b.json]\n")
    tiny.commit("monorepo")
    tiny.write("models/a/params.yaml", "shift: 0.2\n")

    candidate = produce(tiny, folder="models/a")
    baseline = baseline_of(tiny, folder="models/a")

    assert states(candidate) == {"prepare": "unchanged", "evaluate": "ran"}
    assert values(candidate)["metrics.json:accuracy"] == pytest.approx(0.8)
    assert values(baseline)["metrics.json:accuracy"] == 1.0
    assert {entry.path for entry in baseline.data} == {"data/prepared.csv", "data/raw.csv", "eval/predictions.csv"}
    assert baseline.predictions.keys() == {""}
    assert not isinstance(baseline.predictions[""], Unreadable)


DVCLIVE = """\
import json, os
os.makedirs("dvclive/plots/metrics", exist_ok=True)
os.makedirs("dvclive/plots/sklearn", exist_ok=True)
metrics = {"train": {"loss": 0.2}, "acc": 0.9, "step": 4, "worst": float("inf"), "gap": float("nan"),
           "note": "fine", "ok": True, "folds": [0.5, 0.25], "none": None}
json.dump(metrics, open("dvclive/metrics.json", "w"))
open("dvclive/params.yaml", "w").write("lr: 0.1\\nnet: {layers: [1, 2]}\\n")
open("dvclive/plots/metrics/acc.tsv", "w").write("step\\tacc\\n0\\t0.5\\n")
json.dump({"roc": [{"fpr": 0, "tpr": 0, "threshold": float("inf")}]}, open("dvclive/plots/sklearn/roc.json", "w"))
"""
DVCLIVE_PIPELINE = """\
stages:
  train: {cmd: python train.py, deps: [train.py], outs: [dvclive]}
params: [dvclive/params.yaml]
metrics: [dvclive/metrics.json]
plots:
  - dvclive/plots/metrics: {x: step}
  - dvclive/plots/sklearn/roc.json: {template: simple, x: fpr, y: tpr, title: ROC}
"""


def test_dvclive_layout_is_read_with_each_odd_value_on_purpose(
    tiny: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    tiny.git("rm", "--quiet", "-r", "data", "eval", "src", "dvc.lock", "metrics.json", "params.yaml")
    tiny.write("train.py", DVCLIVE)
    tiny.write("dvc.yaml", DVCLIVE_PIPELINE)
    candidate = produce(tiny, Policy())
    tiny.commit("with dvc.lock")

    baseline = baseline_of(tiny, "main", Policy())

    assert baseline.info.source == Source.DVC_CACHE
    for snapshot in (candidate, baseline):
        found = {metric.key: (metric.value, metric.problem) for metric in snapshot.metrics}
        assert found == {
            "acc": (0.9, ""),
            "folds.0": (0.5, ""),
            "folds.1": (0.25, ""),
            "gap": (None, "is nan, not a finite number"),
            "none": (None, "is null, not a number"),
            "note": (None, "is the text 'fine', not a number"),
            "ok": (None, "is true, not a number"),
            "train.loss": (0.2, ""),
            "worst": (None, "is inf, not a finite number"),
        }
        assert [(plot.path, plot.x, plot.y) for plot, _ in snapshot.plots] == [
            ("dvclive/plots/metrics/acc.tsv", "step", None),
            ("dvclive/plots/sklearn/roc.json", "fpr", "tpr"),
        ]
        assert [(entry.key, entry.value) for entry in snapshot.parameters] == [("lr", 0.1), ("net.layers", "[1, 2]")]


def test_missing_requirements_file_is_a_configuration_error(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("params.yaml", "shift: 0.2\n")

    with pytest.raises(ConfigurationError, match=r"requirements file nothing\.txt does not exist"):
        produce(tiny, POLICY, pipeline=PipelineSpec(requirements="nothing.txt"))


def test_set_up_command_runs_only_before_stages_and_its_failure_is_an_error(tiny: TinyProject, produce: Yield) -> None:
    pipeline = PipelineSpec(setup_command="echo no such package; exit 5")

    assert states(produce(tiny, POLICY, pipeline=pipeline))["evaluate"] == "unchanged"
    tiny.write("params.yaml", "shift: 0.2\n")
    with pytest.raises(WorkspaceError, match="set-up command failed with exit code 5") as caught:
        produce(tiny, POLICY, pipeline=pipeline)

    assert caught.value.details == "no such package"


NEEDS_INICONFIG = """\
import sys, iniconfig
from importlib.metadata import version
open("where.txt", "w").write(f"{version('iniconfig')} {sys.prefix}")
"""


@pytest.mark.acceptance
def test_stages_find_their_own_requirements_and_dvc_stays_ours(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("requirements.txt", "iniconfig==2.0.0  # a small one\n")
    tiny.write("src/evaluate.py", NEEDS_INICONFIG + tiny.read("src/evaluate.py"))

    snapshot = produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt"))

    version, prefix = tiny.read("where.txt").split()
    assert version == "2.0.0"
    assert prefix.startswith(str(tiny.root / ".metricgate/environments"))
    assert snapshot.packages == (("iniconfig", "2.0.0"),)
    assert states(snapshot)["evaluate"] == "ran"


@pytest.mark.acceptance
def test_requirements_that_cannot_be_installed_are_an_error(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("requirements.txt", "iniconfig==999\n")
    tiny.write("params.yaml", "shift: 0.2\n")

    with pytest.raises(WorkspaceError, match="Installing the stages' requirements failed") as caught:
        produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt"))

    assert "iniconfig" in caught.value.details


def test_pins_are_read_from_requirements_and_from_a_lock() -> None:
    text = "# made by uv\nNum_Py[extra]==2.1.0 ; python_version > '3'\nrequests>=2\n  scipy==1.14.1 \\\n    --hash=sha256:aa\n"
    lock = 'version = 1\n[[package]]\nname = "scipy"\nversion = "1.14.1"\n[[package]]\nname = "here"\n'

    assert read_pins(text, "requirements.txt") == (("num-py", "2.1.0"), ("scipy", "1.14.1"))
    assert read_pins(lock, "uv.lock") == (("scipy", "1.14.1"),)
