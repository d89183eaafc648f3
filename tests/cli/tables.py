"""Prediction files for tests of the commands."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

COLUMNS = ("customer_id", "churned", "churn_probability", "contract")
CONTRACTS = ("Month-to-month", "One year", "Two year")


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def write_churn(path: Path, *, noise: float = 0.0, rows: int = 1409, seed: int = 3, **changed: object) -> Path:
    """Write a churn-like test set; ``noise`` is what the model adds to the true score, so more of it is worse.

    ``changed``: a column name to a constant that replaces its values.
    """
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=rows)
    churned = rng.random(rows) < 1 / (1 + np.exp(-(1.8 * signal - 1.4)))
    own = np.random.default_rng(seed + 1).normal(size=rows) * noise
    score = 1 / (1 + np.exp(-(1.8 * signal - 1.4 + own)))
    table = [
        {
            "customer_id": row,
            "churned": "Yes" if churned[row] else "No",
            "churn_probability": round(float(score[row]), 6),
            "contract": CONTRACTS[row % 3],
        }
        | changed
        for row in range(rows)
    ]
    return write_rows(path, list(table[0]), [list(row.values()) for row in table])


POLICY = """\
predictions:
  path: eval/predictions.csv
  id: customer_id
  label: churned
  score: churn_probability
  slices: [contract]
gates:
  - {metric: roc_auc, max_drop: 0.01}
  - {metric: accuracy, max_drop: 0.02}
  - {metric: accuracy, min: 0.7}
  - {metric: accuracy, slices: [contract], max_drop: 0.05}
"""
