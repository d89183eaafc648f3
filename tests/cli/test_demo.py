"""The exit code of `metricgate demo`: 0 if the worse model was blocked, and only then."""

import pytest

from metricgate.cli.demo import choose_exit_code
from metricgate.models.outcome import Verdict
from tests.github.job import make_report


@pytest.mark.parametrize(
    ("verdict", "own", "expected"),
    [
        (Verdict.FAILED, 1, 0),
        (Verdict.PASSED, 0, 1),
        (Verdict.SKIPPED, 0, 1),
        (Verdict.INCONCLUSIVE, 0, 1),
        (Verdict.INCONCLUSIVE, 6, 6),
        (Verdict.ERROR, 4, 4),
        (Verdict.CANCELLED, 130, 130),
    ],
)
def test_a_demo_has_worked_only_if_the_worse_model_was_blocked(verdict: Verdict, own: int, expected: int) -> None:
    assert choose_exit_code(make_report(verdict).model_copy(update={"exit_code": own})) == expected
