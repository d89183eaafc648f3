"""Run the recipes of docs/predictions.md for real, each with its framework in an environment of its own.

`python scripts/recipes.py` runs all of them (PyTorch's wheels take gigabytes), `python scripts/recipes.py xgboost` one. Each
trains a small model, runs the recipe as it is printed, and passes what it wrote to `metricgate compare`.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.packaging.documents import list_blocks  # noqa: E402

BIN = Path(sys.executable).parent
SCORE = ("--id", "id", "--label", "label", "--score", "score")
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
TENSORS = """
import torch
torch.manual_seed(3)
inputs = torch.tensor(table[FEATURES].values, dtype=torch.float32)
labels = torch.tensor(table["churned"].values)
ids = torch.tensor(table["customer_id"].values)
test_loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(ids, inputs, labels), batch_size=64)
"""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe: a phrase of it, what it takes to run it, and how `compare` reads what it writes."""

    phrase: str
    packages: tuple[str, ...]
    before: str
    options: tuple[str, ...] = SCORE

    @property
    def text(self) -> str:
        (found,) = (
            block.text
            for block in list_blocks()
            if block.page == "docs/predictions.md" and block.language == "python" and self.phrase in block.text
        )
        return found


RECIPES = {
    "scikit-learn": Recipe(
        phrase="model.predict_proba",
        packages=("scikit-learn",),
        before="""
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(table[FEATURES], table["churned"])
""",
    ),
    "xgboost": Recipe(
        phrase="xgb.DMatrix",
        packages=("xgboost-cpu",),
        before="""
import xgboost as xgb
data = xgb.DMatrix(table[FEATURES], table["churned"])
booster = xgb.train({"objective": "binary:logistic"}, data, num_boost_round=5)
""",
    ),
    "pytorch": Recipe(
        phrase="csv.writer(file)",
        packages=("torch",),
        before=f"""{TENSORS}
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(50):
    optimizer.zero_grad()
    torch.nn.functional.binary_cross_entropy_with_logits(model(inputs).flatten(), labels.float()).backward()
    optimizer.step()
""",
    ),
    "lightning": Recipe(
        phrase="trainer.predict(model, dataloaders=test_loader)",
        packages=("torch", "lightning"),
        before=f"""{TENSORS}
import lightning

class Churn(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        _, inputs, labels = batch
        return torch.nn.functional.binary_cross_entropy_with_logits(self.layer(inputs).flatten(), labels.float())

    def predict_step(self, batch, _):
        ids, inputs, labels = batch
        return ids, labels, torch.sigmoid(self.layer(inputs)).flatten()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5)

model = Churn()
trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False)
trainer.fit(model, test_loader)
""",
    ),
    "hugging-face": Recipe(
        phrase="trainer.predict(test_dataset)",
        packages=("torch", "transformers[torch]", "datasets"),
        before="""
import datasets
import transformers

transformers.set_seed(3)
names = {0: "negative", 1: "neutral", 2: "positive"}
rows = [{"id": n, "input_ids": [n % 3 + 1, n % 7 + 4], "attention_mask": [1, 1], "label": n % 3} for n in range(300)]
test_dataset = datasets.Dataset.from_list(rows)
shape = {"vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
config = transformers.BertConfig(**shape, id2label=names, label2id={name: number for number, name in names.items()})
model = transformers.BertForSequenceClassification(config)
settings = transformers.TrainingArguments("trained", num_train_epochs=2, report_to="none", use_cpu=True)
trainer = transformers.Trainer(model=model, args=settings, train_dataset=test_dataset)
trainer.train()
""",
        options=("--policy", "metricgate.yaml"),
    ),
}
POLICY = """
predictions:
  path: eval/predictions.csv
  id: id
  label: label
  scores: {negative: p_negative, neutral: p_neutral, positive: p_positive}
"""


def try_recipe(name: str, folder: Path) -> str:
    """Return what `compare` says of the file that the recipe writes, against itself."""
    recipe = RECIPES[name]
    script = folder / "recipe.py"
    script.write_text(TABLE + recipe.before + recipe.text, encoding="utf-8")
    (folder / "metricgate.yaml").write_text(POLICY, encoding="utf-8")
    installed = [argument for package in ("pandas", *recipe.packages) for argument in ("--with", package)]
    uv: list[str | Path] = [
        BIN / "uv",
        "run",
        "--no-project",
        "--quiet",
        "--python",
        sys.executable,
        *installed,
        script,
    ]
    subprocess.run(uv, cwd=folder, check=True)
    file = "eval/predictions.csv"
    command = [sys.executable, "-m", "metricgate", "compare", file, file, *recipe.options]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"


def main(names: list[str]) -> int:
    code = 0
    for name in names or RECIPES:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            said = try_recipe(name, Path(folder))
        works = said.startswith("exit code 0\n") and "No change: predictions are identical" in said
        code = code or int(not works)
        print(f"{'works ' if works else 'BROKEN'}  {name} ({time.monotonic() - start:.0f} s)")
        if not works:
            print(said)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
