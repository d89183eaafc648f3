"""Judge the model on the held-out customers: write one number per metric and one row per customer."""

import csv
import json
from pathlib import Path

import joblib
import numpy as np
from customers import Customers, read_customers
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score, roc_curve

TEST = Path("data/prepared/test.csv")
MODEL = Path("models/model.joblib")
METRICS = Path("metrics.json")
PREDICTIONS = Path("eval/predictions.csv")
ROC = Path("eval/roc.csv")

SLICES = ("contract", "internet_service", "payment_method", "senior_citizen")


def measure(churned: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    predicted = probability >= 0.5
    values = {
        "accuracy": accuracy_score(churned, predicted),
        "f1": f1_score(churned, predicted),
        "roc_auc": roc_auc_score(churned, probability),
        "log_loss": log_loss(churned, probability),
    }
    return {name: round(float(value), 6) for name, value in values.items()}


def write_predictions(customers: Customers, probability: np.ndarray) -> None:
    with PREDICTIONS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["customer_id", "churned", "churn_probability", *SLICES])
        for row, value in zip(customers.rows, probability, strict=True):
            writer.writerow([row["customer_id"], row["churned"], f"{value:.6f}", *(row[name] for name in SLICES)])


def write_roc(churned: np.ndarray, probability: np.ndarray) -> None:
    false_positive_rate, true_positive_rate, _ = roc_curve(churned, probability)
    with ROC.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["false_positive_rate", "true_positive_rate"])
        writer.writerows(zip(false_positive_rate.round(6), true_positive_rate.round(6), strict=True))


def main() -> None:
    customers = read_customers(TEST)
    # Rounded before everything else, so that the metrics match the predictions as written.
    probability = joblib.load(MODEL).predict_proba(customers.features)[:, 1].round(6)
    metrics = measure(customers.churned, probability)
    METRICS.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    PREDICTIONS.parent.mkdir(exist_ok=True)
    write_predictions(customers, probability)
    write_roc(customers.churned, probability)
    print(" ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
