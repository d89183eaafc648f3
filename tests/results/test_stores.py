"""What every ResultStore promises, asked of each implementation."""

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType

import pytest

from metricgate.models.snapshot import (
    Believed,
    DataEntry,
    FileMetric,
    Parameter,
    PlotFile,
    RevisionInfo,
    Snapshot,
    Source,
    Stage,
    Unreadable,
)
from metricgate.results.git_refs import RESULTS
from metricgate.results.interface import ResultStore
from metricgate.results.workspace_results import FOLDER, WorkspaceResults
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy
from tests.execution.conftest import POLICY
from tests.projects import TinyProject
from tests.results.conftest import open_refs

INFO = RevisionInfo(revision="b" * 40, name="again", source=Source.WORKSPACE)
Open = Callable[[], ResultStore]


@pytest.fixture(params=["workspace", "git"])
def open_store(request: pytest.FixtureRequest, tiny: TinyProject, tmp_path: Path) -> Open:
    """Return a function that opens the store as a new run does."""
    checkout = Checkout.open(tiny.root)
    if request.param == "git":
        return lambda: open_refs(checkout, tmp_path / "found")
    return lambda: WorkspaceResults.open(checkout, "candidate")


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """A snapshot that says something in every field that is kept."""
    predictions, plot = tmp_path / "predictions.csv", tmp_path / "curve.csv"
    predictions.write_text("id,label,score\n1,1,0.5\n", encoding="utf-8")
    plot.write_text("x,y\n1,2\n", encoding="utf-8")
    return Snapshot(
        info=RevisionInfo(revision="a" * 40, name="main", source=Source.WORKSPACE),
        metrics=(FileMetric(file="metrics.json", key="luck", value=0.25),),
        parameters=(Parameter(file="params.yaml", key="shift", value=0.1),),
        data=(DataEntry(path="data/raw.csv", hash="0" * 32, size=3),),
        stages=(Stage(name="train", state="ran", seconds=3.0), Stage(name="evaluate", state="cached", seconds=1.0)),
        packages=(("numpy", "2.0"),),
        python="3.13.0",
        plots=((PlotFile(path="eval/curve.csv"), plot),),
        predictions=MappingProxyType({"": predictions}),
        inputs="aa",
        believed=(Believed(what="evaluate", reason="restored from the run cache", origin="run cache"),),
    )


def test_everything_that_is_kept_comes_back(open_store: Open, snapshot: Snapshot) -> None:
    assert open_store().keep(snapshot, "env", POLICY) == ""

    store = open_store()
    found = store.find("aa", "env", POLICY, INFO)

    assert found is not None
    assert (found.info.revision, found.info.name, found.info.source) == ("b" * 40, "again", store.source)
    assert found.stages == (
        Stage(name="train", state="unchanged", seconds=3.0),
        Stage(name="evaluate", state="unchanged"),
    )
    apart = {"info", "stages", "plots", "predictions", "problems"}
    for name in {field.name for field in fields(Snapshot)} - apart:
        assert getattr(found, name) == getattr(snapshot, name) != (), name
    for before, after in ((snapshot.predictions[""], found.predictions[""]), (snapshot.plots[0][1], found.plots[0][1])):
        assert isinstance(before, Path)
        assert isinstance(after, Path)
        assert (after.suffix, after.read_bytes()) == (before.suffix, before.read_bytes())


@pytest.mark.parametrize(
    ("inputs", "environment", "is_found"),
    [("aa", "env", True), ("aa", None, True), ("aa", "other", False), ("bb", "env", False), ("bb", None, False)],
)
def test_a_snapshot_is_found_by_its_inputs_and_environment(
    open_store: Open, snapshot: Snapshot, inputs: str, environment: str | None, *, is_found: bool
) -> None:
    open_store().keep(snapshot, "env", POLICY)

    store = open_store()

    assert (store.find(inputs, environment, POLICY, INFO) is not None) is is_found
    assert (store.list_keys("env"), store.list_keys("other")) == (("aa",), ())


def limit_age(days: float) -> Policy:
    pipeline = POLICY.pipeline.model_copy(update={"max_age_days": days})
    return POLICY.model_copy(update={"pipeline": pipeline})


def test_results_that_are_too_old_are_not_found_and_are_replaced(open_store: Open, snapshot: Snapshot) -> None:
    open_store().keep(snapshot, "env", POLICY)
    aged, fresh = limit_age(1e-9), limit_age(1)

    assert open_store().find("aa", "env", fresh, INFO) is not None
    assert open_store().find("aa", "env", aged, INFO) is None

    open_store().keep(replace(snapshot, python="3.14.0"), "env", aged)
    found = open_store().find("aa", "env", fresh, INFO)
    assert found is not None
    assert found.python == "3.14.0"


def test_a_snapshot_without_predictions_that_the_policy_names_is_not_found(
    open_store: Open, snapshot: Snapshot
) -> None:
    lost = replace(snapshot, predictions=MappingProxyType({"": Unreadable(what="p", reason="it is broken")}))
    open_store().keep(lost, "env", POLICY)
    open_store().keep(replace(snapshot, predictions=MappingProxyType({}), inputs="bb"), "env", Policy())

    assert open_store().find("aa", None, POLICY, INFO) is None
    assert open_store().find("bb", None, POLICY, INFO) is None
    assert open_store().find("bb", None, Policy(), INFO) is not None


def test_what_cannot_be_kept_raises_nothing(open_store: Open, snapshot: Snapshot, tiny: TinyProject) -> None:
    open_store().keep(replace(snapshot, inputs=""), "env", POLICY)
    assert open_store().list_keys("env") == ()

    tiny.git("remote", "set-url", "origin", "/nonexistent")
    (tiny.root / ".metricgate").write_text("a file in the folder's place", encoding="utf-8")

    assert open_store().keep(snapshot, "env", POLICY) != ""
    assert open_store().find("aa", "env", POLICY, INFO) is None


STORED = """\
{"schema_version":1,"revision":"%s","inputs":"in","metrics":[{"file":"metrics.json","key":"luck","value":0.25,\
"problem":""}],"parameters":[],"data":[],"stages":[{"name":"roll","state":"ran","seconds":3.0}],"packages":[],\
"python":"","plots":[],"predictions":[{"path":"eval/predictions.csv","name":"%s","hash":""}]}"""
EARLIER = '{"made":"2026-01-02 03:04 UTC","environment":"env","results":%s,"digests":{"0/predictions.csv":"%s"}}'
ROWS = "id,label,score\n1,1,0.5\n"


def test_results_of_the_first_release_are_read(tiny: TinyProject, tmp_path: Path) -> None:
    checkout = Checkout.open(tiny.root)
    texts = {"results.json": STORED % ("a" * 40, "file-0"), "file-0": ROWS}
    tree = checkout.make_tree({name: checkout.write_blob(text.encode()) for name, text in texts.items()})
    tiny.git("push", "--quiet", "origin", f"{tiny.git('commit-tree', tree, '-m', 'Results').strip()}:{RESULTS}/in")
    name = hashlib.sha256(b"in env").hexdigest()[:32]
    earlier = EARLIER % (STORED % ("a" * 40, "0/predictions.csv"), hashlib.sha256(ROWS.encode()).hexdigest())
    tiny.write(f"{FOLDER}/candidate/{name}/0/predictions.csv", ROWS)
    tiny.write(f"{FOLDER}/candidate/{name}/results.json", earlier)

    for store in (open_refs(checkout, tmp_path / "found"), WorkspaceResults.open(checkout, "candidate")):
        found = store.find("in", None, POLICY, INFO)
        assert found is not None
        assert (found.metrics[0].value, found.stages[0].seconds) == (0.25, 3.0)
        path = found.predictions[""]
        assert isinstance(path, Path)
        assert path.read_text(encoding="utf-8") == ROWS
