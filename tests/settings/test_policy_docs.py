"""What is written about the policy holds: schema and reference follow from the fields, every example can be read."""

import re
import runpy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from metricgate.errors import ConfigurationError
from metricgate.settings.policy import policy_schema
from metricgate.settings.policy_file import read_policy

ROOT = Path(__file__).parents[2]
DOCS = runpy.run_path(str(ROOT / "scripts" / "policy_docs.py"))
REFERENCE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
VALIDATOR = Draft202012Validator(policy_schema())
EXAMPLES = {
    **{f"policy.md {n}": text for n, text in enumerate(re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL))},
    **{str(path): path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("examples/*/metricgate.yaml"))},
}


def is_valid(text: str) -> bool:
    value = YAML(typ="safe", pure=True).load(text)
    return bool(VALIDATOR.is_valid({} if value is None else value))


def test_the_committed_schema_is_up_to_date() -> None:
    committed = (ROOT / "docs" / "metricgate.schema.json").read_text(encoding="utf-8")

    assert committed == DOCS["render_schema"](), "run: python scripts/policy_docs.py"


def test_the_reference_is_up_to_date() -> None:
    assert DOCS["render_reference"](REFERENCE) == REFERENCE, "run: python scripts/policy_docs.py"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(policy_schema())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_policy_for_us_and_for_editors(name: str) -> None:
    read_policy(EXAMPLES[name], origin=name)

    assert is_valid(EXAMPLES[name])


@pytest.mark.parametrize(
    "text",
    [
        "gates: [{metric: 'a:b', max_dorp: 1}]",
        "gates: [{metric: 'a:b'}]",
        "gates: [{metric: 'a:b', max_drop: -1}]",
        "gates: [{metric: 'a:b', max_drop: much}]",
        "predictions: {label: y}",
        "predictions: {golden: {label: y}}",
        "confidence: 95",
        "on_inconclusive: maybe",
        "anchor: {revision: v1, max_drop: 1}",
        "release: {}",
    ],
)
def test_editors_mark_what_we_refuse(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_policy(text, origin="m.yaml")

    assert not is_valid(text)
