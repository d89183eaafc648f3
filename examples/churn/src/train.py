"""Train the model that predicts who is about to leave: gradient boosting on charges, contract and services."""

from pathlib import Path

import joblib
from customers import CATEGORIES, NUMBERS, read_customers
from ruamel.yaml import YAML
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

TRAIN = Path("data/prepared/train.csv")
MODEL = Path("models/model.joblib")


def build_model(parameters: dict[str, float]) -> Pipeline:
    categories = slice(len(NUMBERS), len(NUMBERS) + len(CATEGORIES))
    # A category never seen in training is treated as missing, not as an error.
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("categories", encoder, categories)], remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        categorical_features=list(range(len(CATEGORIES))), early_stopping=False, **parameters
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def main() -> None:
    parameters = YAML(typ="safe").load(Path("params.yaml"))["train"]
    customers = read_customers(TRAIN)
    model = build_model(parameters).fit(customers.features, customers.churned)
    MODEL.parent.mkdir(exist_ok=True)
    joblib.dump(model, MODEL)
    print(f"trained on {len(customers.rows)} customers with {parameters}")


if __name__ == "__main__":
    main()
