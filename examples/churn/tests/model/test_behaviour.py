"""What the model must know, whatever its metrics say: one test of each kind of behavioural testing (Ribeiro et al., 2020).

`metricgate.yaml` may name them: `tests: pytest tests/model`. A pull request's model must then pass what main's passes.
"""

from pathlib import Path

import joblib
import numpy as np
import pytest
from customers import CATEGORIES, NUMBERS, Customers, read_customers

COLUMNS = NUMBERS + CATEGORIES


class Model:
    """The trained model, and the customers that it has not seen."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(Path("models/model.joblib"))
        self.customers: Customers = read_customers(Path("data/prepared/test.csv"))

    def risk(self, **changes: object) -> np.ndarray:
        """Return each customer's probability to leave, with some columns changed for all of them."""
        features = self.customers.features.copy()
        for name, value in changes.items():
            features[:, COLUMNS.index(name)] = value
        return self.pipeline.predict_proba(features)[:, 1]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def test_a_new_customer_who_pays_a_lot_by_the_month_is_at_risk(model: Model) -> None:
    # Minimum functionality: a case so clear that no model may miss it.
    risk = model.risk(
        tenure=1.0,
        contract="Month-to-month",
        internet_service="Fiber optic",
        payment_method="Electronic check",
        online_security="No",
        tech_support="No",
    )
    lowest = float(risk.min())
    assert lowest >= 0.5


def test_the_answer_hardly_depends_on_sex(model: Model) -> None:
    # Invariance: a change that must not matter.
    differs = (model.risk(female="1") >= 0.5) != (model.risk(female="0") >= 0.5)
    share = float(differs.mean())
    assert share <= 0.01


def test_a_longer_contract_never_raises_the_risk(model: Model) -> None:
    # Direction: a change that must matter, and which way.
    rises = model.risk(contract="Two year") - model.risk(contract="Month-to-month")
    largest = float(rises.max())
    assert largest <= 0.01


def test_accuracy_is_at_least_78_percent(model: Model) -> None:
    # A bar on quality: always answering "stays" is right for 73 % of these customers.
    hits = (model.risk() >= 0.5) == model.customers.churned
    accuracy = float(hits.mean())
    assert accuracy >= 0.78
