"""The action's inputs: strict, and the same everywhere they are written down."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from metricgate.errors import ConfigurationError
from metricgate.settings.inputs import Inputs, input_names, read_inputs

ACTION = Path(__file__).parents[2] / "action.yml"


def read_action() -> dict[str, Any]:
    loaded = YAML(typ="safe").load(ACTION)
    assert isinstance(loaded, dict)
    return loaded


def test_action_yml_has_exactly_these_inputs_with_these_defaults_and_descriptions() -> None:
    declared = read_action()["inputs"]
    without_token = {name: text for name, text in declared.items() if name != "github-token"}

    assert tuple(declared) == input_names()
    assert read_inputs({f"INPUT_{name.upper()}": entry["default"] for name, entry in without_token.items()}) == Inputs()
    assert [entry["description"] for entry in declared.values()] == [
        field.description for field in Inputs.model_fields.values()
    ]
    assert declared["github-token"]["default"] == "${{ github.token }}"


def test_hyphens_are_kept_and_empty_is_absent() -> None:
    inputs = read_inputs({"INPUT_WORKING-DIRECTORY": "models/churn", "INPUT_BASELINE": "  ", "GITHUB_SHA": "x"})

    assert inputs == Inputs(working_directory="models/churn")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("INPUT_WORKING_DIRECTORY", "working-directory"),
        ("INPUT_COMENT", "comment"),
        ("INPUT_TIMEOUT", "timeout-minutes"),
    ],
)
def test_a_misspelt_input_is_an_error_that_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Did you mean '{nearest}'"):
        read_inputs({name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reproduce", "treu"),
        ("reproduce", "on"),
        ("timeout-minutes", "ten"),
        ("timeout-minutes", "-1"),
        ("timeout-minutes", "nan"),
        ("mode", "fast"),
        ("charts", "all"),
        ("check", "yes"),
        ("id", "a b"),
        ("id", "a--><b"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_names_input_and_value(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_inputs({f"INPUT_{name.upper()}": value})

    assert f"The input {name!r} is {value!r}." == caught.value.what
    assert caught.value.expected


def test_the_token_is_never_shown() -> None:
    inputs = read_inputs({"INPUT_GITHUB-TOKEN": "ghs_canary"})

    assert "canary" not in repr(inputs) + str(inputs) + inputs.model_dump_json()
    assert inputs.github_token.get_secret_value() == "ghs_canary"


@pytest.mark.parametrize("name", ["slack-webhook", "teams-webhook", "webhook", "webhook-secret", "pushgateway"])
def test_an_address_is_as_secret_as_the_token(name: str) -> None:
    given = {f"INPUT_{name.upper()}": "https://services.example/s3cr3t-path"}

    with pytest.raises(ConfigurationError) as caught:
        read_inputs({**given, "INPUT_MODE": "nonsense"})

    assert "s3cr3t" not in repr(read_inputs(given)) + str(caught.value)


def test_an_error_about_another_input_does_not_show_the_token() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_inputs({"INPUT_GITHUB-TOKEN": "ghs_canary", "INPUT_MODE": "fast"})

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_set_ups_have_check_names_of_their_own() -> None:
    assert Inputs().check_name == "MetricGate"
    assert Inputs(id="nightly").check_name == "MetricGate (nightly)"
