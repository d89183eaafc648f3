"""The rates that docs/statistics.md publishes for a gate that fails without its whole interval beyond the margin."""

import pytest

from metricgate.models.outcome import Outcome
from scripts.outcome_rates import STRICT, count_states

CHANGES = 600


@pytest.mark.parametrize(("share_of_margin", "failed"), [(0.5, 0.10), (0.8, 0.26), (1.0, 0.48)])
def test_a_loss_that_is_allowed_fails_as_often_as_the_documents_say(share_of_margin: float, failed: float) -> None:
    states = count_states(STRICT, 5000, share_of_margin * STRICT.margin, CHANGES)

    assert states[Outcome.FAILED.value] / CHANGES == pytest.approx(failed, abs=0.06)
    assert states["worse_probably_beyond"] > 4 * states["beyond_margin"]
