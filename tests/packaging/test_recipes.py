"""The recipes for a predictions file: each is Python, and what a small machine can run writes what `compare` judges."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metricgate.cli import commands
from tests.packaging.documents import Block, list_blocks

RECIPES = [block for block in list_blocks() if block.language == "python"]
TABLE = """
from pathlib import Path
import numpy as np
import pandas as pd
rng = np.random.default_rng(3)
table = pd.DataFrame({"customer_id": range(400), "age": rng.normal(size=400), "contract": ["a", "b"] * 200})
table["churned"] = (table["age"] + rng.normal(size=400) > 0).astype(int)
for folder in ("data", "eval"):
    Path(folder).mkdir()
table.to_csv("data/test.csv", index=False)
FEATURES = ["age"]
"""
MODELS = {
    "model.predict_proba": """
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(table[FEATURES], table["churned"])
""",
    "xgb.DMatrix": """
import xgboost as xgb
data = xgb.DMatrix(table[FEATURES], table["churned"])
booster = xgb.train({"objective": "binary:logistic"}, data, num_boost_round=5)
""",
}


def find_recipe(word: str) -> Block:
    (found,) = (block for block in RECIPES if block.page == "docs/predictions.md" and word in block.text)
    return found


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_is_python_that_writes_a_file(recipe: Block) -> None:
    compile(recipe.text, recipe.page, "exec")

    assert any(call in recipe.text for call in (".to_csv(", "csv.writer(", "json.dumps("))


@pytest.mark.acceptance
@pytest.mark.parametrize("framework", MODELS)
def test_the_recipe_for_a_framework_writes_what_compare_reads(framework: str, tmp_path: Path) -> None:
    script = tmp_path / "recipe.py"
    script.write_text(TABLE + MODELS[framework] + find_recipe(framework).text, encoding="utf-8")
    packages = ("pandas", "scikit-learn", "xgboost-cpu")
    installed = [argument for name in packages for argument in ("--with", name)]
    uv = Path(sys.executable).parent / "uv"

    subprocess.run([uv, "run", "--no-project", "--quiet", *installed, script], cwd=tmp_path, check=True)

    file = str(tmp_path / "eval/predictions.csv")
    options = ["--id", "id", "--label", "label", "--score", "score", "--output", str(tmp_path / "report")]
    done = CliRunner().invoke(commands, ["compare", file, file, *options], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "No change: predictions are identical" in done.output


def test_the_recipe_for_a_language_model_writes_what_compare_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("eval").mkdir()
    prompts = [{"id": f"p{number}", "text": "2 + 2?", "topic": "sums"} for number in range(50)]

    def grade(prompt: dict[str, Any], answer: str) -> float:
        return len(answer) / len(prompt["id"]) % 0.7

    names = {"prompts": prompts, "ask_model": lambda text: text.upper(), "grade": grade}
    exec(find_recipe("ask_model").text, names)  # noqa: S102

    file = "eval/judged.jsonl"
    options = ["--id", "prompt_id", "--score", "judge_score", "--task", "score"]
    done = CliRunner().invoke(commands, ["compare", file, file, *options], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "50 test rows" in done.output
