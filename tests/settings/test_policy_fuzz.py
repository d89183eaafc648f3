"""Whatever the file holds, the answer is a policy or an error that a person can read."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from metricgate.errors import ConfigurationError
from metricgate.settings.policy_file import read_policy
from tests.settings.test_policy_file import WHOLE

WORDS = st.sampled_from(["gates", "metric", "path", "min", ".nan", "5%", "{", "}", "[", "]", ": ", "\n  ", "- ", "&a ", "*a", "'", '"', "!!", "|"])  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=20).map("".join)))
@settings(deadline=None, max_examples=100)
def test_any_text_is_a_policy_or_a_configuration_error(text: str) -> None:
    with suppress(ConfigurationError):
        read_policy(text, origin="m.yaml")


@given(start=st.integers(0, len(WHOLE)), length=st.integers(0, 12), inserted=st.one_of(WORDS, st.text(max_size=5)))
@settings(deadline=None, max_examples=100)
def test_a_damaged_policy_is_a_policy_or_a_configuration_error(start: int, length: int, inserted: str) -> None:
    with suppress(ConfigurationError):
        read_policy(WHOLE[:start] + inserted + WHOLE[start + length :], origin="m.yaml")
