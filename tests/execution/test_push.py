from dataclasses import replace
from pathlib import Path

import pytest

from metricgate.execution.keeping import keep_results, push_cache, should_push
from metricgate.execution.work_tree import WorkTree
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source, Stage, StageState
from metricgate.results.retention import should_store
from metricgate.settings.policy import Policy
from metricgate.trigger.triggers import Trigger, TriggerKind
from tests.execution.conftest import Yield, make_context, states, values
from tests.projects import TinyProject

HEAD = "c" * 40


def make_candidate(state: StageState) -> Snapshot:
    info = RevisionInfo(name="HEAD", source=Source.WORKSPACE)
    return Snapshot(info=info, stages=(Stage(name="train", state=state),))


def push(tiny: TinyProject, tmp_path: Path) -> str:
    context = make_context(tiny.root, tmp_path)
    return push_cache(WorkTree(context=context, directory=tiny.root, files=tmp_path, name="keep"))


def test_what_was_pushed_is_not_trained_again_on_another_machine(
    tiny: TinyProject, produce: Yield, tmp_path: Path
) -> None:
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")
    tiny.commit("dvc.lock is left as it is")
    tiny.git("push", "--quiet", "origin", "change")
    clone = tiny.clone(tmp_path / "clone", "--branch", "change")
    trained = produce(tiny)

    assert push(tiny, tmp_path) == ""
    again = produce(clone)

    assert states(trained)["evaluate"] == "ran"
    assert states(again)["evaluate"] == "cached"
    assert values(again) == values(trained)


def test_push_that_fails_is_one_sentence(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.use_remote("/nonexistent")

    assert push(tiny, tmp_path).startswith("The DVC remote storage (/nonexistent) is a folder that does not exist")


@pytest.mark.parametrize(
    ("mode", "kind", "fork", "state", "expected"),
    [
        ("auto", TriggerKind.PULL_REQUEST, False, "ran", True),
        ("auto", TriggerKind.PUSH, False, "ran", True),
        ("auto", TriggerKind.PULL_REQUEST, False, "cached", False),
        ("auto", TriggerKind.LOCAL, False, "ran", False),
        ("auto", TriggerKind.PULL_REQUEST, True, "ran", False),
        ("always", TriggerKind.PULL_REQUEST, True, "ran", False),
        ("always", TriggerKind.LOCAL, False, "unchanged", True),
        ("never", TriggerKind.PUSH, False, "ran", False),
    ],
)
def test_only_trusted_runs_push(mode: str, kind: TriggerKind, state: StageState, *, fork: bool, expected: bool) -> None:
    trigger = Trigger(kind=kind, sha=HEAD, is_fork=fork)

    assert should_push(mode, trigger, HEAD, make_candidate(state)) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "ref", "state", "expected"),
    [
        (TriggerKind.PUSH, "refs/heads/main", "ran", True),
        (TriggerKind.SCHEDULE, "refs/heads/main", "cached", True),
        (TriggerKind.PUSH, "refs/heads/main", "unchanged", False),
        (TriggerKind.PUSH, "refs/heads/other", "ran", False),
        (TriggerKind.PULL_REQUEST, "refs/pull/7/merge", "ran", False),
        (TriggerKind.PULL_REQUEST, "refs/heads/main", "ran", False),
        (TriggerKind.MERGE_GROUP, "refs/heads/main", "ran", False),
        (TriggerKind.LOCAL, "", "ran", False),
    ],
)
def test_only_what_ran_on_the_default_branch_is_stored(
    kind: TriggerKind, ref: str, state: StageState, *, expected: bool
) -> None:
    trigger = Trigger(kind=kind, sha=HEAD, ref=ref, default_branch="main")

    assert should_store(trigger, HEAD, make_candidate(state)) is expected


def test_a_pull_request_checked_out_by_hand_is_not_the_default_branch() -> None:
    trigger = Trigger(kind=TriggerKind.MANUAL, sha=HEAD, ref="refs/heads/main", default_branch="main")
    trained = make_candidate("ran")

    assert should_store(trigger, HEAD, trained)
    assert should_push("auto", trigger, HEAD, trained)
    assert not should_store(trigger, "f" * 40, trained)
    assert not should_push("auto", trigger, "f" * 40, trained)
    assert should_push("always", trigger, "f" * 40, trained)


def test_what_could_not_be_kept_is_said(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.use_remote("/nonexistent")
    tiny.git("remote", "set-url", "origin", "/nonexistent")
    candidate = replace(make_candidate("ran"), inputs="aa")

    trigger = Trigger(kind=TriggerKind.PUSH, sha=tiny.sha(), ref="refs/heads/main", default_branch="main")
    notes = keep_results(make_context(tiny.root, tmp_path), trigger, candidate, Policy(), "auto")

    assert len(notes) == 2
    assert notes[0].startswith("The DVC remote did not get what was produced: The DVC remote storage (/nonexistent)")
    assert notes[1].startswith("Results were not stored for later pull requests: they could not be pushed")
