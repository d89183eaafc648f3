"""Whatever two small files hold, the answer is a report: strict JSON, every view of it, and never a defect."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from metricgate.compare import compare_files
from metricgate.report.formats.check_run import render_check
from metricgate.report.formats.markdown import render_comment
from metricgate.report.formats.report_json import read_report
from metricgate.report.formats.terminal import render_terminal
from tests.cli.tables import write_rows

COLUMNS = ("id", "label", "prediction", "score", "segment", "household", "weight")
LOWER = {"log_loss", "brier_score", "mean_absolute_error", "root_mean_squared_error", "median_absolute_error", "mape"}
METRICS = {
    "binary": ["accuracy", "f1", "roc_auc", "log_loss", "average_precision", "brier_score", "precision"],
    "multiclass": ["accuracy", "f1_macro", "balanced_accuracy", "cohen_kappa", "matthews_corrcoef"],
    "regression": ["mean_absolute_error", "root_mean_squared_error", "r2", "mape", "median_absolute_error"],
}
LABELS: dict[str, list[Any]] = {"binary": [0, 1], "multiclass": ["a", "b", "c"], "regression": [-1.5, 0.0, 0.25, 2.0]}


def draw_rows(rng: random.Random, task: str) -> tuple[list[list[object]], list[list[object]]]:
    """Draw both sides of a test set: a few rows, often one class, constant or equal scores, missing rows."""
    rows = rng.choice([1, 2, 3, 12, 40, 200])
    labels = LABELS[task][: rng.choice([1, 3])]
    shared = [
        (rng.choice(labels), rng.choice("xyz"), row % rng.choice([1, 3, 20]), rng.choice([0, 1, 2.5]))
        for row in range(rows)
    ]
    is_constant = rng.random() < 0.2

    def draw_side() -> list[list[object]]:
        side: list[list[object]] = []
        for row, (label, segment, household, weight) in enumerate(shared):
            score = 0.5 if is_constant else round(rng.random(), 3)
            prediction = rng.choice([label, *LABELS[task]])
            side.append([row, label, prediction, score, segment, household, weight])
        return side

    baseline = draw_side()
    candidate = draw_side() if rng.random() < 0.8 else baseline
    kept = candidate[: max(1, rows - rng.choice([0, 0, 2]))]
    return baseline, rng.sample(kept, len(kept))


def draw_policy(rng: random.Random, task: str) -> dict[str, Any]:
    gates = []
    for _ in range(rng.randint(0, 4)):
        metric = rng.choice(METRICS[task])
        gate: dict[str, Any] = {"metric": metric}
        match rng.choice(["margin", "margin", "bar", "gain"]):
            case "margin":
                gate["max_increase" if metric in LOWER else "max_drop"] = rng.choice([0, 0.01, 0.2, "5%"])
            case "bar":
                gate |= {"max" if metric in LOWER else "min": 0.5, "confident": rng.random() < 0.4}
            case _:
                gate["min_gain"] = rng.choice([0.01, "3%"])
        if rng.random() < 0.3:
            gate["slices"] = ["segment"]
        gates.append(gate)
    spec: dict[str, Any] = {"path": "p.csv", "id": "id", "label": "label", "slices": ["segment"], "task": task}
    spec |= {"score": "score"} if task == "binary" else {"prediction": "prediction"}
    for key in ("household", "weight"):
        if rng.random() < 0.3:
            spec["group" if key == "household" else key] = key
    return {"predictions": spec, "gates": gates}


@pytest.mark.parametrize("task", list(METRICS))
@pytest.mark.parametrize("seed", range(6))
def test_any_two_files_give_a_report(tmp_path: Path, task: str, seed: int) -> None:
    rng = random.Random(f"{task} {seed}")
    baseline, candidate = draw_rows(rng, task)
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(json.dumps(draw_policy(rng, task)), encoding="utf-8")

    report = compare_files(
        write_rows(tmp_path / "a.csv", COLUMNS, baseline),
        write_rows(tmp_path / "b.csv", COLUMNS, candidate),
        policy=policy,
        columns={},
    )

    text = report.model_dump_json()
    assert read_report(text) == report
    assert "NaN" not in text
    assert "Infinity" not in text
    assert report.exit_code != 70
    assert render_comment(report)
    assert render_check(report).title
    assert render_terminal(report, color=False, width=100)
