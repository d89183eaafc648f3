"""The margins of a first policy are ones that the rows at hand can settle."""

from pathlib import Path

import pytest

from metricgate.compare import assess_rows
from metricgate.predictions import infer_spec
from metricgate.settings.policy import GateSpec, Margin, Policy
from metricgate.starter.first_gates import FirstGate, choose_gates
from tests.cli.tables import write_churn


def choose(path: Path, rows: int, noise: float = 0.5) -> tuple[FirstGate, ...]:
    file = write_churn(path, noise=noise, rows=rows)
    return choose_gates(file, infer_spec(file), "binary")


@pytest.mark.parametrize("rows", [1000, 5000])
def test_equal_models_settle_the_margins_of_a_first_policy_in_four_of_five_cases(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "p.csv"

    gates = choose(path, rows)

    written = tuple(GateSpec(metric=gate.metric, max_drop=Margin(value=gate.margin)) for gate in gates)
    powers = assess_rows(path, Policy(predictions=infer_spec(path), gates=written))
    assert [gate.metric for gate in gates] == ["roc_auc", "accuracy"]
    assert all(power.power.settles_equal >= 0.8 for power in powers)


def test_more_rows_allow_less(tmp_path: Path) -> None:
    few, many = choose(tmp_path / "few.csv", 1000), choose(tmp_path / "many.csv", 20000)

    assert few[0].margin > many[0].margin == 0.01


def test_rows_that_settle_no_reasonable_margin_are_said_to(tmp_path: Path) -> None:
    auc, _ = choose(tmp_path / "p.csv", 40, noise=4.0)

    assert (auc.margin, auc.remark) == (0.01, "40 rows cannot settle this; run `metricgate power`")
