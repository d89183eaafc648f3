from pathlib import Path

import pytest

from metricgate.models.snapshot import Source, Unreadable
from metricgate.settings.policy import Policy, PredictionsSpec
from tests.execution.conftest import Yield, states, values
from tests.projects import TinyProject


def test_unchanged_pipeline_in_a_fresh_clone_runs_nothing_and_pulls_only_results(
    tiny: TinyProject, produce: Yield
) -> None:
    tiny.forget_cache()

    snapshot = produce(tiny)

    assert states(snapshot) == {"prepare": "unchanged", "evaluate": "unchanged"}
    assert values(snapshot)["metrics.json:accuracy"] == 1.0
    assert values(snapshot)["eval/cached.json:shift"] == 0.0
    assert snapshot.predictions[""] == tiny.root / "eval/predictions.csv"
    assert not (tiny.root / "data/raw.csv").exists()
    assert not (tiny.root / "data/prepared.csv").exists()


def test_changed_parameter_runs_only_what_depends_on_it(tiny: TinyProject, produce: Yield) -> None:
    tiny.forget_cache()
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.commit()

    snapshot = produce(tiny)

    assert states(snapshot) == {"prepare": "unchanged", "evaluate": "ran"}
    assert values(snapshot)["metrics.json:accuracy"] == pytest.approx(0.8)
    assert values(snapshot)["metrics.json:nested.rows"] == 10
    assert not snapshot.info.dirty  # the run wrote dvc.lock, no person did
    assert not (tiny.root / "data/raw.csv").exists()
    assert [(parameter.key, parameter.value) for parameter in snapshot.parameters] == [("shift", 0.2)]


@pytest.mark.parametrize(("cache", "source"), [(True, Source.DVC_CACHE), (False, Source.DVC_REMOTE)])
def test_baseline_is_read_without_a_checkout_or_a_run(
    tiny: TinyProject, baseline_of: Yield, *, cache: bool, source: Source
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


def test_stale_baseline_is_not_believed_but_reproduced(tiny: TinyProject, baseline_of: Yield) -> None:
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


def test_file_that_no_stage_names_is_no_reason_to_train_the_baseline(tiny: TinyProject, baseline_of: Yield) -> None:
    policy = Policy(predictions=PredictionsSpec(path="never.csv", label="label", score="score"))

    snapshot = baseline_of(tiny, "main", policy)

    assert snapshot.info.source == Source.DVC_CACHE
    assert snapshot.predictions[""] == Unreadable(
        what="never.csv", reason="never.csv is not in Git at this revision, and DVC does not track it", missing=True
    )


def test_stage_that_always_runs_does_not_make_recorded_results_stale(
    tiny: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    tiny.write(
        "dvc.yaml",
        tiny.read("dvc.yaml").replace(
            "cmd: python src/evaluate.py", "always_changed: true\n    cmd: python src/evaluate.py"
        ),
    )
    assert states(produce(tiny)) == {"prepare": "unchanged", "evaluate": "ran"}
    tiny.commit()

    assert baseline_of(tiny).info.source == Source.DVC_CACHE
    assert states(produce(tiny, reproduce="never")) == {"prepare": "unchanged", "evaluate": "unchanged"}


def test_what_a_run_wrote_is_not_a_change_that_a_person_made(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("params.yaml", tiny.read("params.yaml") + "other: 1\n")
    tiny.write("src/evaluate.py", tiny.read("src/evaluate.py") + "# a change\n")
    tiny.commit()

    first = produce(tiny)
    changed = tiny.git("status", "--porcelain", "--untracked-files=no")
    second = produce(tiny)

    assert "dvc.lock" in changed
    assert (first.info.dirty, second.info.dirty) == (False, False)


def test_work_that_is_not_committed_is_named(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("src/evaluate.py", tiny.read("src/evaluate.py") + "# a change\n")

    assert produce(tiny).info.dirty
