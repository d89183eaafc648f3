"""Run MLflow's `validate_evaluation_results` on what MetricGate judges, for the table in docs/comparison.md.

python scripts/mlflow_comparison.py

Two models of the same quality are drawn again and again, and two of which one is 5 points worse, on test sets of 400 rows. MLflow
(installed with uv into a folder that is removed) and `metricgate compare`'s own code say which of them may pass. MLflow's rules
are cheap and see every pair; MetricGate sees the first ones. It takes some four minutes of one core.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.compare import compare_files  # noqa: E402

MLFLOW = "3.17.2"
SEED = 20261126  # the day of the comparison, chosen before any result was seen
PAIRS, JUDGED, ROWS = 20_000, 1_000, 400
ACCURACY, WORSE, MARGIN = 0.85, 0.05, 0.02
Pair = tuple[np.ndarray, np.ndarray]
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


def draw(rng: np.random.Generator, loss: float) -> Pair:
    """Return which rows each model answers rightly; both err on the same hard rows more often than not."""
    hard = rng.random(ROWS) < 2 * (1 - ACCURACY)
    first = ~(hard & (rng.random(ROWS) < 0.5))
    second = ~(hard & (rng.random(ROWS) < 0.5 + loss / (2 * (1 - ACCURACY))))
    return first, second


def write(file: Path, right: np.ndarray) -> None:
    rows = "".join(f"{number},{number % 2},{(number % 2) ^ (not ok)}\n" for number, ok in enumerate(right))
    file.write_text(f"id,y,p\n{rows}", encoding="utf-8")


def ask_metricgate(pair: Pair) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch, "a.csv"), Path(scratch, "b.csv")
        for file, right in zip(files, pair, strict=True):
            write(file, right)
        policy = Path(scratch, "metricgate.yaml")
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


def list_rows(name: str, told: dict[str, list[bool]], verdicts: list[str]) -> Iterator[str]:
    """Yield the table's rows of one case."""
    for rule, label in (("threshold", f"`threshold={ACCURACY - MARGIN}`"), ("min_absolute_change", "must be better")):
        passes = show_share(sum(told[rule]), len(told[rule]))
        yield f"| {name} | MLflow, {label} | {len(told[rule]):,} | {passes} | | |"
    shares = (show_share(verdicts.count(one), len(verdicts)) for one in ("passed", "inconclusive", "failed"))
    yield f"| {name} | MetricGate, `max_drop: {MARGIN}` | {len(verdicts):,} | {' | '.join(shares)} |"


def show_share(count: int, of: int) -> str:
    """Return a share with its exact 95 % interval."""
    found = binomtest(count, of).proportion_ci()
    return f"{count / of * 100:.1f} % ({found.low * 100:.1f} to {found.high * 100:.1f})"


def main() -> None:
    rng = np.random.default_rng(SEED)
    cases = {"no change": 0.0, f"{WORSE * 100:g} points worse": WORSE}
    drawn = {name: [draw(rng, loss) for _ in range(PAIRS)] for name, loss in cases.items()}
    with tempfile.TemporaryDirectory() as scratch:
        told = ask_mlflow(Path(scratch), [(float(a.mean()), float(b.mean())) for one in drawn.values() for a, b in one])
    print(f"MLflow {MLFLOW}: MetricThreshold(min_absolute_change=-{MARGIN}): {told['drop'][:160]}\n")
    print(f"Seed {SEED}, {ROWS} rows, accuracy {ACCURACY}; shares with their 95 % intervals\n")
    print("| candidate | rule | pairs | passes | undecided | fails |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor() as pool:
        for number, (name, pairs) in enumerate(drawn.items()):
            part = slice(number * PAIRS, (number + 1) * PAIRS)
            verdicts = list(pool.map(ask_metricgate, pairs[:JUDGED], chunksize=20))
            rules = {rule: told[rule][part] for rule in ("threshold", "min_absolute_change")}
            print(*list_rows(name, rules, verdicts), sep="\n", flush=True)


if __name__ == "__main__":
    main()
