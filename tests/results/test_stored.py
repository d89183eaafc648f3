import hashlib
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from metricgate.errors import WorkspaceError
from metricgate.execution.file_copies import open_stored_results
from metricgate.models.snapshot import DataEntry, RevisionInfo, Snapshot, Source
from metricgate.results import git_refs
from metricgate.results.git_refs import LAST, RESULTS, find_last_revision, list_stored
from metricgate.revisions.baseline_revision import resolve_baseline
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec, Policy, PredictionsSpec
from metricgate.trigger.triggers import Trigger, TriggerKind
from tests.execution.conftest import POLICY, Yield, states, values
from tests.projects import TinyProject
from tests.results.conftest import open_tree, store


@pytest.fixture
def uncommitted(tiny: TinyProject) -> TinyProject:
    """A team whose CI trains and that commits neither dvc.lock nor metrics; main's results are on no machine."""
    tiny.git("rm", "--quiet", "dvc.lock", "metrics.json", "eval/curve.csv")
    tiny.write(".gitignore", "/metrics.json\n/eval/curve.csv\n")
    tiny.commit("do not commit results")
    tiny.git("push", "--quiet", "origin", "main")
    tiny.git("clean", "--quiet", "-fdx", "--exclude=.dvc", "--exclude=data/raw.csv")
    return tiny


def refs(tiny: TinyProject) -> list[str]:
    return [line.split("\t")[1] for line in tiny.git("ls-remote", "origin", "refs/metricgate/*").splitlines()]


def test_results_of_main_are_stored_and_used_without_training(
    uncommitted: TinyProject, produce: Yield, baseline_of: Yield, tmp_path: Path
) -> None:
    trained = produce(uncommitted)
    assert states(trained) == {"prepare": "cached", "evaluate": "cached"}
    assert store(uncommitted, trained) == ""
    clone = uncommitted.clone(tmp_path / "clone", "--depth=1")

    snapshot = baseline_of(clone)

    assert snapshot.info.source == Source.STORED
    assert snapshot.info.stale == ""
    assert values(snapshot) == values(trained)
    assert snapshot.parameters == trained.parameters
    assert states(snapshot) == {"prepare": "unchanged", "evaluate": "unchanged"}
    for (plot, path), (before, there) in zip(snapshot.plots, trained.plots, strict=True):
        assert (plot, path.read_bytes()) == (before, there.read_bytes())
    found, original = snapshot.predictions[""], trained.predictions[""]
    assert isinstance(found, Path)
    assert isinstance(original, Path)
    assert found.suffix == ".csv"
    assert found.read_bytes() == original.read_bytes()
    assert not (clone.root / "eval/predictions.csv").exists()


def test_candidate_with_the_inputs_of_main_is_not_trained_again(
    uncommitted: TinyProject, produce: Yield, tmp_path: Path
) -> None:
    trained = produce(uncommitted)
    store(uncommitted, trained)
    clone = uncommitted.clone(tmp_path / "clone")
    clone.write("README.md", "nothing the pipeline reads\n")
    clone.commit()

    snapshot = produce(clone, reuse_stored=True)

    assert snapshot.info.source == Source.STORED
    assert "inputs of a run on the default branch" in snapshot.info.reason
    assert values(snapshot) == values(trained)
    assert not (clone.root / "dvc.lock").exists()

    clone.write("requirements.txt", "scikit-learn==1.7.2\n")
    clone.commit("Ask for another library")
    assert produce(clone, reuse_stored=True).info.source == Source.WORKSPACE


def test_other_inputs_find_no_stored_results(uncommitted: TinyProject, baseline_of: Yield) -> None:
    other = make_snapshot(uncommitted, "aa", uncommitted.root / "params.yaml")
    assert store(uncommitted, other) == ""

    with pytest.raises(WorkspaceError, match=r"The baseline .* has no usable results, and must not be reproduced"):
        baseline_of(uncommitted, baseline_results="stored")


def make_snapshot(tiny: TinyProject, inputs: str, predictions: Path) -> Snapshot:
    info = RevisionInfo(revision=tiny.sha(), name="main", source=Source.WORKSPACE)
    return Snapshot(info=info, inputs=inputs, predictions=MappingProxyType({"": predictions}))


def test_old_results_are_pruned_and_the_list_is_newest_first(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_refs, "MAX_STORED_RUNS", 2)
    checkout = Checkout.open(tiny.root)

    for key in ("aa", "bb", "aa", "cc"):
        assert store(tiny, make_snapshot(tiny, key, tiny.root / "metrics.json")) == ""

    assert refs(tiny) == [LAST, f"{RESULTS}/aa", f"{RESULTS}/cc"]
    assert [entry.inputs for entry in list_stored(checkout)] == ["cc", "aa"]


def test_results_that_are_too_large_are_not_stored_and_say_so(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_refs, "MAX_STORED_BYTES", 10)

    reason = store(tiny, make_snapshot(tiny, "aa", tiny.root / "metrics.json"))

    assert reason.startswith("predictions and plots that DVC does not track take more than")
    assert refs(tiny) == []


def test_large_predictions_are_left_to_the_dvc_remote(
    tiny: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_refs, "MAX_STORED_BYTES", 10)
    digest = hashlib.md5((tiny.root / "eval/predictions.csv").read_bytes(), usedforsecurity=False).hexdigest()
    snapshot = replace(
        make_snapshot(tiny, "aa", tiny.root / "eval/predictions.csv"),
        data=(DataEntry(path="eval/predictions.csv", hash=digest, output=True),),
    )
    kept = tiny.read("eval/predictions.csv")

    assert store(tiny, snapshot) == ""
    tiny.forget_cache()
    loaded = open_stored_results(open_tree(tiny, tmp_path)).find("aa", None, POLICY, snapshot.info)

    assert loaded is not None
    found = loaded.predictions[""]
    assert isinstance(found, Path)
    assert found.suffix == ".csv"
    assert found.read_text() == kept


def test_storing_without_the_right_to_push_is_a_sentence_and_no_failure(tiny: TinyProject) -> None:
    tiny.git("remote", "set-url", "origin", "/nonexistent")

    reason = store(tiny, make_snapshot(tiny, "aa", tiny.root / "metrics.json"))

    assert reason.startswith("they could not be pushed: ")


def test_scheduled_run_is_compared_with_the_last_stored_result(tiny: TinyProject) -> None:
    first = tiny.sha()
    store(tiny, make_snapshot(tiny, "aa", tiny.root / "metrics.json"))
    for number in range(3):
        tiny.commit(f"later {number}")
    tiny.git("push", "--quiet", "origin", "main")
    trigger = Trigger(kind=TriggerKind.SCHEDULE, default_branch="main")

    baseline = resolve_baseline(Checkout.open(tiny.root), trigger, find_last_stored=find_last_revision)

    assert baseline is not None
    assert (baseline.sha, baseline.reason) == (first, "the last run on main whose results were stored")


@pytest.mark.acceptance
def test_results_of_a_command_are_stored_under_its_tree(tiny: TinyProject, produce: Yield, baseline_of: Yield) -> None:
    pipeline = PipelineSpec(command="python src/evaluate.py", metrics=("metrics.json",))
    policy = Policy(predictions=PredictionsSpec(path="p.csv", label="label", score="score"), pipeline=pipeline)
    tiny.git("rm", "--quiet", "-r", ".dvc", "dvc.yaml", "dvc.lock", "metrics.json", "eval/curve.csv")
    tiny.write(
        "src/evaluate.py",
        "open('p.csv','w').write('label,score\\n1,0.5\\n')\nopen('metrics.json','w').write('{\"a\": 1}')\n",
    )
    tiny.write(".gitignore", "p.csv\nmetrics.json\n")
    tiny.commit()

    trained = produce(tiny, policy, pipeline=pipeline)
    assert store(tiny, trained, policy) == ""
    baseline = baseline_of(tiny, "main", policy, pipeline=pipeline)

    assert baseline.info.source == Source.STORED
    assert values(baseline) == {"metrics.json:a": 1.0}
