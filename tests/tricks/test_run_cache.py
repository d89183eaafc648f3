"""DVC's run cache: a pull request may write it, main does not believe it, and a report that uses it says so."""

from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from metricgate.processes.progress import QuietProgress
from metricgate.report.value import Report
from metricgate.run import Request, run
from metricgate.trigger import Trigger, TriggerKind
from tests.projects import TinyProject
from tests.tricks.conftest import PullRequest


def poison(project: TinyProject) -> None:
    """Record a run of `train` that never was: the worse parameter with the model of main, pushed to the remote."""
    project.write("params.yaml", "noise: 0.8\n")
    honest = project.read("model.json")
    trick = project.read("src/train.py")
    project.write("src/train.py", trick)
    project.dvc("repro", "--quiet", "train")
    for entry in sorted((project.root / ".dvc/cache/runs").rglob("*/*/*")):
        if not entry.is_file():
            continue
        recorded = YAML().load(entry.read_text(encoding="utf-8"))
        if "0.8" in entry.read_text(encoding="utf-8") and "train.py" in recorded["cmd"]:
            project.write("model.json", honest)
            project.dvc("commit", "--force", "--quiet", "train")
            lock = YAML().load((project.root / "dvc.lock").read_text(encoding="utf-8"))
            recorded["outs"] = lock["stages"]["train"]["outs"]
            with entry.open("w", encoding="utf-8") as file:
                YAML().dump(recorded, file)
    project.dvc("push", "--quiet", "--run-cache")
    project.git("checkout", "--quiet", "dvc.lock", "params.yaml")


def test_main_does_not_believe_the_run_cache(change: PullRequest) -> None:
    project = change.project
    poison(project)
    project.git("switch", "--quiet", "main")
    before = project.sha()
    change.make_worse()
    sha = project.commit("Merge a worse parameter")
    project.git("push", "--quiet", "origin", "main")
    trigger = Trigger(
        kind=TriggerKind.PUSH, sha=sha, ref="refs/heads/main", default_branch="main", repository="o/r", before=before
    )
    clone = project.clone(change.folder / "main", "--branch", "main")

    report = judge(clone, change.folder, trigger)

    assert {stage.name: stage.state for stage in report.candidate_stages} == {
        "prepare": "unchanged",
        "train": "ran",
        "evaluate": "ran",
    }
    assert report.verdict == "failed"


def test_a_pull_request_that_restores_from_the_run_cache_says_so(change: PullRequest) -> None:
    poison(change.project)
    change.make_worse()

    answer = change.judge(push=False)

    assert answer.states["train"] == "cached"
    assert answer.text("run_cache").startswith("Restored from the run cache: train of the candidate.")
    assert "Restored from the run cache" in answer.top


@pytest.mark.acceptance
def test_a_baseline_that_is_restored_from_the_run_cache_says_so(change: PullRequest) -> None:
    """A team that never commits dvc.lock: the baseline is produced, and of its stages DVC has one in the run cache."""
    project = change.project
    project.git("switch", "--quiet", "main")
    project.dvc("push", "--quiet", "--run-cache")
    project.git("rm", "--quiet", "dvc.lock", "metrics.json")
    project.commit("Keep results out of Git")
    project.git("push", "--quiet", "origin", "main")
    project.git("switch", "--quiet", "--force-create", "change", "main")
    change.project.write("params.yaml", "noise: 0.001\n")

    answer = change.judge(push=False)

    texts = [warning.text for warning in answer.report.warnings if warning.code == "run_cache"]
    [told] = [text for text in texts if "of the baseline" in text]
    assert told.startswith("Restored from the run cache: evaluate, prepare, train of the baseline.")
    assert told in answer.top


def judge(project: TinyProject, folder: Path, trigger: Trigger) -> Report:
    request = Request(directory=project.root, output=folder / "report")
    return run(replace(request, trigger=trigger), QuietProgress())
