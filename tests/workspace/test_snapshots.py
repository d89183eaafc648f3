from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.models.snapshot import Snapshot, Source
from metricgate.processes.progress import QuietProgress
from metricgate.settings.policy import Policy, PredictionsSpec
from metricgate.workspace.baseline import BaselineRevision
from metricgate.workspace.candidate import ProduceOptions, produce_candidate
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.results import fetch_baseline
from tests.projects import TinyProject

POLICY = Policy(predictions=PredictionsSpec(path="eval/predictions.csv", label="label", score="score", id=("id",)))
Produce = Callable[..., Snapshot]


@pytest.fixture
def produce(tmp_path: Path) -> Produce:
    def produce_in(project: TinyProject, policy: Policy = POLICY, **changes: object) -> Snapshot:
        options = ProduceOptions(scratch=tmp_path / "scratch", **changes)  # type: ignore[arg-type]
        return produce_candidate(
            Checkout.open(project.root), policy, options, progress=QuietProgress(), logs=tmp_path / "logs"
        )

    return produce_in


@pytest.fixture
def baseline_of(tmp_path: Path) -> Produce:
    def fetch(project: TinyProject, name: str = "main", policy: Policy = POLICY, **changes: object) -> Snapshot:
        options = ProduceOptions(scratch=tmp_path / "scratch", **changes)  # type: ignore[arg-type]
        revision = BaselineRevision(sha=project.sha(name), name=name, reason="because")
        checkout = Checkout.open(project.root)
        return fetch_baseline(checkout, revision, policy, options, progress=QuietProgress(), logs=tmp_path / "logs")

    return fetch


def values(snapshot: Snapshot) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in snapshot.metrics}


def states(snapshot: Snapshot) -> dict[str, str]:
    return {stage.name: stage.state for stage in snapshot.stages}


def test_unchanged_pipeline_in_a_fresh_clone_runs_nothing_and_pulls_only_results(
    tiny: TinyProject, produce: Produce
) -> None:
    tiny.forget_cache()

    snapshot = produce(tiny)

    assert states(snapshot) == {"prepare": "unchanged", "evaluate": "unchanged"}
    assert values(snapshot)["metrics.json:accuracy"] == 1.0
    assert values(snapshot)["eval/cached.json:shift"] == 0.0
    assert snapshot.predictions[""] == tiny.root / "eval/predictions.csv"
    assert not (tiny.root / "data/raw.csv").exists()
    assert not (tiny.root / "data/prepared.csv").exists()


def test_changed_parameter_runs_only_what_depends_on_it(tiny: TinyProject, produce: Produce) -> None:
    tiny.forget_cache()
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.commit()

    snapshot = produce(tiny)

    assert states(snapshot) == {"prepare": "unchanged", "evaluate": "ran"}
    assert values(snapshot)["metrics.json:accuracy"] == pytest.approx(0.8)
    assert values(snapshot)["metrics.json:nested.rows"] == 10
    assert snapshot.info.dirty
    assert not (tiny.root / "data/raw.csv").exists()
    assert [(parameter.key, parameter.value) for parameter in snapshot.parameters] == [("shift", 0.2)]


@pytest.mark.parametrize(("cache", "source"), [(True, Source.DVC_CACHE), (False, Source.DVC_REMOTE)])
def test_baseline_is_read_without_a_checkout_or_a_run(
    tiny: TinyProject, baseline_of: Produce, *, cache: bool, source: Source
) -> None:
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.commit()
    if not cache:
        tiny.forget_cache()
    before = tiny.git("status", "--porcelain")

    snapshot = baseline_of(tiny)

    assert snapshot.info.source == source
    assert snapshot.info.stale == ""
    assert values(snapshot) == {
        "eval/cached.json:shift": 0.0,
        "metrics.json:accuracy": 1.0,
        "metrics.json:nested.rows": 10.0,
    }
    predictions = snapshot.predictions[""]
    assert isinstance(predictions, Path)
    assert predictions.read_text().splitlines()[1] == "0,0,0.0"
    assert tiny.git("status", "--porcelain") == before
    assert tiny.read("params.yaml") == "shift: 0.2\n"


def test_stale_baseline_is_not_believed_but_reproduced(tiny: TinyProject, baseline_of: Produce) -> None:
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.commit("forgot dvc repro")

    snapshot = baseline_of(tiny)

    assert snapshot.info.source == Source.REPRODUCED
    assert snapshot.info.stale == "evaluate: shift in params.yaml changed"
    assert values(snapshot)["metrics.json:accuracy"] == pytest.approx(0.8)
    predictions = snapshot.predictions[""]
    assert isinstance(predictions, Path)
    assert predictions.read_text().splitlines()[1] == "0,0,0.2"
    assert tiny.git("status", "--porcelain") == ""
    assert tiny.git("worktree", "list").count("\n") == 0
