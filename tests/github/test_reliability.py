"""Every fault is survived, and docs/reliability.md says what happened."""

from pathlib import Path

import pytest

from tests.github.other_faults import OTHER_FAULTS, OtherFault
from tests.github.reliability import DOCUMENT, draw_others, draw_row, run_scenario
from tests.github.scenarios import Scenario, all_scenarios
from tests.publish.test_security_page import ROOT, functions_of

SCENARIOS = all_scenarios()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_fault_is_survived_as_documented(scenario: Scenario, tmp_path: Path) -> None:
    result = run_scenario(scenario, tmp_path)

    assert result.is_survived(scenario), result
    assert draw_row(scenario, result) in DOCUMENT.read_text(encoding="utf-8").splitlines()


def test_the_document_counts_every_scenario_and_no_loss() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert f"**{len(SCENARIOS)} faults tried, {len(SCENARIOS)} survived, 0 lost.**" in text
    assert text.endswith("\n".join(draw_others()))
    assert sum(line.startswith("| ") for line in text.splitlines()) == len(SCENARIOS) + len(OTHER_FAULTS) + 2


@pytest.mark.parametrize("other", OTHER_FAULTS, ids=lambda other: other.fault)
def test_every_other_fault_has_the_test_that_it_names(other: OtherFault) -> None:
    file, name = other.test.split("::")

    assert name in functions_of(ROOT / file)
