"""A changed test set, on real Git and DVC: rows that a model was trained on never count, rows fresh for both do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.execution.new_rows import CompletedSides, Sides, complete_sides
from metricgate.judging import Case
from metricgate.judging import judge as judge_case
from metricgate.models.snapshot import DataEntry, RevisionInfo, Snapshot, Source
from metricgate.predictions import read_predictions
from metricgate.processes.progress import QuietProgress
from metricgate.report.formats.markdown import render_comment
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Report
from metricgate.run import Request, run
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import PolicyChoice
from tests.execution.conftest import make_context
from tests.projects import TinyProject, create_tiny, stages_find_python

# The model has memorized its training data, and guesses the rest: right in 4 of 5 cases.
SPLIT = """\
import hashlib, re
text = open("params.yaml").read()
seed, rows = re.search(r"seed: (.*)", text)[1], int(open("data/raw.csv").read())
def is_test(id): return hashlib.md5(f"{seed}:{id}".encode()).digest()[0] < 128
for name, wanted in (("train", False), ("test", True)):
    ids = [id for id in range(rows) if is_test(id) is wanted]
    open(f"data/{name}.csv", "w").write("id,label\\n" + "".join(f"{id},{id % 2}\\n" for id in ids))
"""
TRAIN = """\
import csv, json
json.dump({row["id"]: row["label"] for row in csv.DictReader(open("data/train.csv"))}, open("model.json", "w"))
"""
EVALUATE = """\
import csv, hashlib, json
known = json.load(open("model.json"))
def guess(row):
    wrong = hashlib.md5(row["id"].encode()).digest()[0] < 51
    return known.get(row["id"], str(int(row["label"]) ^ wrong))
rows = [(row["id"], row["label"], guess(row)) for row in csv.DictReader(open("data/test.csv"))]
with open("eval/predictions.csv", "w") as file:
    csv.writer(file).writerows([("id", "label", "prediction"), *rows])
json.dump({"rows": len(rows)}, open("metrics.json", "w"))
"""
PIPELINE = """\
stages:
  split:
    cmd: python src/split.py
    deps: [src/split.py, data/raw.csv]
    params: [seed]
    outs: [data/train.csv, data/test.csv]
  train:
    cmd: python src/train.py
    deps: [src/train.py, data/train.csv]
    outs: [model.json]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, model.json, data/test.csv]
    outs: [eval/predictions.csv]
    metrics:
      - metrics.json: {cache: false}
"""
POLICY = """\
predictions: {path: eval/predictions.csv, id: id, label: label, prediction: prediction}
gates: [{metric: accuracy, max_drop: 0.06}]
"""
EVALUATION = """\
evaluation:
  command: python src/evaluate.py
  model: model.json
  data: data/test.csv
  train: data/train.csv
"""
FILES = {
    "data/raw.csv": "1200\n",
    "params.yaml": "seed: 1\n",
    "src/split.py": SPLIT,
    "src/train.py": TRAIN,
    "src/evaluate.py": EVALUATE,
    "dvc.yaml": PIPELINE,
    "metricgate.yaml": POLICY + EVALUATION,
    "eval/.gitignore": "",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the project, and a branch for each change of its test set, reproduced, pushed and committed."""
    directory = tmp_path_factory.mktemp("split")
    with stages_find_python():
        project = create_tiny(directory, FILES)
        _add_branch(project, "moved-split", "params.yaml", "seed: 2\n")
        _add_branch(project, "more-rows", "data/raw.csv", "1600\n")
    return directory


def _add_branch(project: TinyProject, name: str, path: str, text: str) -> None:
    predictions = project.root / "eval/predictions.csv"
    shutil.copyfile(predictions, project.root.parent / "main.csv")
    project.start_branch(name)
    project.write(path, text)
    if path == "data/raw.csv":
        project.dvc("add", "--quiet", path)
    project.dvc("repro", "--quiet")
    project.dvc("push", "--quiet")
    project.commit(name)
    shutil.copyfile(predictions, project.root.parent / f"{name}.csv")
    project.git("switch", "--quiet", "main")
    project.dvc("checkout", "--quiet")


@pytest.fixture
def project(template: Path, make_copy: Callable[[Path], TinyProject]) -> TinyProject:
    return make_copy(template)


def judge(project: TinyProject, branch: str, tmp_path: Path) -> Report:
    """Judge a branch in a checkout that has neither DVC cache nor outputs, as in CI."""
    project.git("switch", "--quiet", branch)
    shutil.rmtree(project.root / ".dvc/cache")
    project.git("clean", "--quiet", "-fdX", "--exclude=!.dvc/config.local")
    return run(Request(directory=project.root, output=tmp_path / "report"), QuietProgress())


def complete(project: TinyProject, tmp_path: Path, *, baseline: str, candidate: str = "") -> CompletedSides:
    """Complete the results of main for the branch ``more-rows``; the texts are policies."""
    own = read_policy(baseline, origin="baseline")
    other = read_policy(candidate or baseline, origin="candidate")
    sides = Sides(
        baseline=make_snapshot(project, "main", Source.GIT),
        candidate=make_snapshot(project, "more-rows", Source.WORKSPACE),
        baseline_policy=own,
        candidate_policy=other,
    )
    project.git("switch", "--quiet", "more-rows")
    project.dvc("checkout", "--quiet")
    return complete_sides(make_context(project.root, tmp_path), sides)


def make_snapshot(project: TinyProject, branch: str, source: Source) -> Snapshot:
    info = RevisionInfo(revision=project.sha(branch), name=branch, source=source)
    return Snapshot(info=info, predictions={"": project.root.parent / f"{branch}.csv"})


def warning_of(report: Report, code: str) -> str:
    return next((warning.text for warning in report.warnings if warning.code == code), "")


def sources_of(report: Report) -> tuple[str, str]:
    assert report.baseline is not None
    assert report.candidate is not None
    return report.baseline.source, report.candidate.source


def test_rows_that_the_baseline_was_trained_on_never_count_after_the_split_moved(
    project: TinyProject, tmp_path: Path
) -> None:
    report = judge(project, "moved-split", tmp_path)

    [pairing] = report.pairings
    assert (report.verdict, report.metrics[0].difference) == ("passed", 0)
    assert (pairing.fresh, pairing.only_baseline) == (0, 0)
    assert pairing.rows < pairing.baseline_rows
    told = warning_of(report, "test_set_changed")
    assert "are new. All are left out: the baseline was trained on them" in told
    moved = pairing.baseline_rows - pairing.rows
    assert (
        f"{moved} rows are only in the baseline's test set, and now in the candidate's training data: left out." in told
    )
    assert not (tmp_path / "report/logs/evaluation-command.log").exists()


@pytest.mark.acceptance
def test_rows_that_are_fresh_for_both_are_judged_by_the_baselines_stored_model(
    project: TinyProject, tmp_path: Path
) -> None:
    report = judge(project, "more-rows", tmp_path)

    [pairing] = report.pairings
    assert report.verdict == "passed"
    assert pairing.fresh > 100
    assert pairing.rows == pairing.candidate_rows == pairing.baseline_rows + pairing.fresh
    told = (
        f"{pairing.fresh} rows are new. On them, fresh for both models, "
        "the baseline's stored model was evaluated in this run"
    )
    assert told in warning_of(report, "test_set_changed")
    assert f"{pairing.rows:,} test rows (" in render_comment(report)
    assert f", {pairing.fresh} of them fresh for both models" in render_comment(report)
    assert report.missing_policy == ""
    assert project.git("status", "--porcelain", "--untracked-files=no") == ""


@pytest.mark.acceptance
def test_models_that_no_commit_records_are_judged_by_what_their_own_runs_left_in_the_cache(
    project: TinyProject, tmp_path: Path
) -> None:
    project.git("rm", "--quiet", "dvc.lock")
    project.write("src/train.py", TRAIN + "# Nobody ran this.\n")
    project.commit("Leave the training to CI")
    project.git("push", "--quiet", "origin", "main")
    project.git("switch", "--quiet", "--create", "unlocked")
    project.git("checkout", "--quiet", "more-rows", "--", "data")
    project.commit("Add rows")

    report = judge(project, "unlocked", tmp_path)
    for path in ("dvc.lock", "data/train.csv", "data/test.csv", "model.json"):
        (project.root / path).unlink()
    again = run(Request(directory=project.root, output=tmp_path / "report"), QuietProgress())

    [pairing] = report.pairings
    assert sources_of(report) == ("reproduced", "workspace")
    assert report.verdict == "passed"
    assert pairing.fresh == pairing.rows - pairing.baseline_rows > 100
    assert sources_of(again) == ("earlier run", "earlier run")
    assert (again.pairings, again.gates) == (report.pairings, report.gates)


@pytest.mark.acceptance
def test_a_policy_without_evaluation_compares_common_rows_and_shows_the_lines_that_are_missing(
    project: TinyProject, tmp_path: Path
) -> None:
    project.write("metricgate.yaml", POLICY)
    project.commit("Say nothing of evaluation")
    project.git("push", "--quiet", "origin", "main")
    project.git("switch", "--quiet", "--create", "bare", "main")
    project.git("checkout", "--quiet", "more-rows", "--", "data", "dvc.lock", "metrics.json")
    project.commit("Add rows")

    report = judge(project, "bare", tmp_path)

    assert report.pairings[0].rows == report.pairings[0].baseline_rows
    assert (
        read_policy(POLICY + report.missing_policy, origin="x").evaluation
        == read_policy(POLICY + EVALUATION, origin="x").evaluation
    )
    assert f"```yaml\n{report.missing_policy}\n```" in render_comment(report)
    assert "\n    train: data/train.csv" in render_terminal(report, color=False, width=100)


@pytest.mark.acceptance
def test_the_baseline_answers_to_every_fresh_row_and_keeps_its_own_answers(
    project: TinyProject, tmp_path: Path
) -> None:
    completed = complete(project, tmp_path, baseline=POLICY + EVALUATION)

    parts = completed.baseline.predictions[""]
    assert isinstance(parts, tuple)
    spec = read_policy(POLICY, origin="x").prediction_sets[""]
    candidate = project.root.parent / "more-rows.csv"
    rows, asked = read_predictions(parts, spec), read_predictions(candidate, spec)
    assert rows.ids is not None
    assert asked.ids is not None
    assert rows.ids.values.tolist() == asked.ids.values.tolist()
    assert completed.fresh[""].fresh == rows.rows - read_predictions(project.root.parent / "main.csv", spec).rows


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("python src/evaluate.py", "exit 3"), "The evaluation command ended with exit code 3"),
        (("data/train.csv", "data/gone.csv"), "data/gone.csv is not available at"),
        (("data/train.csv", "metrics.json"), "metrics.json has no column 'id'"),
        (
            ("command: ", "command: sed -i s/51/200/ src/evaluate.py; "),
            "its answers differ from its stored predictions",
        ),
    ],
)
def test_what_keeps_the_model_from_being_judged_is_said_and_leaves_the_common_rows(
    project: TinyProject, tmp_path: Path, edit: tuple[str, str], reason: str
) -> None:
    completed = complete(project, tmp_path, baseline=POLICY + EVALUATION.replace(*edit))

    [warning] = completed.warnings
    assert warning.code == "evaluation_failed"
    assert reason in warning.text
    assert ". Only rows of both test sets are compared. " in warning.text
    assert completed.baseline.predictions == {"": project.root.parent / "main.csv"}


def test_test_sets_without_a_row_in_common_are_an_error_that_shows_the_missing_lines(tmp_path: Path) -> None:
    policy = read_policy(POLICY, origin="x")
    sides = []
    for name, id_ in (("main", 1), ("change", 2)):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"id,label,prediction\n{id_},1,1\n", encoding="utf-8")
        sides.append(Snapshot(info=RevisionInfo(name=name, source=Source.FILE), predictions={"": path}))
    choice = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin="x")

    report = judge_case(Case(baseline=sides[0], candidate=sides[1], choice=choice, evaluation_lines=EVALUATION))

    assert (report.verdict, report.exit_code) == ("error", 3)
    assert f"```yaml\n{EVALUATION}```" in render_comment(report)


@pytest.mark.parametrize(("digest", "codes"), [("a", []), ("b", ["test_data_changed"])])
def test_test_data_that_changed_behind_the_same_ids_and_labels_is_named(
    tmp_path: Path, digest: str, codes: list[str]
) -> None:
    policy = read_policy(POLICY + EVALUATION, origin="x")
    path = tmp_path / "predictions.csv"
    path.write_text("id,label,prediction\n1,1,1\n2,0,1\n", encoding="utf-8")
    sides = [
        Snapshot(
            info=RevisionInfo(name=name, source=Source.FILE),
            predictions={"": path},
            data=(DataEntry(path="data/test.csv", hash=entry),),
        )
        for name, entry in (("main", "a"), ("change", digest))
    ]
    choice = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin="x")

    report = judge_case(Case(baseline=sides[0], candidate=sides[1], choice=choice))

    assert [warning.code for warning in report.warnings] == codes


def test_a_change_that_hides_its_training_data_has_no_new_rows_judged(project: TinyProject, tmp_path: Path) -> None:
    completed = complete(project, tmp_path, baseline=POLICY + EVALUATION, candidate=POLICY)

    assert "no longer names its training data" in completed.warnings[0].text
    assert completed.fresh == {}


def test_a_change_that_names_other_training_data_is_told_so(project: TinyProject, tmp_path: Path) -> None:
    edited = POLICY + EVALUATION.replace("data/train.csv", "data/test.csv")

    completed = complete(project, tmp_path, baseline=POLICY + EVALUATION, candidate=edited)

    [warning] = completed.warnings
    assert warning.code == "evaluation_changed"
    assert "data/test.csv instead of data/train.csv" in warning.text
