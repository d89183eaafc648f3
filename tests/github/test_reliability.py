"""Every fault is survived, and docs/reliability.md says what happened."""

from pathlib import Path

import pytest

from tests.github.reliability import DOCUMENT, draw_row, run_scenario
from tests.github.scenarios import Scenario, all_scenarios

SCENARIOS = all_scenarios()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_fault_is_survived_as_documented(scenario: Scenario, tmp_path: Path) -> None:
    result = run_scenario(scenario, tmp_path)

    assert result.is_survived(scenario), result
    assert draw_row(scenario, result) in DOCUMENT.read_text(encoding="utf-8").splitlines()


def test_the_document_counts_every_scenario_and_no_loss() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert f"**{len(SCENARIOS)} faults tried, {len(SCENARIOS)} survived, 0 lost.**" in text
    assert sum(line.startswith("| ") for line in text.splitlines()) == len(SCENARIOS) + 1
