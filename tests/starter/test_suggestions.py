"""What `metricgate init` shows where there are no predictions: lines of the framework that it finds."""

from pathlib import Path

import pytest

from metricgate.starter.framework import LINES, find_framework, show_lines
from tests.starter.public_shapes import make_notebook


@pytest.mark.parametrize(
    ("text", "framework"),
    [
        ("import torch\nfrom sklearn.metrics import f1_score\n", "pytorch"),
        ("import torch\nimport lightning as L\n", "lightning"),
        ("from transformers import Trainer\nimport torch\n", "hugging-face"),
        ("import xgboost as xgb\nimport sklearn\n", "xgboost"),
        ("from sklearn.svm import SVC\n", "scikit-learn"),
        ("from openai import OpenAI\n", "language-model"),
        ("print('import torch')\n", None),
    ],
)
def test_the_framework_is_what_scripts_import(tmp_path: Path, text: str, framework: str | None) -> None:
    (tmp_path / "train.py").write_text(text, encoding="utf-8")

    assert find_framework(tmp_path, ["train.py"]) == framework


@pytest.mark.parametrize("path", sorted(LINES.iterdir()), ids=lambda path: path.stem)
def test_the_lines_that_write_predictions_are_those_of_the_documentation(path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/predictions.md").read_text(encoding="utf-8")

    compile(show_lines(path.stem), path.name, "exec")
    assert f"```python\n{show_lines(path.stem)}```" in page


def test_without_predictions_it_shows_the_lines_that_write_them(tmp_path: Path) -> None:
    begun = make_notebook(tmp_path).metricgate("init")

    assert "    table.to_csv(" in begun.output


def test_doctor_names_a_model_that_is_not_here(tmp_path: Path) -> None:
    repository = make_notebook(tmp_path)
    repository.write("metricgate.yaml", "evaluation: {model: model.joblib, data: test.csv, label: b}\n")
    repository.write("test.csv", "a,b\n1,2\n")
    repository.commit("A policy")

    lacking = repository.metricgate("doctor")

    assert "`evaluation` names model.joblib, which is not here" in lacking.output
    assert lacking.exit_code == 2
