"""The churn project as `metricgate demo` creates it."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from metricgate.demo.project import CHURN, create_project, find_free_directory
from metricgate.errors import ConfigurationError, WorkspaceError
from tests.churn import Churn


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_metrics(churn: Churn) -> dict[str, float]:
    metrics: dict[str, float] = json.loads((churn.repository / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def test_main_was_run_and_pushed(churn: Churn) -> None:
    churn.git("switch", "--quiet", "main")

    assert churn.dvc("status", "--json").strip() == "{}"
    assert churn.dvc("status", "--cloud", "--json").strip() == "{}"
    assert churn.git("status", "--porcelain") == ""


def test_the_branch_edits_parameters_and_leaves_training_to_ci(churn: Churn) -> None:
    assert churn.git("diff", "--name-only", "main", "bigger-trees") == "params.yaml"
    assert churn.git("log", "--format=%s", "main..bigger-trees").count("\n") == 0


def test_the_branch_is_clearly_worse_once_run(churn: Churn) -> None:
    before = read_metrics(churn)

    churn.dvc("repro", "--quiet")

    assert 0.84 < before["roc_auc"] < 0.86
    assert read_metrics(churn)["roc_auc"] - before["roc_auc"] < -0.02


def test_metrics_are_those_of_the_predictions_as_written(churn: Churn) -> None:
    rows = read_rows(churn.repository / "eval/predictions.csv")
    labels = [int(row["churned"]) for row in rows]
    scores = [float(row["churn_probability"]) for row in rows]
    predicted = [score >= 0.5 for score in scores]

    assert len(rows) == len({row["customer_id"] for row in rows}) == 1409
    assert read_metrics(churn) == pytest.approx(
        {
            "accuracy": accuracy_score(labels, predicted),
            "f1": f1_score(labels, predicted),
            "roc_auc": roc_auc_score(labels, scores),
            "log_loss": log_loss(labels, scores),
        },
        abs=1e-6,
    )


def test_a_second_run_gives_the_same_bytes(churn: Churn) -> None:
    churn.git("switch", "--quiet", "main")
    lock = (churn.repository / "dvc.lock").read_text(encoding="utf-8")

    churn.dvc("repro", "--quiet", "--force")

    assert (churn.repository / "dvc.lock").read_text(encoding="utf-8") == lock


def test_new_customers_never_move_old_ones_between_the_splits(churn: Churn) -> None:
    data = churn.repository / "data/telco-churn.csv"
    old = {row["customer_id"] for row in read_rows(churn.repository / "data/prepared/test.csv")}
    text = data.read_text(encoding="utf-8")
    last = text.rstrip("\n").rsplit("\n", 1)[1]
    data.unlink()
    data.write_text(text + "".join(f"{7044 + i},{last.split(',', 1)[1]}\n" for i in range(100)), encoding="utf-8")
    churn.run("python", "src/prepare.py")

    now = {row["customer_id"] for row in read_rows(churn.repository / "data/prepared/test.csv")}
    assert {customer for customer in now if int(customer) <= 7043} == old
    assert 5 < len(now - old) < 40


def test_eleven_customers_without_a_bill_yet_are_kept(churn: Churn) -> None:
    rows = [row for name in ("train", "test") for row in read_rows(churn.repository / f"data/prepared/{name}.csv")]

    assert len(rows) == 7043
    assert sum(row["tenure"] == "0" and row["total_charges"] == "0" for row in rows) == 11
    assert all(row["total_charges"] for row in rows)


def test_a_fresh_clone_pulls_everything(churn: Churn, tmp_path: Path) -> None:
    clone = churn.clone(tmp_path / "clone", "--branch", "main")

    clone.dvc("pull", "--quiet")

    for path in ("data/telco-churn.csv", "eval/predictions.csv", "models/model.joblib"):
        assert (clone.repository / path).read_bytes() == (churn.repository / path).read_bytes()


def test_an_occupied_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="exists and is not empty"):
        create_project(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_without_git_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(WorkspaceError, match="git could not be started"):
        create_project(tmp_path / "demo")


def test_a_failing_tool_is_shown_with_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "churn"
    shutil.copytree(CHURN, broken)
    (broken / "src/train.py").write_text("raise SystemExit('no trees today')\n", encoding="utf-8")
    monkeypatch.setattr("metricgate.demo.project.CHURN", broken)

    with pytest.raises(WorkspaceError, match="repro --quiet` ended with exit code") as caught:
        create_project(tmp_path / "demo")
    assert "no trees today" in caught.value.details


def test_each_demo_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "metricgate-demo").mkdir()
    (tmp_path / "metricgate-demo-2").mkdir()

    assert find_free_directory(tmp_path) == tmp_path / "metricgate-demo-3"
