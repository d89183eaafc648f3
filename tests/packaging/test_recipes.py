"""The recipes for a predictions file: each is Python, and what a small machine can run writes what `compare` judges."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metricgate.cli import commands
from scripts.recipes import RECIPES, try_recipe
from tests.packaging.documents import Block, list_blocks

BLOCKS = [block for block in list_blocks() if block.language == "python"]
SMALL = ("scikit-learn", "xgboost")  # `python scripts/recipes.py` runs the others too, whose wheels take gigabytes


@pytest.mark.parametrize("recipe", BLOCKS, ids=range(len(BLOCKS)))
def test_a_recipe_is_python_that_writes_a_file(recipe: Block) -> None:
    compile(recipe.text, recipe.page, "exec")

    assert any(call in recipe.text for call in (".to_csv(", "csv.writer(", "json.dumps(", "shutil.copy("))


@pytest.mark.parametrize("framework", RECIPES)
def test_a_recipe_stands_on_the_page(framework: str) -> None:
    assert RECIPES[framework].text


@pytest.mark.acceptance
@pytest.mark.parametrize("framework", SMALL)
def test_the_recipe_for_a_framework_writes_what_compare_reads(framework: str, tmp_path: Path) -> None:
    said = try_recipe(framework, tmp_path)

    assert said.startswith("exit code 0\n"), said
    assert "No change: predictions are identical" in said


def test_the_recipe_for_a_language_model_writes_what_compare_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("eval").mkdir()
    prompts = [{"id": f"p{number}", "text": "2 + 2?", "topic": "sums"} for number in range(50)]

    def grade(prompt: dict[str, Any], answer: str) -> float:
        return len(answer) / len(prompt["id"]) % 0.7

    names = {"prompts": prompts, "ask_model": lambda text: text.upper(), "grade": grade}
    (recipe,) = (block.text for block in BLOCKS if "ask_model" in block.text)
    exec(recipe, names)  # noqa: S102

    file = "eval/judged.jsonl"
    options = ["--id", "prompt_id", "--score", "judge_score", "--task", "score"]
    done = CliRunner().invoke(commands, ["compare", file, file, *options], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "50 test rows" in done.output
