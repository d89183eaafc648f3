"""Customers as the stages exchange them: one CSV row each, read into arrays."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NUMBERS = ("tenure", "monthly_charges", "total_charges")
CATEGORIES = (
    "contract",
    "payment_method",
    "internet_service",
    "online_security",
    "online_backup",
    "device_protection",
    "tech_support",
    "streaming_tv",
    "streaming_movies",
    "phone_service",
    "multiple_lines",
    "paperless_billing",
    "senior_citizen",
    "partner",
    "dependents",
    "female",
)


@dataclass(frozen=True)
class Customers:
    """Rows of one split, in file order: the raw columns, the model's features, and who left."""

    rows: list[dict[str, str]]
    features: np.ndarray  # object, shape (n_rows, len(NUMBERS) + len(CATEGORIES))
    churned: np.ndarray  # int, shape (n_rows,)


def read_customers(path: Path) -> Customers:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    features = [[float(row[name]) for name in NUMBERS] + [row[name] for name in CATEGORIES] for row in rows]
    return Customers(
        rows=rows,
        features=np.array(features, dtype=object),
        churned=np.array([int(row["churned"]) for row in rows]),
    )
