"""Without predictions, `metricgate init` tries the stored models, names the one that works, and says why others do not."""

import csv
import random
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from metricgate.settings.policy_file import read_policy
from tests.starter.shapes import Repository, create_repository

COLUMNS = ("customer_id", "age", "income", "churned")


def make_repository(tmp_path: Path, *, columns: tuple[str, ...] = COLUMNS, ignored: str = "") -> Repository:
    """Create a repository without predictions and metrics, with the test data in Git."""
    repository = create_repository(tmp_path / "repository", {".gitignore": f".metricgate/\n{ignored}"})
    (repository.root / "train.py").unlink()
    (repository.root / "data").mkdir()
    with (repository.root / "data/test.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows([f"c{n}", *row, label] for n, (row, label) in enumerate(zip(*draw_rows(), strict=True)))
    return repository


def draw_rows() -> tuple[list[list[float]], list[int]]:
    draw = random.Random(5)
    rows = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(600)]
    return rows, [int(age + draw.gauss(0, 0.5) > 0) for age, _ in rows]


def store(repository: Repository, model: object) -> None:
    (repository.root / "models").mkdir(exist_ok=True)
    joblib.dump(model, repository.root / "models/model.joblib")
    repository.commit("A model")


def fit(*names: str, worse: float = 0.0) -> LogisticRegression:
    rows, labels = draw_rows()
    model = LogisticRegression().fit([[age * (1 - worse), income] for age, income in rows], labels)
    if worse:
        model.coef_ = model.coef_ * [[1 - worse, 1]] + [[0, 3 * worse]]
    if names:
        model.feature_names_in_ = names
    return model


def test_a_model_that_scores_the_data_becomes_the_evaluation_of_the_policy(tmp_path: Path) -> None:
    repository = make_repository(tmp_path)
    store(repository, fit("age", "income"))

    begun = repository.metricgate("init")

    assert begun.exit_code == 0, begun.output
    policy = read_policy(repository.read("metricgate.yaml"), origin="metricgate.yaml")
    spec = policy.evaluation
    assert spec is not None
    assert (spec.model, spec.data, spec.label, spec.id) == (
        "models/model.joblib",
        "data/test.csv",
        "churned",
        ("customer_id",),
    )
    assert [gate.metric for gate in policy.gates] == ["roc_auc", "accuracy"]
    assert policy.pipeline.command is None


@pytest.mark.acceptance
def test_such_a_policy_passes_doctor_and_blocks_only_a_worse_model(tmp_path: Path) -> None:
    repository = make_repository(tmp_path)
    store(repository, fit("age", "income"))
    repository.must("git", "switch", "--quiet", "--create", "gate")
    repository.metricgate("init")
    repository.commit("The gate")

    examined = repository.metricgate("doctor")
    store(repository, fit("age", "income", worse=0.01))
    harmless = repository.metricgate("run")
    store(repository, fit("age", "income", worse=0.9))
    harmful = repository.metricgate("run")

    assert examined.exit_code == 0, examined.output
    assert "The stored models/model.joblib scores data/test.csv" in examined.output
    assert harmless.exit_code == 0, harmless.output
    assert "SKIPPED" not in harmless.output
    assert harmful.exit_code == 1, harmful.output


@pytest.mark.parametrize(
    ("model", "columns", "said"),
    [
        ({"weights": [1]}, COLUMNS, "holds a builtins.dict, which is not an estimator"),
        *(
            pytest.param(*case, marks=pytest.mark.acceptance)
            for case in (
                (fit("age", "wealth"), COLUMNS, "needs columns that the data lacks: wealth"),
                (fit(), ("row", "a", "b", "c"), "which column is the label cannot be told: a, b, c"),
                ("module", COLUMNS, "needs a module that cannot be imported: No module named 'gone'"),
            )
        ),
    ],
    ids=["no estimator", "missing columns", "no label", "a lost module"],
)
def test_a_model_that_cannot_be_judged_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: object, columns: tuple[str, ...], said: str
) -> None:
    repository = make_repository(tmp_path, columns=columns)
    if model == "module":
        repository.write("lost/gone.py", "class Model:\n    pass\n")
        monkeypatch.syspath_prepend(str(repository.root / "lost"))
        from gone import Model  # type: ignore[import-not-found]  # noqa: PLC0415

        model = Model()
    store(repository, model)

    begun = repository.metricgate("init")

    assert begun.exit_code == 2
    assert "models/model.joblib on data/test.csv: " in begun.output
    assert said in begun.output
    assert not (repository.root / "metricgate.yaml").exists()


def test_a_model_that_no_revision_keeps_is_not_named(tmp_path: Path) -> None:
    repository = make_repository(tmp_path, ignored="models/\n")
    store(repository, fit("age", "income"))

    begun = repository.metricgate("init")

    assert begun.exit_code == 2
    assert "models/model.joblib is neither in Git nor under DVC" in begun.output
