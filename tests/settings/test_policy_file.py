import pytest

from metricgate.errors import ConfigurationError
from metricgate.settings.policy_file import read_policy, read_policy_file


def test_a_policy_keeps_its_words_as_they_are_written() -> None:
    policy = read_policy("predictions: {path: p.csv, label: y, score: s, positive: Yes}\n", origin="metricgate.yaml")

    assert policy.prediction_sets[""].positive == "Yes"


def test_gates_know_their_lines() -> None:
    text = "gates:\n  - {metric: accuracy, min: 0.7}\n\n  - metric: f1\n    max_drop: 1%\n"

    assert read_policy_file(text, origin="metricgate.yaml").gate_lines == (2, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "gates:\n  - {metric: f1, max_dorp: 0.1}",
            r"m\.yaml:2: gates\[0\]\.max_dorp is not a key; did you mean max_drop\?",
        ),
        (
            "predictions:\n  golden:\n    path: p\n    labl: y",
            r"m\.yaml:4: predictions\.golden\.labl is not a key; did you mean",
        ),
        ("confidence: 95", r"m\.yaml:1: confidence should be less than 1, found 95; did you mean 0\.95\?"),
        ("a: [1\nb: 2", r"m\.yaml:2: this is not valid YAML"),
        ("a: 1\na: 2", r"m\.yaml:2: 'a' is given twice; the first time in line 1"),
        ("- a", r"m\.yaml:1: the file holds a list"),
        ("gates:\n  - {metric: f1, min: 0.9, max: 0.1}", r"m\.yaml:2: gates\[0\]\.min is 0\.9, more than max"),
        (
            "gates:\n  - {metric: f1, set: gold, min: 0.9}",
            r"m\.yaml:2: gates\[0\]\.set names the prediction set 'gold'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_policy(text, origin="m.yaml")
