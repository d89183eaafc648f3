"""Two months of the churn project after its release: one like the release, and one after a new price."""

import csv
import random
from pathlib import Path

from metricgate.demo.project import DATA, DemoProject
from metricgate.settings.policy import FILE_NAME

QUIET, SHIFTED = "data/may.csv", "data/june.csv"
CURRENT = "data/this-month.csv"
ROWS = 8000
RISE = 9.0  # dollars a month, for customers with fiber optic
SWITCHED = 0.2  # share of customers with a long contract who left it
POLICY = f"""
monitor:
  reference: {{path: {DATA}, revision: main}}  # what the model was released on
  current: {CURRENT}
  ignore: [rownames]
  features: {{monthly_charges: {{owner: pricing}}, contract: {{owner: sales}}}}
  shown: {{features: fail}}
"""


def write_months(project: DemoProject) -> None:
    """Write both months, drawn from the project's customers, and the policy's section."""
    repository = project.repository
    with (repository / DATA).open(encoding="utf-8", newline="") as file:
        customers = list(csv.DictReader(file))
    for name, is_shifted in ((QUIET, False), (SHIFTED, True)):
        rng = random.Random(name)  # noqa: S311  simulated customers
        drawn = [dict(customer) for customer in rng.choices(customers, k=ROWS)]
        _write(repository / name, [_raise_price(one, rng) if is_shifted else one for one in drawn])
    with (repository / FILE_NAME).open("a", encoding="utf-8") as policy:
        policy.write(POLICY)


def _raise_price(customer: dict[str, str], rng: random.Random) -> dict[str, str]:
    """Return the customer after the new price; some of those with a long contract now have a monthly one."""
    if customer["internet_service"] == "Fiber optic":
        customer["monthly_charges"] = f"{float(customer['monthly_charges']) + RISE:.2f}"
    if customer["contract"] != "Month-to-month" and rng.random() < SWITCHED:
        customer["contract"] = "Month-to-month"
    return customer


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
