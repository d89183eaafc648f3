"""Every error has a code of its own, and its message says three things."""

import pytest

from metricgate import errors
from metricgate.errors import MetricgateError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MetricgateError)]
CODES = {
    "MetricgateError": 70,
    "ConfigurationError": 2,
    "PredictionsError": 3,
    "WorkspaceError": 4,
    "TimeLimitError": 4,
    "PublishError": 5,
    "CancelledError": 130,
}


def test_exit_codes_are_those_that_the_documents_promise() -> None:
    assert {kind.__name__: kind.exit_code for kind in ALL} == CODES
    assert 1 not in CODES.values()


@pytest.mark.parametrize("kind", ALL)
def test_a_message_says_what_happened_what_was_expected_and_what_to_do(kind: type[MetricgateError]) -> None:
    error = kind("A broke.", expected="a whole A.", fix="mend A.", details="line 1")

    assert str(error) == "A broke. Expected: a whole A. What to do: mend A."
    assert error.details == "line 1"
    assert kind.title
    assert kind.anchor
