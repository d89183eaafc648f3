from pathlib import Path

import pytest

from metricgate.models.snapshot import RevisionInfo, Snapshot, Source, Stage, StageState
from metricgate.processes.progress import QuietProgress
from metricgate.trigger.value import Trigger, TriggerKind
from metricgate.workspace.checkout import Checkout
from metricgate.workspace.push import push_cache, should_push
from tests.projects import TinyProject
from tests.workspace.conftest import Yield, states, values


def push(tiny: TinyProject, tmp_path: Path) -> str:
    return push_cache(Checkout.open(tiny.root), tmp_path, progress=QuietProgress(), logs=tmp_path / "logs")


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
    candidate = Snapshot(
        info=RevisionInfo(name="HEAD", source=Source.WORKSPACE), stages=(Stage(name="train", state=state),)
    )

    assert should_push(mode, Trigger(kind=kind, is_fork=fork), candidate) is expected  # type: ignore[arg-type]
