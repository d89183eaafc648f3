"""Run MLflow's `validate_evaluation_results` on what MetricGate judges, for the table in docs/comparison.md.

python scripts/mlflow_comparison.py

Two models of the same quality are drawn again and again, and two of which one is 5 points worse, on test sets of 400 rows. MLflow
(installed with uv into a folder that is removed) and `metricgate compare`'s own code say which of them may pass.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.compare import compare_files  # noqa: E402

MLFLOW = "3.17.2"
REPEATS, ROWS, ACCURACY, WORSE, MARGIN = 500, 400, 0.85, 0.05, 0.02
# Read by MLflow's own Python: a threshold for each pair of accuracies, and what it says.
PROGRAM = f"""
import json, sys
from mlflow.models import MetricThreshold
from mlflow import validate_evaluation_results
from mlflow.models.evaluation.base import EvaluationResult
def judge(threshold, candidate, baseline):
    wrap = lambda value: EvaluationResult(metrics={{"accuracy": value}}, artifacts={{}})
    try:
        validate_evaluation_results({{"accuracy": threshold}}, wrap(candidate), baseline and wrap(baseline))
        return True
    except Exception as error:
        if type(error).__name__ != "ModelValidationFailedException":
            raise
        return False
pairs = json.load(sys.stdin)
fixed = MetricThreshold(threshold={ACCURACY - MARGIN}, greater_is_better=True)
better = MetricThreshold(min_absolute_change=1e-9, greater_is_better=True)
try:
    MetricThreshold(min_absolute_change=-{MARGIN}, greater_is_better=True)
    drop = "accepted"
except Exception as error:
    drop = str(error)
told = {{"drop": drop}}
for name, rule in (("threshold", fixed), ("min_absolute_change", better)):
    told[name] = [judge(rule, candidate, baseline if rule is better else None) for baseline, candidate in pairs]
print(json.dumps(told))
"""
POLICY = f"""\
predictions: {{path: p.csv, id: id, label: y, prediction: p}}
gates: [{{metric: accuracy, max_drop: {MARGIN}}}]
"""


def draw(rng: np.random.Generator, loss: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows each model answers rightly; both err on the same hard rows more often than not."""
    hard = rng.random(ROWS) < 2 * (1 - ACCURACY)
    first = ~(hard & (rng.random(ROWS) < 0.5))
    second = ~(hard & (rng.random(ROWS) < 0.5 + loss / (2 * (1 - ACCURACY))))
    return first, second


def write(file: Path, right: np.ndarray) -> None:
    rows = "".join(f"{number},{number % 2},{(number % 2) ^ (not ok)}\n" for number, ok in enumerate(right))
    file.write_text(f"id,y,p\n{rows}", encoding="utf-8")


def ask_metricgate(folder: Path, pair: tuple[np.ndarray, np.ndarray]) -> str:
    files = folder / "a.csv", folder / "b.csv"
    for file, right in zip(files, pair, strict=True):
        write(file, right)
    policy = folder / "metricgate.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    return compare_files(*files, policy=policy, columns={}).verdict.value


def ask_mlflow(folder: Path, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    uv, environment = Path(sys.executable).with_name("uv"), folder / "mlflow"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin/python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, f"mlflow=={MLFLOW}"], check=True)
    done = subprocess.run([python, "-c", PROGRAM], input=json.dumps(pairs), check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def main() -> None:
    rng = np.random.default_rng(1)
    cases = {"equally good": 0.0, f"{WORSE * 100:g} points worse": WORSE}
    drawn = {name: [draw(rng, loss) for _ in range(REPEATS)] for name, loss in cases.items()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        means = [(float(a.mean()), float(b.mean())) for pairs in drawn.values() for a, b in pairs]
        told = ask_mlflow(folder, means)
        print(f"MLflow {MLFLOW}: MetricThreshold(min_absolute_change=-{MARGIN}): {told['drop'][:160]}")
        for number, (name, pairs) in enumerate(drawn.items()):
            part = slice(number * REPEATS, (number + 1) * REPEATS)
            verdicts = [ask_metricgate(folder, pair) for pair in pairs]
            shares = {verdict: verdicts.count(verdict) / REPEATS for verdict in ("passed", "inconclusive", "failed")}
            print(f"{name}, {REPEATS} test sets of {ROWS} rows:")
            for rule in ("threshold", "min_absolute_change"):
                print(f"  MLflow, {rule}: {np.mean(told[rule][part]):.0%} pass")
            print(
                f"  MetricGate, max_drop: {MARGIN}: " + ", ".join(f"{share:.0%} {one}" for one, share in shares.items())
            )


if __name__ == "__main__":
    main()
