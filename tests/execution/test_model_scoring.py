"""Stored models with scikit-learn's interface, scored without a script: real models, saved and loaded by joblib."""

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Verdict
from metricgate.processes.progress import QuietProgress
from metricgate.report.value import Report
from metricgate.run import Request, run
from metricgate.settings.policy_file import read_policy
from tests.projects import stages_find_python
from tests.starter.shapes import Repository, create_repository

HEAD = "evaluation: {model: models/model.joblib, data: data/test.csv, label: churned, id: customer}\n"
POLICY = HEAD + "gates: [{metric: accuracy, max_drop: 0.05}]\n"
ROWS = 600


def make_data(root: Path, *, labels: Sequence[str] = ("0", "1"), rows: int = ROWS) -> tuple[Any, Any]:
    """Write the test data, and return features and labels to train with."""
    draw = random.Random(5)
    x = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(rows)]
    place = [min(int((a + 0.3 * draw.gauss(0, 1) + 2) / 4 * len(labels)), len(labels) - 1) for a, _ in x]
    y = [labels[max(index, 0)] for index in place]
    (root / "data").mkdir(exist_ok=True)
    with (root / "data/test.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "age", "income", "churned"])
        writer.writerows([f"c{i}", *row, label] for i, (row, label) in enumerate(zip(x, y, strict=True)))
    return np.array(x), np.array([int(label) if label.isdigit() else label for label in y])


def save(repository: Repository, model: object) -> None:
    (repository.root / "models").mkdir(exist_ok=True)
    joblib.dump(model, repository.root / "models/model.joblib")


def judge(repository: Repository, tmp_path: Path) -> Report:
    with stages_find_python():
        return run(Request(directory=repository.root, output=tmp_path / "report"), QuietProgress())


def make_repository(tmp_path: Path, policy: str = POLICY) -> Repository:
    repository = create_repository(tmp_path / "repository", {"metricgate.yaml": policy, ".gitignore": ".metricgate/\n"})
    (repository.root / "train.py").unlink()
    return repository


@pytest.mark.parametrize(
    ("labels", "make", "metric"),
    [
        (("0", "1"), LogisticRegression, "roc_auc"),
        *(
            pytest.param(*case, marks=pytest.mark.acceptance)
            for case in (
                (("stay", "leave"), LogisticRegression, "roc_auc"),
                (("0", "1"), LinearSVC, "roc_auc"),
                (("low", "mid", "high"), LogisticRegression, "log_loss"),
                (("0", "1"), LinearRegression, "mean_absolute_error"),
            )
        ),
    ],
    ids=["probabilities", "classes by name", "a decision function", "several classes", "a regression"],
)
def test_a_harmless_model_passes_and_a_harmful_one_fails_without_a_script_or_training(
    tmp_path: Path, labels: Sequence[str], make: Callable[[], Any], metric: str
) -> None:
    key = "max_drop: 0.05" if metric == "roc_auc" else "max_increase: 10%"
    repository = make_repository(tmp_path, HEAD + f"gates: [{{metric: {metric}, {key}}}]\n")
    x, y = make_data(repository.root, labels=labels)
    save(repository, make().fit(x, y))
    repository.commit("A model")
    repository.must("git", "switch", "--quiet", "--create", "change")
    save(repository, make().fit(x[: ROWS - 20], y[: ROWS - 20]))
    repository.commit("Twenty rows less")

    harmless = judge(repository, tmp_path)
    save(repository, make().fit(x[:, ::-1], np.random.default_rng(3).permutation(y)))
    repository.commit("Trained on nothing")
    harmful = judge(repository, tmp_path)

    assert harmless.failure is None, harmless.failure
    assert harmless.verdict is Verdict.PASSED
    assert harmless.pairings[0].method == "id"
    assert harmful.verdict is Verdict.FAILED
    assert repository.must("git", "status", "--porcelain") == ""


@pytest.mark.acceptance
def test_the_first_policy_is_judged_on_the_stored_models_of_both_revisions(tmp_path: Path) -> None:
    repository = make_repository(tmp_path)
    x, y = make_data(repository.root)
    (repository.root / "metricgate.yaml").unlink()
    save(repository, LogisticRegression().fit(x, y))
    repository.commit("A model")
    repository.must("git", "switch", "--quiet", "--create", "change")
    repository.write("metricgate.yaml", POLICY)
    repository.commit("The gate")

    report = judge(repository, tmp_path)

    assert (report.verdict, report.reason) == (Verdict.PASSED, "no change: predictions are identical")


def test_a_baseline_without_the_model_skips_the_comparison_and_not_the_bar(tmp_path: Path) -> None:
    repository = make_repository(
        tmp_path,
        HEAD
        + "gates: [{metric: accuracy, min: 0.7, max_drop: 0.05}]\n".replace("min: 0.7, max_drop: 0.05", "min: 0.7"),
    )
    x, y = make_data(repository.root)
    repository.commit("Data")
    repository.must("git", "switch", "--quiet", "--create", "change")
    save(repository, LogisticRegression().fit(x, y))
    repository.commit("A model")

    report = judge(repository, tmp_path)

    assert report.verdict is Verdict.PASSED
    assert "no_baseline_predictions" in {warning.code for warning in report.warnings}


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            lambda repository, *_: save(repository, {"weights": [1, 2]}),
            "holds a builtins.dict, which is not an estimator",
        ),
        (lambda repository, *_: repository.write("models/model.joblib", "junk"), "cannot be loaded"),
        (
            lambda repository, x, y: save(repository, LogisticRegression().fit(np.hstack([x, x]), y)),
            "the model reads 4 columns, and the data has 2",
        ),
        (
            lambda repository, *_: repository.write(
                "metricgate.yaml", POLICY.replace("label: churned", "label: churn")
            ),
            "the data has no column churn; it has customer, age, income, churned",
        ),
        (
            lambda repository, *_: (repository.root / "models/model.joblib").write_bytes(
                b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x08nomodule\x94\x8c\x05Model\x94\x93\x94)\x81\x94."
            ),
            "needs a module that cannot be imported: No module named 'nomodule'",
        ),
    ],
    ids=["no estimator", "no model", "columns", "a label", "a module"],
)
def test_what_cannot_be_scored_is_named(
    tmp_path: Path, break_it: Callable[[Repository, Any, Any], object], said: str
) -> None:
    repository = make_repository(tmp_path)
    x, y = make_data(repository.root)
    save(repository, LogisticRegression().fit(x, y))
    repository.commit("A model")
    repository.must("git", "switch", "--quiet", "--create", "change")
    break_it(repository, x, y)
    repository.commit("Broken")

    report = judge(repository, tmp_path)

    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 4)
    assert report.failure is not None
    assert said in report.failure.what


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("evaluation: {model: m, data: d}", "needs command, or label"),
        ("evaluation: {model: m, data: d, label: y, train: t}", "needs a command"),
        ("evaluation: {model: m, data: d, label: y, command: c}", "beside command"),
        (
            "predictions: {path: p, label: y, score: s}\nevaluation: {model: m, data: d, label: y}",
            "needs the command that writes them",
        ),
    ],
)
def test_an_evaluation_that_does_not_say_how_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read_policy(text, origin="metricgate.yaml")
