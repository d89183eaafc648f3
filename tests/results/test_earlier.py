"""The same inputs are not rolled again: a pipeline that gives other numbers each time counts the first time only."""

import subprocess
from pathlib import Path
from types import MappingProxyType

import pytest

from metricgate.execution.candidate import produce_candidate
from metricgate.execution.environment import fingerprint_environment
from metricgate.models.snapshot import FileMetric, RevisionInfo, Snapshot, Source, Stage
from metricgate.processes.progress import QuietProgress
from metricgate.report.formats.markdown import render_comment
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Report
from metricgate.results.retention import MAX_WORKSPACE_RUNS
from metricgate.results.workspace_results import FOLDER, Side, WorkspaceResults
from metricgate.revisions.checkout import Checkout
from metricgate.run import Request, run
from metricgate.settings.policy import PipelineSpec
from metricgate.trigger import Trigger, TriggerKind
from tests.execution.conftest import POLICY, make_context
from tests.projects import TinyProject

ROLL = """\
import csv, json, random
with open("eval/predictions.csv", "w") as file:
    csv.writer(file).writerow(["id", "label", "score"])
    csv.writer(file).writerows((id, id % 2, round(random.random(), 6)) for id in range(200))
json.dump({"luck": random.random()}, open("metrics.json", "w"))
"""
PIPELINE = """\
stages:
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py]
    params: [shift]
    outs:
      - eval/predictions.csv: {cache: false}
    metrics:
      - metrics.json: {cache: false}
"""
MODEL = """\
stages:
  train:
    cmd: python src/train.py
    deps: [src/train.py]
    outs: [model.txt]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, model.txt]
    outs:
      - eval/predictions.csv: {cache: false}
    metrics:
      - metrics.json: {cache: false}
"""
JUDGE = """\
import json
open("eval/predictions.csv", "w").write("id,label,score\\n1,1,0.5\\n")
json.dump({"good": int(open("model.txt").read() == "good")}, open("metrics.json", "w"))
"""
RULES = "predictions: {path: eval/predictions.csv, id: id, label: label, score: score}\ngates:\n"
LOOSE = f"{RULES}  - {{metric: roc_auc, max_drop: 0.4}}\n"
STRICT = f"{RULES}  - {{metric: roc_auc, min: 0.99}}\n"


def judge(project: TinyProject, tmp_path: Path) -> Report:
    return run(Request(directory=project.root, output=tmp_path / "report"), QuietProgress())


def luck_of(report: Report) -> tuple[float | None, float | None]:
    """Return the random number that the baseline's, and that the candidate's pipeline wrote."""
    [luck] = [row for row in report.metrics if row.source == "metrics.json"]
    return luck.baseline, luck.candidate


def start_fresh(project: TinyProject) -> None:
    """Leave what a fresh checkout has: no output of an earlier run, and dvc.lock as committed."""
    project.git("checkout", "--quiet", "--", ".")
    project.git("clean", "--quiet", "-fd")


@pytest.fixture
def dice(tiny: TinyProject) -> TinyProject:
    """A pipeline that rolls dice, whose outputs neither Git nor DVC keeps; on a branch that changes a parameter."""
    tiny.git("rm", "--quiet", "--cached", "metrics.json")
    tiny.write(".gitignore", "metrics.json\neval/predictions.csv\n/metricgate-report\n")
    tiny.write("src/evaluate.py", ROLL)
    tiny.write("dvc.yaml", PIPELINE)
    tiny.git("rm", "--quiet", "dvc.lock")
    tiny.write("metricgate.yaml", LOOSE)
    tiny.commit("Roll dice")
    tiny.git("push", "--quiet", "origin", "main")
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.1\n")
    tiny.commit("Change a parameter")
    return tiny


@pytest.mark.acceptance
def test_equal_inputs_give_the_first_runs_numbers_whatever_the_policy_and_other_inputs_are_rolled(
    dice: TinyProject, tmp_path: Path
) -> None:
    first = judge(dice, tmp_path)
    start_fresh(dice)
    second = judge(dice, tmp_path)

    assert luck_of(first)[0] != luck_of(first)[1]
    assert (second.metrics, second.gates, second.verdict) == (first.metrics, first.gates, first.verdict)
    assert second.candidate is not None
    told = f"not run again: same inputs as the run of {second.candidate.made}, whose results are used"
    assert told in render_comment(second).replace("&#8203;", "")
    assert told in render_terminal(second, color=False, width=100)
    assert "not run again" not in render_comment(first)

    policy = tmp_path / "strict.yaml"
    policy.write_text(STRICT, encoding="utf-8")
    stricter = run(Request(directory=dice.root, output=tmp_path / "report", policy=policy), QuietProgress())
    dice.write("params.yaml", "shift: 0.2\n")
    dice.commit("Change the parameter again")
    other = judge(dice, tmp_path)

    assert (stricter.verdict, luck_of(stricter)) == ("failed", luck_of(first))
    assert other.candidate is not None
    assert other.candidate.made == ""
    assert luck_of(other)[0] == luck_of(first)[0]
    assert luck_of(other)[1] != luck_of(first)[1]


@pytest.mark.parametrize(("always", "kept"), [("true", 0), ("false", 1)])
def test_a_stage_that_always_runs_has_more_inputs_than_are_known(
    dice: TinyProject, tmp_path: Path, always: str, kept: int
) -> None:
    dice.write("dvc.yaml", PIPELINE.replace("    outs:", f"    always_changed: {always}\n    outs:"))
    context = make_context(dice.root, tmp_path)

    produce_candidate(context, POLICY, earlier=open_runs(context.checkout))

    assert len(open_runs(context.checkout).runs) == kept


@pytest.mark.acceptance
def test_a_command_is_not_run_again_on_the_same_commit_data_and_files_but_on_the_default_branch(
    dice: TinyProject, tmp_path: Path
) -> None:
    dice.git("switch", "--quiet", "main")
    dice.git("rm", "--quiet", "dvc.yaml")
    dice.write("metricgate.yaml", f"{LOOSE}pipeline: {{command: python src/evaluate.py, metrics: [metrics.json]}}\n")
    dice.commit("Roll dice without DVC")
    dice.git("push", "--quiet", "origin", "main")
    dice.start_branch("by-command")
    dice.commit("Change nothing")

    first, second = judge(dice, tmp_path), judge(dice, tmp_path)
    dice.write("data/raw.csv", "1\n")
    with_data = judge(dice, tmp_path)
    dice.dvc("checkout", "--quiet", "--force")
    dice.write("params.yaml", "shift: 7\n")
    with_file = judge(dice, tmp_path)
    dice.git("checkout", "--quiet", "--", ".")
    dice.write("src/helper.py", "nobody told Git of this\n")
    with_new_file = judge(dice, tmp_path)
    (dice.root / "src/helper.py").unlink()
    push = Trigger(
        kind=TriggerKind.PUSH,
        sha=dice.sha(),
        ref="refs/heads/main",
        default_branch="main",
        before=dice.sha("main"),
    )
    on_main = run(Request(directory=dice.root, output=tmp_path / "report", trigger=push), QuietProgress())

    assert second.metrics == first.metrics
    assert len({luck_of(report)[1] for report in (first, with_data, with_file, with_new_file, on_main)}) == 5
    # The baseline of the push is produced anew: only runs on a laptop use the active environment, which is in their key.
    assert {luck_of(report)[0] for report in (second, with_data, with_file, with_new_file)} == {luck_of(first)[0]}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    directory = tmp_path / "project"
    directory.mkdir()
    return Checkout(directory=directory, top=directory, prefix="", head_sha="a" * 40)


def make_snapshot(tmp_path: Path, inputs: str = "in") -> Snapshot:
    predictions = tmp_path / "predictions.csv"
    predictions.write_text("id,label,score\n1,1,0.5\n", encoding="utf-8")
    return Snapshot(
        info=RevisionInfo(revision="a" * 40, name="x", source=Source.WORKSPACE),
        metrics=(FileMetric(file="metrics.json", key="luck", value=0.25),),
        stages=(Stage(name="roll", state="ran", seconds=3.0),),
        predictions=MappingProxyType({"": predictions}),
        inputs=inputs,
    )


def open_runs(checkout: Checkout, side: Side = "candidate") -> WorkspaceResults:
    return WorkspaceResults.open(checkout, side)


def keep(checkout: Checkout, snapshot: Snapshot, environment: str = "env") -> None:
    open_runs(checkout).keep(snapshot, environment, POLICY)


def load(checkout: Checkout, inputs: str = "in", environment: str = "env") -> Snapshot | None:
    info = RevisionInfo(revision="b" * 40, name="y", source=Source.WORKSPACE)
    return open_runs(checkout).find(inputs, environment, POLICY, info)


def test_what_is_kept_comes_back_and_says_when_it_was_made(checkout: Checkout, tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path)
    keep(checkout, snapshot)

    found = load(checkout)

    assert found is not None
    assert (found.metrics, found.inputs) == (snapshot.metrics, "in")
    assert [stage.state for stage in found.stages] == ["unchanged"]
    assert (found.info.revision, found.info.source, found.info.made[-3:]) == ("b" * 40, Source.EARLIER, "UTC")
    path = found.predictions[""]
    assert isinstance(path, Path)
    assert path.read_text(encoding="utf-8").endswith("1,1,0.5\n")
    assert (checkout.directory / ".metricgate/.gitignore").read_text(encoding="utf-8") == "*\n"


def test_the_first_result_of_equal_inputs_stays(checkout: Checkout, tmp_path: Path) -> None:
    keep(checkout, make_snapshot(tmp_path))
    (tmp_path / "predictions.csv").write_text("id,label,score\n1,1,0.9\n", encoding="utf-8")
    again = make_snapshot(tmp_path)
    keep(checkout, again)

    assert open_runs(checkout).list_keys("env") == ("in",)
    assert open_runs(checkout, "baseline").list_keys("env") == ()


@pytest.mark.parametrize(("inputs", "environment"), [("other", "env"), ("in", "other")])
def test_other_inputs_or_another_environment_are_another_run(
    checkout: Checkout, tmp_path: Path, inputs: str, environment: str
) -> None:
    keep(checkout, make_snapshot(tmp_path))

    assert load(checkout, inputs, environment) is None


def find_kept(checkout: Checkout) -> Path:
    [file] = (checkout.directory / FOLDER).glob("candidate/*/0/predictions.csv")
    return file


def test_a_file_that_changed_after_the_run_began_is_not_believed(checkout: Checkout, tmp_path: Path) -> None:
    keep(checkout, make_snapshot(tmp_path))
    runs = open_runs(checkout)
    kept = find_kept(checkout)
    kept.write_text("id,label,score\n1,1,0.9\n", encoding="utf-8")
    text = kept.parents[1].joinpath("results.json").read_text(encoding="utf-8")
    kept.parents[1].joinpath("results.json").write_text(text.replace("0.25", "0.75"), encoding="utf-8")

    info = RevisionInfo(name="y", source=Source.WORKSPACE)
    assert runs.find("in", "env", POLICY, info) is None


@pytest.mark.parametrize("name", ["../../../secret.csv", "0/..", "/etc/passwd", "0/../../x", f"0/{'x' * 300}"])
def test_a_name_that_leads_out_of_the_folder_is_not_followed(checkout: Checkout, tmp_path: Path, name: str) -> None:
    keep(checkout, make_snapshot(tmp_path))
    results = find_kept(checkout).parents[1] / "results.json"
    results.write_text(results.read_text(encoding="utf-8").replace("0/predictions.csv", name), encoding="utf-8")

    assert load(checkout) is None


def test_a_link_in_place_of_a_file_or_folder_is_not_followed(checkout: Checkout, tmp_path: Path) -> None:
    keep(checkout, make_snapshot(tmp_path))
    kept = find_kept(checkout)
    copy = tmp_path / "copy.csv"
    kept.rename(copy)
    kept.symlink_to(copy)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    assert load(checkout) is None

    (checkout.directory / FOLDER / "baseline").symlink_to(elsewhere)
    open_runs(checkout, "baseline").keep(make_snapshot(tmp_path), "env", POLICY)
    assert list(elsewhere.iterdir()) == []


def test_results_that_somebody_committed_are_no_earlier_runs(checkout: Checkout, tmp_path: Path) -> None:
    keep(checkout, make_snapshot(tmp_path))
    run_git(checkout, "init", "--quiet")
    assert load(checkout) is not None

    run_git(checkout, "add", "--force", FOLDER)

    assert load(checkout) is None


def run_git(checkout: Checkout, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=checkout.directory, check=True)


def test_only_the_newest_runs_are_kept(checkout: Checkout, tmp_path: Path) -> None:
    for number in range(MAX_WORKSPACE_RUNS + 2):
        keep(checkout, make_snapshot(tmp_path, f"in{number}"))

    assert len(open_runs(checkout).runs) == MAX_WORKSPACE_RUNS
    assert load(checkout, f"in{MAX_WORKSPACE_RUNS + 1}") is not None


@pytest.mark.parametrize(
    ("changed", "named", "is_same"),
    [
        ("requirements.txt", None, False),
        ("requirements.txt", "uv.lock", True),
        ("uv.lock", "uv.lock", False),
        ("pyproject.toml", "uv.lock", False),
        ("requirements.txt", "requirements.txt", False),
        ("pins/base.txt", "requirements.txt", False),
        ("pins/bounds.txt", "requirements.txt", False),
        ("uv.lock", "requirements.txt", True),
        (".python-version", "requirements.txt", False),
        ("notes.txt", None, True),
    ],
)
def test_the_environment_is_what_the_policy_and_the_files_it_names_say(
    changed: str, named: str | None, *, is_same: bool
) -> None:
    files = {
        "requirements.txt": "-r pins/base.txt\nnumpy==2.0\n",
        "pins/base.txt": "scipy==1.0\n--constraint=bounds.txt\n-r ../requirements.txt",
        "pins/bounds.txt": "dvc<4\n",
        "uv.lock": "lock",
        "pyproject.toml": "one",
    }
    spec = PipelineSpec(requirements=named)

    before, after = (fingerprint_environment(spec, text.get) for text in (files, files | {changed: "other"}))

    assert (before == after) is is_same


@pytest.mark.parametrize("definition", ["frozen: true\n    cmd", "cmd"])
def test_another_committed_model_is_another_input_of_the_stages_that_judge_it(
    tiny: TinyProject, tmp_path: Path, definition: str
) -> None:
    """Trained elsewhere and committed in dvc.lock, without the evaluation: the model is what differs."""
    tiny.write("dvc.yaml", MODEL.replace("cmd", definition, 1))
    tiny.write("src/train.py", "open('model.txt', 'w').write('unlucky')\n")
    tiny.write("src/evaluate.py", JUDGE)
    tiny.write(".gitignore", "metrics.json\neval/predictions.csv\nmodel.txt\n")
    tiny.git("rm", "--quiet", "--cached", "metrics.json")
    tiny.start_branch()
    found = []
    for quality in ("good", "bad"):
        tiny.write("model.txt", quality)
        tiny.dvc("commit", "--quiet", "--force", "train")
        tiny.commit(quality)
        context = make_context(tiny.root, tmp_path / quality)
        snapshot = produce_candidate(context, POLICY, earlier=open_runs(context.checkout))
        found.append(snapshot.metrics[0].value)
        start_fresh(tiny)

    assert found == [1.0, 0.0]
